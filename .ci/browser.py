"""A real headless browser for the app: both are started, visited, pictured. The checks: browser_tabs.py."""
import os, shutil, socket, subprocess, sys, tempfile, time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect, sync_playwright

REPO = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
SHOTS = REPO/'runs/browser'  # a picture of the page after each check
FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
         '--disable-background-networking',
         '--disable-component-update', '--disable-sync']
CHECKS, AFTER = [], []  # those of AFTER end every visit

@dataclass
class Visit:
    page: Page
    url: str
    errors: list = field(default_factory=list)   # what the console and the scripts complained of
    outside: list = field(default_factory=list)  # requests to any host but 127.0.0.1

def check(f):
    CHECKS.append(f)
    return f

def after(f):
    AFTER.append(f)
    return f

def find():
    "The path of a Chromium: what is installed, else Debian's package for root, else Playwright's own."
    names = 'chromium', 'google-chrome', 'chromium-browser'
    def installed(): return next(filter(None, map(shutil.which, names)), None)
    def own():
        with sync_playwright() as p: return p.chromium.executable_path
    if found := installed(): return found
    if Path(own()).exists(): return own()
    tried = []
    def install(*cmd):
        env = {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}
        done = subprocess.run(cmd, capture_output=True, text=True, env=env)
        said = (done.stderr or done.stdout).strip()[-500:]
        if done.returncode: tried.append(f'{" ".join(map(str, cmd))}: {said}')
        return not done.returncode
    if os.geteuid() == 0 and shutil.which('apt-get'):
        packages = 'chromium', 'fonts-dejavu-core'
        get = 'apt-get', 'install', '-qy', '--no-install-recommends'
        if install('apt-get', 'update', '-q') and install(*get, *packages):
            if found := installed(): return found
    if install(sys.executable, '-m', 'playwright', 'install', 'chromium'): return own()
    raise RuntimeError('No Chromium is installed and none could be installed: install the package chromium. '
                       'Tried:\n' + '\n'.join(tried))

SERVE = '''
import sys
from pathlib import Path
from tiger_nb.app import launch
from tiger_nb.dataset import load
data, runs, port = sys.argv[1:]
launch(load(data), {name: Path(runs)/name for name in ('tokenizer', 'sasrec', 'tiger')}, int(port))
'''

@contextmanager
def app(data='sample', limit=90, runs=None):
    """Start the demo as a user does; gives its address once it prints it and answers, within `limit` seconds.
    With `runs`, a folder of tokenizer and bundles, nothing is trained."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    url = f'http://127.0.0.1:{port}'
    with tempfile.TemporaryFile('w+') as log:
        command = [BIN/'tiger_demo', '--data', data, '--port', str(port)]
        if runs: command = [sys.executable, '-c', SERVE, data, runs, str(port)]
        env = {**os.environ, 'PYTHONUNBUFFERED': '1'}
        demo = subprocess.Popen(command, cwd=REPO, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT, env=env)
        try:
            def said():
                log.seek(0)
                return log.read()
            def fail(how): raise RuntimeError(f'tiger_demo {how}:\n{said()[-3000:]}')
            end = time.time() + limit
            while url not in said() or socket.socket().connect_ex(('127.0.0.1', port)):
                if demo.poll() is not None: fail(f'ended with {demo.returncode}')
                if time.time() > end: fail(f'did not print and serve {url} within {limit} s')
                time.sleep(.2)
            yield url
        finally:
            demo.terminate()
            try: demo.wait(10)
            except subprocess.TimeoutExpired: demo.kill()

@contextmanager
def visit(url):
    "A fresh browser without memory."
    program = find()
    expect.set_options(timeout=20_000)
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=program, args=FLAGS)
        v = Visit(chromium.new_page(viewport={'width': 1400, 'height': 1000}), url)
        v.page.on('console', lambda m: v.errors.append(m.text) if m.type == 'error' else None)
        v.page.on('pageerror', lambda e: v.errors.append(str(e)))
        def note(r):
            if is_outside(r.url): v.outside.append(r.url)
        for kind in ('request', 'websocket'): v.page.on(kind, note)
        try: yield v
        finally: chromium.close()

def is_outside(url):
    "Whether an address leads to another host."
    parts = urlsplit(url)
    return parts.scheme in ('http', 'https', 'ws', 'wss') and parts.hostname != '127.0.0.1'

def act(f, v):
    "One check, and a picture of the page after it, whether it passed or not."
    SHOTS.mkdir(parents=True, exist_ok=True)
    try: f(v)
    finally: v.page.screenshot(path=SHOTS/f'{f.__name__}.png')
