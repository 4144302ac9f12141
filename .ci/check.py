"""make test: every check, with its time; a failed one does not stop the others.
The last line is `N passed, N failed`.
`.venv/bin/python .ci/check.py clean app` makes only the named groups, `--stress` runs the slow cells."""
import difflib, json, multiprocessing, os, re, signal, subprocess, sys
import tempfile, textwrap, time, venv, zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing import forkserver
from pathlib import Path
from threading import Event

import browser, browser_tabs, docs, hooks, readme, style
from notebooks import faults, left_out
from style import notebooks

REPO = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
COMMANDS = re.findall(r'^ +(tiger_\w+)=', (REPO/'settings.ini').read_text(encoding='utf-8'), re.M)
WORKERS = 2
os.environ.update(TQDM_DISABLE='1', PLOTLY_RENDERER='plotly_mimetype', GRADIO_ANALYTICS_ENABLED='False',
                  HF_HUB_OFFLINE='1')
DONE = []

def check(name, work):
    "Do `work`, say how it went and how long it took; True if it passed."
    start, why = time.time(), None
    try: work()
    except Exception as e: why = f'{type(e).__name__}: {e}'
    print(f'{"ok" if why is None else "FAILED":6} {time.time() - start:7.1f} s  {name}', flush=True)
    if why is not None: print(textwrap.indent(why, ' '*8), flush=True)
    DONE.append(why is None)
    return DONE[-1]

def run(*cmd, cwd=REPO, limit=900, **env):
    "What the command prints; an error with the end of it if it fails or runs longer than `limit` seconds."
    cmd = [str(c) for c in cmd]
    pipe = subprocess.PIPE
    p = subprocess.Popen(cmd, cwd=cwd, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True,
                         start_new_session=True, env={**os.environ, **env})
    late = False
    try: out, err = p.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)  # its children too
        late, (out, err) = True, p.communicate()
    if late or p.returncode:
        why = f'ran past {limit} s' if late else f'ended with {p.returncode}'
        raise RuntimeError(f'{" ".join(cmd)} {why}\n{(out + err)[-6000:]}')
    return out

def tree():
    "Every file of the project with its bytes: what git tracks or would add, and git's status line for each."
    git = partial(subprocess.run, cwd=REPO, capture_output=True)
    listed = git(['git', 'ls-files', '-coz', '--exclude-standard'])
    if listed.returncode:  # an unpacked archive
        folders = 'nbs', 'tiger_nb', 'app', 'data/sample', '.ci'
        parts = [p for d in folders for p in (REPO/d).rglob('*')] + list(REPO.glob('*'))
        names = [str(p.relative_to(REPO)) for p in parts if '__pycache__' not in p.parts]
    else: names = listed.stdout.decode().split('\0')
    files = {n: (REPO/n).read_bytes() for n in names if n and (REPO/n).is_file()}
    return files | {'git status --porcelain': git(['git', 'status', '--porcelain']).stdout}

def compare(before, after):
    "Fails with the difference of two trees."
    said = []
    for name in sorted(before.keys() | after.keys()):
        old, new = (t.get(name, b'').decode(errors='replace').splitlines() for t in (before, after))
        if before.get(name) == after.get(name): continue
        difference = list(difflib.unified_diff(old, new, lineterm='', n=1))[2:42]
        said += [f'{name} has changed', *(l[:200] for l in difference)]
    if said: raise RuntimeError('\n'.join(said))

def environment():
    "The installed versions fit together, and nbdev imports (pip check does not see that)."
    check('pip check', lambda: run(sys.executable, '-m', 'pip', 'check'))
    check('nbdev_export --help', lambda: run(BIN/'nbdev_export', '--help'))

def unchanged(step):
    "Do `step`; fails if the tree is another one afterwards."
    before = tree()
    step()
    compare(before, tree())

def none(sentences):
    "Fails with the sentences, if there are any."
    if sentences: raise RuntimeError('\n'.join(dict.fromkeys(sentences)))

def stored():
    "The rules of the house for stored notebooks."
    none([f'{p.relative_to(REPO)}: {w}' for p in notebooks() for w in faults(p)])

def clean():
    "The committed tree is what its notebooks make of it."
    check('nbdev_clean leaves the tree unchanged', lambda: unchanged(lambda: run(BIN/'nbdev_clean')))
    check('nbdev_export leaves the tree unchanged', lambda: unchanged(lambda: run(BIN/'nbdev_export')))
    check('README.md is rendered from nbs/index.ipynb', lambda: unchanged(readme.render))
    for title, find in style.CHECKS.items(): check(title, lambda: none(find()))
    check('notebooks are stored as the house wants them', stored)
    check('git merges notebooks cell by cell', hooks.merged)

SHARE = dict(OMP_NUM_THREADS=str(max(1, (os.cpu_count() or 1)//WORKERS)))  # threads of a worker's process

def sample():
    "The sample's runs, trained once."
    command = BIN/'tiger_demo', '--data', 'sample', '--prepare-only'
    check('sample prepared and trained', lambda: run(*command, limit=1500, **SHARE))

FORKS = multiprocessing.get_context('forkserver')
FORKS.set_forkserver_preload(['warm'])

def start_forks():
    "The process that tests fork from: it has imported the libraries, with the threads of one worker."
    before = dict(os.environ)
    here = str(Path(__file__).parent)  # before Python 3.13 what is preloaded is looked for there only
    os.environ.update(SHARE, PYTHONPATH=here)
    forkserver.ensure_running()
    os.environ.clear()
    os.environ.update(before)

def _test(*args):
    import warm  # only in the fork, which has it
    warm.test(*args)

def forked(path, flags, limit):
    "`nbdev_test` of one notebook in a fork; an error with the end of what it printed."
    with tempfile.NamedTemporaryFile('r', errors='replace') as log, tempfile.TemporaryDirectory() as kernels:
        # what torch.compile kept for other instructions of the processor does not compile with these
        env = {**os.environ, **SHARE, 'TORCHINDUCTOR_CACHE_DIR': kernels}
        p = FORKS.Process(target=_test, args=(path, flags, log.name, env))
        p.start()
        p.join(limit)
        late = p.exitcode is None
        if late: os.killpg(p.pid, signal.SIGKILL)
        p.join()
        why = f'ran past {limit} s' if late else f'ended with {p.exitcode}'
        if p.exitcode: raise RuntimeError(f'nbdev_test --path {path} {why}\n{log.read()[-6000:]}')

def test_notebook(path, flags='', limit=1200):
    check(str(path.relative_to(REPO)), lambda: forked(path, flags, limit))

def uses_sample(path): return 'runs/sample' in path.read_text(encoding='utf-8')

def tests():
    "Every notebook from top to bottom, but for the cells flagged slow."
    start_forks()
    with ThreadPoolExecutor(WORKERS) as pool: list(pool.map(test_notebook, notebooks()))
    say_left_out()

def say_left_out():
    "Name the cells whose data is not here."
    for path in notebooks():
        for cell, folder in left_out(path):
            print(f'left out: {style.name(path)}, cell {cell}: {folder} is not here')

def visited(url, checks):
    "Checks in a browser of their own, one after the other."
    with ExitStack() as stack:
        found = []
        if check('app: a page opens', lambda: found.append(stack.enter_context(browser.visit(url)))):
            for f in [*checks, *browser.AFTER]:
                check(f'app: {f.__name__.replace("_", " ")}', partial(browser.act, f, found[0]))

def app():
    "The demo in two real browsers; the checks are in .ci/browser_tabs.py, their pictures in runs/browser."
    with ExitStack() as stack:
        url = []
        starts = lambda: url.append(stack.enter_context(browser.app()))
        if not check('app: starts from what is kept', starts): return
        if not check('app: a browser is there', browser.find): return
        with ThreadPoolExecutor(WORKERS) as pool:
            work = [pool.submit(visited, url[0], browser.CHECKS[i::WORKERS]) for i in range(WORKERS)]
        for w in work: w.result()

def together():
    "The sample, wheel, site and every notebook, two at a time; what needs the sample's runs waits for them."
    start_forks()
    trained = Event()
    def train():
        try: sample()
        finally: trained.set()
    def test(path):
        if uses_sample(path): trained.wait()
        test_notebook(path)
    with ThreadPoolExecutor(WORKERS) as pool:
        def readme_runs():
            trained.wait()
            run(sys.executable, '-c', readme.blocks((REPO/'README.md').read_text(encoding='utf-8')), **SHARE)
        site = 'the site is built, and every link inside resolves'
        work = [pool.submit(train), pool.submit(wheel, trained), pool.submit(check, site, docs.build)]
        work += [pool.submit(test, path) for path in sorted(notebooks(), key=uses_sample)]
        work += [pool.submit(check, "README's Python runs at the root", readme_runs)]
    for w in work: w.result()
    say_left_out()

INSIDE = '''
import importlib, importlib.util, pathlib, pkgutil, sys, tiger_nb
for m in pkgutil.walk_packages(tiger_nb.__path__, 'tiger_nb.'): importlib.import_module(m.name)
import tiger_nb.app
from tiger_nb.data import load, sample_folder
for p in (pathlib.Path(tiger_nb.__file__), pathlib.Path(tiger_nb.app.__file__), sample_folder()):
    assert pathlib.Path(sys.prefix) in p.parents, f'{p} is not in the environment'
assert importlib.util.find_spec('app') is None, 'a top-level module named app is installed'
assert importlib.util.find_spec('nbdev') is None, 'nbdev is installed: this is not what a user has'
assert load('sample').n_items > 0
'''

def wheel(
    trained=None, # an event to wait for before the sample's runs are used
):
    "The wheel, made from the sources alone, works in an environment with nothing else, from an empty folder."
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        src, env, empty = tmp/'src', tmp/'env', tmp/'empty'
        empty.mkdir()
        python = env/'bin/python'
        def build():
            for name, data in tree().items():
                if name.startswith('git '): continue
                (src/name).parent.mkdir(parents=True, exist_ok=True)
                (src/name).write_bytes(data)
            run(sys.executable, '-m', 'build', '--no-isolation', '--outdir', tmp/'dist', src)
            names = zipfile.ZipFile(next((tmp/'dist').glob('*.whl'))).namelist()
            ours = re.compile(r'tiger_nb(-[\w.]+\.dist-info)?/')
            stray = [n for n in names if not ours.match(n) or n.endswith('.pyc')]
            if stray: raise RuntimeError(f'files that do not belong in the wheel: {stray}')
        def install():
            venv.create(env)
            index = os.environ.get('TORCH_INDEX')
            chosen = ['--extra-index-url', index, '--index-strategy', 'unsafe-best-match'] if index else []
            uv = sys.executable, '-m', 'uv', 'pip', 'install', '-q', '--python', python
            links = os.environ.get('UV_FIND_LINKS') or os.environ.get('PIP_FIND_LINKS', '')
            made = next((tmp/'dist').glob('*.whl'))
            run(*uv, *chosen, '-c', REPO/'constraints.txt', made, UV_FIND_LINKS=links)
        def recommend(folder):
            command = folder/'tiger_recommend', '--run', REPO/'runs/sample/tiger', '--history', '3,17,42'
            return json.loads(run(*command, '--k', '10', '--json', **kept))
        def same():
            here, there = recommend(BIN), recommend(env/'bin')
            if here != there: raise RuntimeError(f'recommends {there}, the checkout {here}')
        if not check('wheel: built through the sdist', build): return
        if not check('wheel: installed in an empty environment', install): return
        kept = dict(cwd=empty, PYTHONDONTWRITEBYTECODE='')  # each module is compiled once
        inside = lambda: run(python, '-c', INSIDE, **kept)
        check('wheel: library, app and sample data, no module named app', inside)
        for c in COMMANDS: check(f'wheel: {c} --help', lambda: run(env/'bin'/c, '--help', **kept))
        if trained: trained.wait()
        check('wheel: recommends what the checkout recommends', same)

def stress():
    "The notebooks with cells flagged slow, with those cells."
    start_forks()
    for p in notebooks():
        if '#| slow' in p.read_text(encoding='utf-8'): test_notebook(p, 'slow', limit=4*3600)

GROUPS = [environment, clean, together, app]       # all of it
SINGLE = [*GROUPS, sample, tests, wheel]           # what can be named

def main(args):
    start, before = time.time(), tree()
    named = [g for g in SINGLE if g.__name__ in args]
    chosen = [stress] if args == ['--stress'] else named or GROUPS
    for group in chosen:
        print(f'\n{group.__name__}: {group.__doc__}', flush=True)
        group()
    if not args: check('the tests leave the tree as they found it', lambda: compare(before, tree()))
    print(f'\n{time.time() - start:.0f} s in all\n{sum(DONE)} passed, {len(DONE) - sum(DONE)} failed')
    return 0 if DONE and all(DONE) else 1

if __name__ == '__main__': sys.exit(main(sys.argv[1:]))
