"""The app in a real headless browser. A check is a function of a `Visit`, in the order of a visitor's acts:
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
FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
         '--disable-background-networking',
         '--disable-component-update', '--disable-sync']
CHECKS = []

@dataclass
class Visit:
    page: Page
    url: str
    errors: list = field(default_factory=list)   # what the console and the scripts complained of
    outside: list = field(default_factory=list)  # requests to any host but 127.0.0.1

def check(f):
    CHECKS.append(f)
    return f

@check
def page_opens(v):
    v.page.goto(v.url)
    expect(v.page).to_have_title(re.compile('tiger', re.I))
    expect(v.page.get_by_text(re.compile('TIGER')).first).to_be_visible(timeout=20_000)

# ---- what the checks see of the page ----

def tab(page, name): page.get_by_role('tab', name=name, exact=True).click()

def ranked(v, model, history):
    "A model's list for this history, once it is there."
    rows = v.page.locator(f'#{model}-list ol[data-history="{",".join(map(str, history))}"] > li')
    expect(rows).to_have_count(10, timeout=30_000)
    return rows.evaluate_all('rows => rows.map(r => +r.dataset.item)')

def find_item(v, box, query, item):
    "Type a query and take an item from what is found."
    v.page.get_by_label(box).fill(query)
    v.page.locator(f'.found [data-do=pick][data-item="{item}"]:visible').click(timeout=20_000)

@check
def a_user_and_the_held_out_item(v):
    from tiger_nb.data import load
    split, hits = load('sample').split, 0
    for e in range(30):
        history, target = split.test.row(e).tolist(), int(split.test_targets[e])
        v.page.get_by_label('Choose a user').fill(str(split.users[e]))
        v.page.locator(f'#found-users [data-user="{e}"]').click()
        expect(v.page.locator('#held-out .held')).to_contain_text(load_title(target))
        for model in ('tiger', 'sasrec'):
            items, said = ranked(v, model, history), v.page.locator(f'#{model}-list .verdict')
            assert not set(items) & set(history), f'{model} recommends what user {e} has'
            if target in items:
                hits += 1
                expect(said).to_have_text(f'★ held-out item: rank {items.index(target) + 1}')
                expect(v.page.locator(f'#{model}-list li.hit')).to_have_attribute('data-item', str(target))
            else: expect(said).to_have_text('held-out item: not in the top 10')
        if hits and e: return
    raise AssertionError('no held-out item among the first 30 users is in a top 10')

def load_title(item):
    from tiger_nb.data import load
    return load('sample').items['title'][item]

@check
def a_history_is_edited(v):
    from tiger_nb.data import load
    history = load('sample').split.test.row(0).tolist()
    v.page.get_by_label('Choose a user').fill('0')
    v.page.locator('#found-users [data-user="0"]').click()
    before = [ranked(v, m, history) for m in ('tiger', 'sasrec')]
    new = next(i for i in before[0] + before[1] if i not in history)
    find_item(v, 'Add an item', load_title(new), new)
    expect(v.page.locator('#history li')).to_have_count(len(history) + 1)
    expect(v.page.locator('#history li').first).to_contain_text(load_title(new))
    expect(v.page.locator('#held-out')).to_contain_text('no held-out item')
    both = 'tiger', 'sasrec'
    assert before != [ranked(v, m, [*history, new]) for m in both], 'another history, the same lists'
    v.page.locator('#history [data-do=newest]').last.click()
    for m in ('tiger', 'sasrec'): ranked(v, m, [*history[1:], new, history[0]])
    v.page.locator('#history [data-do=remove]').nth(1).click()
    for m in ('tiger', 'sasrec'): ranked(v, m, [*history[1:], history[0]])
    v.page.locator('#history [data-do=restore]').click()
    assert before == [ranked(v, m, history) for m in ('tiger', 'sasrec')], 'the same history, other lists'
    v.page.locator('#history [data-do=clear]').click()
    for m in both:
        expect(v.page.locator(f'#{m}-list')).to_contain_text('The history is empty', timeout=20_000)

@check
def codes_can_be_walked(v):
    tab(v.page, 'Codebooks')
    cells = v.page.locator('#codes .level').nth(0).locator('button.cell')
    titles = cells.evaluate_all('cells => cells.map(c => c.title)')
    counts = [int(re.search(r': (\d+) item', t)[1]) for t in titles]
    from tiger_nb.data import load
    assert sum(counts) == load('sample').n_items, 'some item has no first code'
    cells.nth(1).click()
    expect(v.page.locator('#codes .panel h3')).to_contain_text(f'{counts[1]} item')
    expect(v.page.locator('#codes .list li')).to_have_count(min(counts[1], 60))
    v.page.locator('#codes .level').nth(1).locator('button.cell').first.click()
    expect(v.page.locator('#codes .level')).to_have_count(3)
    v.page.locator('#codes [data-do=up]').click()
    expect(v.page.locator('#codes .panel h3')).to_contain_text(f'{counts[1]} item')
    expect(v.page.locator('#usage .plot-container')).to_be_visible(timeout=30_000)

POINT = """box => { const r = box.getBoundingClientRect(), l = box._fullLayout, t = box._fullData[0]
  const at = i => [r.x + l._size.l + l.xaxis.l2p(t.x[i]), r.y + l._size.t + l.yaxis.l2p(t.y[i])]
  for (let i = 0; i < t.x.length; i++) {
    const [x, y] = at(i)
    if (y > 0 && y < innerHeight) return [x, y]
  } }"""

@check
def a_point_of_the_map_shows_its_item(v):
    tab(v.page, 'Map')
    box = v.page.locator('#item-map .figure')
    expect(box.locator('.plot-container')).to_be_visible(timeout=30_000)
    x, y = box.evaluate(POINT)
    v.page.mouse.move(x, y)
    v.page.mouse.click(x, y)
    card = v.page.locator('#card [data-item].card')
    expect(card).to_be_visible(timeout=20_000)
    item = int(card.get_attribute('data-item'))
    expect(card.locator('h3')).to_have_text(load_title(item))
    expect(card).to_contain_text('Nearest by shared prefix')
    find_item(v, 'Find an item', load_title(7), 7)
    expect(v.page.locator('#card h3')).to_have_text(load_title(7))
    v.page.locator('#card [data-do=add]').click()
    tab(v.page, 'Recommend')
    expect(v.page.locator('#history li').first).to_contain_text(load_title(7))
    for m in ('tiger', 'sasrec'): ranked(v, m, [7])

@check
def about_gives_the_cards(v):
    tab(v.page, 'About')
    for text in ('recall@10', 'oracle', 'split sha256', 'What is missing'):
        expect(v.page.locator('#about-page').get_by_text(text).first).to_be_visible()

@check
def a_phone_needs_no_sideways_scrolling(v):
    v.page.set_viewport_size({'width': 390, 'height': 844})
    try:
        for name in ('Recommend', 'Codebooks', 'Map', 'About'):
            tab(v.page, name)
            v.page.wait_for_timeout(500)
            wide = v.page.evaluate('document.documentElement.scrollWidth')
            assert wide <= 390, f'{name} is {wide} pixels wide'
    finally: v.page.set_viewport_size({'width': 1400, 'height': 1000})

HOSTILE = ['<img src=x onerror=alert(1)>', '${alert(1)}{{value}}`', '<script>alert(1)</script>',
           '"><svg onload=alert(1)>', "'; alert(1); '"]

def hostile_shop(folder):
    "A data folder whose titles and keys are attacks, with two bundles that hardly learned anything."
    import json
    import numpy as np
    from tiger_nb.data import load
    from tiger_nb.embeddings import save_vectors
    from tiger_nb.recommender import RunSettings, train_bundle
    from tiger_nb.sasrec import SASRecSettings
    from tiger_nb.semantic_ids import SemanticIds
    from tiger_nb.tiger import TigerSettings
    from tiger_nb.training import TrainSettings
    rng, shop, tokenizer = np.random.default_rng(0), folder/'shop', folder/'tokenizer'
    shop.mkdir()
    tokenizer.mkdir()
    histories = {HOSTILE[0] + str(u): rng.permutation(15)[:5].tolist() for u in range(20)}
    (shop/'inter.json').write_text(json.dumps(histories))
    def item(i):
        bad = HOSTILE[i % 5]
        text = {'title': bad, 'description': bad, 'brand': bad, 'categories': [bad]}
        return {'item_id': i, 'asin': f'{bad}{i}', **text}
    (shop/'items.jsonl').write_text('\n'.join(json.dumps(item(i)) for i in range(15)))
    ids = SemanticIds.from_codes(rng.integers(0, 4, (15, 3)), 4)
    ids.save(tokenizer/'semantic_ids.json')
    save_vectors(tokenizer/'map.npz', rng.normal(size=(15, 2)))
    info = {'source': HOSTILE[0], 'sizes': ids.sizes, 'collision': True}
    (tokenizer/'tokenizer.json').write_text(json.dumps(info))
    dataset, steps = load(shop), TrainSettings(steps=2, device='cpu')
    small = TigerSettings(width=16, encoder_layers=1, decoder_layers=1, heads=2, head_dim=8, ff=16)
    for name, model in (('sasrec', SASRecSettings(width=16, blocks=1)), ('tiger', small)):
        train_bundle(dataset, name, folder/name, RunSettings(model, steps, beams=15), tokenizer)
    return dataset, {name: folder/name for name in ('tokenizer', 'sasrec', 'tiger')}

@check
def hostile_titles_stay_text(v):
    from tiger_nb.app import launch
    from tiger_nb.data import InputError
    with tempfile.TemporaryDirectory() as tmp, socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
        s.close()
        dataset, paths = hostile_shop(Path(tmp))
        app = launch(dataset, paths, port, block=False)
        page, asked = v.page.context.browser.new_context().new_page(), []
        page.on('dialog', lambda d: (asked.append(d.message), d.dismiss()))
        page.on('pageerror', lambda e: v.errors.append(str(e)))
        try:
            try:
                launch(dataset, paths, port, block=False)
                raise AssertionError('a taken port was taken again')
            except InputError as e: assert 'taken' in str(e)
            page.goto(f'http://127.0.0.1:{port}')
            expect(page.locator('#tiger-list li')).to_have_count(10, timeout=60_000)
            page.get_by_label('Add an item').fill('alert')
            expect(page.locator('#found-items li')).to_have_count(15, timeout=20_000)
            page.get_by_label('Choose a user').fill('img')
            expect(page.locator('#found-users li')).to_have_count(20, timeout=20_000)
            for shown in HOSTILE:
                found = page.locator('#found-items .title').get_by_text(shown, exact=True)
                expect(found.first).to_be_visible()
            tab(page, 'Codebooks')
            page.locator('#codes button.cell').first.click()
            expect(page.locator('#codes .list li').first).to_be_visible(timeout=20_000)
            tab(page, 'Map')
            expect(page.locator('#item-map .plot-container')).to_be_visible(timeout=30_000)
            x, y = page.locator('#item-map .figure').evaluate(POINT)
            page.mouse.move(x, y)
            page.mouse.click(x, y)
            expect(page.locator('#card .card h3')).to_be_visible(timeout=20_000)
            tab(page, 'About')
            expect(page.locator('#about-page')).to_be_visible()
            assert not asked, f'a title was run as a script: {asked}'
            made = page.locator('img[src=x]').count() + page.locator('svg[onload]').count()
            assert not made, 'a title became an element'
        finally:
            page.context.close()
            app.close(verbose=False)

@check
def console_stays_clean(v): assert not v.errors, '\n'.join(v.errors)

@check
def nothing_is_asked_of_other_hosts(v): assert not v.outside, '\n'.join(v.outside)

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

@contextmanager
def app(data='sample', limit=20):
    "Start the demo as a user does; gives its address once it prints it and answers, within `limit` seconds."
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    url = f'http://127.0.0.1:{port}'
    with tempfile.TemporaryFile('w+') as log:
        command = [BIN/'tiger_demo', '--data', data, '--port', str(port)]
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
