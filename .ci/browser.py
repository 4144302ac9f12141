"""The app in a real headless browser. A check is a function of a `Visit`, in the order in which a visitor would act:
add one with `@check` above the last two, which look back over the whole visit."""
import os, re, shutil, socket, subprocess, sys, tempfile, time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect, sync_playwright

REPO = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
SHOTS = REPO/'runs/browser'  # a picture of the page after each check
FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync']
CHECKS = []

@dataclass
class Visit:
    page: Page
    url: str
    errors: list = field(default_factory=list)   # what the console and the scripts complained of
    outside: list = field(default_factory=list)  # requests to any host but 127.0.0.1

def check(f): CHECKS.append(f); return f

@check
def page_opens(v):
    v.page.goto(v.url)
    expect(v.page).to_have_title(re.compile('tiger', re.I))
    expect(v.page.get_by_text(re.compile('TIGER')).first).to_be_visible(timeout=20_000)

@check
def console_stays_clean(v): assert not v.errors, '\n'.join(v.errors)

@check
def nothing_is_asked_of_other_hosts(v): assert not v.outside, '\n'.join(v.outside)

def find():
    "The path of a Chromium: what is installed, else Debian's package for root, else Playwright's own."
    def installed(): return next(filter(None, map(shutil.which, ('chromium', 'google-chrome', 'chromium-browser'))), None)
    def own():
        with sync_playwright() as p: return p.chromium.executable_path
    if found := installed(): return found
    if Path(own()).exists(): return own()
    tried = []
    def install(*cmd):
        done = subprocess.run(cmd, capture_output=True, text=True, env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'})
        if done.returncode: tried.append(f'{" ".join(map(str, cmd))}: {(done.stderr or done.stdout).strip()[-500:]}')
        return not done.returncode
    if os.geteuid() == 0 and shutil.which('apt-get'):
        if install('apt-get', 'update', '-q') and install('apt-get', 'install', '-qy', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'):
            if found := installed(): return found
    if install(sys.executable, '-m', 'playwright', 'install', 'chromium'): return own()
    raise RuntimeError('No Chromium is installed and none could be installed: install the package chromium. Tried:\n' + '\n'.join(tried))

@contextmanager
def app(data='sample', limit=20):
    "Start the demo as a user does; gives its address once it prints it and answers, within `limit` seconds."
    with socket.socket() as s: s.bind(('127.0.0.1', 0)); port = s.getsockname()[1]
    url = f'http://127.0.0.1:{port}'
    with tempfile.TemporaryFile('w+') as log:
        demo = subprocess.Popen([BIN/'tiger_demo', '--data', data, '--port', str(port)], cwd=REPO, stdin=subprocess.DEVNULL,
                                stdout=log, stderr=subprocess.STDOUT, env={**os.environ, 'PYTHONUNBUFFERED': '1'})
        try:
            def said(): log.seek(0); return log.read()
            end = time.time() + limit
            while url not in said() or socket.socket().connect_ex(('127.0.0.1', port)):
                if demo.poll() is not None: raise RuntimeError(f'tiger_demo ended with {demo.returncode}:\n{said()[-3000:]}')
                if time.time() > end: raise RuntimeError(f'tiger_demo did not print and serve {url} within {limit} s:\n{said()[-3000:]}')
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
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=program, args=FLAGS)
        v = Visit(chromium.new_page(viewport={'width': 1400, 'height': 1000}), url)
        v.page.on('console', lambda m: v.errors.append(m.text) if m.type == 'error' else None)
        v.page.on('pageerror', lambda e: v.errors.append(str(e)))
        for kind in ('request', 'websocket'): v.page.on(kind, lambda r: v.outside.append(r.url) if is_outside(r.url) else None)
        try: yield v
        finally: chromium.close()

def is_outside(url): return urlsplit(url).scheme in ('http', 'https', 'ws', 'wss') and urlsplit(url).hostname != '127.0.0.1'

def act(f, v):
    "One check, and a picture of the page after it, whether it passed or not."
    SHOTS.mkdir(parents=True, exist_ok=True)
    try: f(v)
    finally: v.page.screenshot(path=SHOTS/f'{f.__name__}.png')
