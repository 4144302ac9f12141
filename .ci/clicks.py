"""How fast the demo's page opens and answers in a real browser (`make clicks`): a row for each act.
`--pictures FOLDER` keeps every tab as an image: light and dark, desktop and phone."""
import argparse, os, time
from pathlib import Path

import browser
from browser_tabs import POINT, READY

TABS = {'recommend': 'Recommend', 'compare': 'Compare', 'maps': 'Map', 'tree': 'Code tree',
        'codebook': 'Codebook', 'newitem': 'New item', 'diversity': 'Diversity', 'runs': 'Runs'}
SIZES = {'desktop': (1400, 1000), 'phone': (390, 844)}
FRAMES = '() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))'
LIST = "() => document.querySelector('.side ol > li')"

class Watch:
    "Acts on the page, with the seconds until all of it is drawn."
    def __init__(self, page, repeats):
        self.page, self.repeats, self.rows = page, repeats, []

    def still(self):
        "Nothing waits, and nothing begins to wait within two frames; a new address has its view."
        while True:
            self.page.wait_for_function(READY, timeout=300_000)
            self.page.evaluate(FRAMES)
            if self.page.evaluate(READY): return

    def once(self, act):
        start = time.perf_counter()
        act()
        self.still()
        return time.perf_counter() - start

    def __call__(self, name, act, before=None):
        "`repeats` times, each after `before`, which is not timed."
        took = []
        for _ in range(self.repeats):
            if before: self.once(before)
            took.append(self.once(act))
        self.rows.append((name, *took))
        print(f'{name:44}' + ''.join(f'{t:7.2f}' for t in took), flush=True)

def open_page(w, url):
    "The first visit of an empty browser: the first text, the list, and all that comes after it."
    start = time.perf_counter()
    w.page.goto(url)
    w.page.wait_for_function(LIST, timeout=300_000)
    listed = time.perf_counter() - start
    w.still()
    whole = time.perf_counter() - start
    paint = w.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000
    for name, took in (('first text', paint), ('the list is there', listed), ('everything is drawn', whole)):
        w.rows.append((name, took))
        print(f'{name:44}{took:7.2f}', flush=True)

def found(w, box, query):
    "Type and wait until something is found."
    w.page.get_by_label(box).fill(query)
    w.page.locator('.found li:visible').first.wait_for()

def point(w):
    "A click on a point of the first map."
    x, y = w.page.locator('[data-figure=map1]').evaluate(POINT)
    w.page.mouse.click(x, y)

def visit(w, url):
    "What a visitor does."
    page, users = w.page, iter(range(100, 10_000))
    open_page(w, url)
    def take(): page.locator('.found button:visible, .found [data-user]:visible').first.click()
    w('another user', take, lambda: found(w, 'Choose a user', str(next(users))))
    w('a user of whom the item is missed', lambda: page.get_by_text('A miss', exact=True).click(),
      lambda: page.get_by_text('Any user', exact=True).click())
    w('an item leaves the history', lambda: page.locator('#history [data-do=remove]').first.click())
    w('that is undone', lambda: page.locator('[data-do=undo]').click())
    w('an item moves', lambda: page.locator('#history [data-do=move]').first.click())
    for name in (*list(TABS.values())[1:], 'Recommend'):
        other = 'runs' if name == 'Recommend' else 'recommend'
        w(f'tab {name}, after another user', lambda: page.get_by_role('tab', name=name, exact=True).click(),
          lambda: page.goto(f'{url}/?tab={other}&user={next(users)}'))
    page.goto(f'{url}/?tab=maps')
    w.still()
    w('a point of the map', lambda: point(w))
    colours = page.get_by_label('Colour by').locator('option').evaluate_all('o => o.map(x => x.value)')
    shades = iter(colours * w.repeats)
    w('another colour', lambda: page.get_by_label('Colour by').select_option(next(shades)))
    page.goto(f'{url}/?tab=codebook')
    w.still()
    codes = iter(range(1, 100))
    w('a code of the codebook', lambda: page.goto(f'{url}/?tab=codebook&prefix={next(codes)}'))
    w('a prefix of the tree', lambda: page.goto(f'{url}/?tab=tree&prefix={next(codes)}'))

def pictures(w, url, folder):
    "Each tab as one long picture, in both lights and at both widths."
    folder.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        w.page.set_viewport_size({'width': width, 'height': height})
        for light in ('light', 'dark'):
            w.page.emulate_media(color_scheme=light)
            for tab in TABS:
                w.page.goto(f'{url}/?tab={tab}&item=7')
                w.still()
                w.page.screenshot(path=folder/f'{tab}-{size}-{light}.png', full_page=True)

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--data', default='sample', help='what `tiger_demo --data` takes')
    p.add_argument('--runs', help='a folder of tokenizer and bundles; nothing is trained then')
    p.add_argument('--repeats', type=int, default=3)
    p.add_argument('--pictures', type=Path, help='keep every tab in this folder, and time nothing')
    how = p.parse_args()
    with browser.app(how.data, 900, how.runs) as url, browser.visit(url) as v:
        w = Watch(v.page, how.repeats)
        if how.pictures: pictures(w, url, how.pictures)
        else:
            print(f'{how.data}: seconds; load average {os.getloadavg()[0]:.1f}')
            visit(w, url)
            worst = max(w.rows[3:], key=lambda row: max(row[1:]))
            print(f'slowest answer: {worst[0]}, {max(worst[1:]):.2f} s')
    return 0

if __name__ == '__main__': raise SystemExit(main())
