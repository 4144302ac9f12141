"""make screenshots: pictures of the app for README, and the beam tree growing. `python .ci/screenshots.py
DATA …` takes data folders or sample; their runs must be there (tiger_demo --prepare-only)."""
import io, sys, time
from pathlib import Path

from PIL import Image

import browser
from browser_tabs import READY

OUT = Path(__file__).resolve().parents[1]/'nbs/screenshots'
MOST = 150_000  # bytes of a picture
SHOTS = {'recommend': '', 'compare': '', 'maps': 'item=7', 'tree': '', 'codebook': 'item=7&prefix=26',
         'diversity': ''}

def small(png, path, width=1100):
    "A screenshot as a WebP of at most `MOST` bytes."
    image = Image.open(io.BytesIO(png)).convert('RGB')
    if image.width > width: image = image.resize((width, round(image.height * width / image.width)))
    for quality in (86, 76, 64, 50):
        image.save(path, 'WEBP', quality=quality, method=6)
        if path.stat().st_size <= MOST: return

def ready(page): page.wait_for_function(READY, timeout=120_000)

def grown(page, path):
    "The beam tree, a frame a level, as an animation."
    box, frames = page.locator('[data-figure=beam]'), []
    names = box.evaluate("b => [...Object.keys(b.all).filter(k => /^beam\\d/.test(k)).sort(), 'beam']")
    page.locator('.drawing:has([data-figure=beam])').scroll_into_view_if_needed()
    page.locator('[data-do=grow]').click()
    for name in names:
        page.wait_for_function(f"document.querySelector('[data-figure=beam]').grown === '{name}'")
        page.wait_for_timeout(150)
        image = Image.open(io.BytesIO(box.screenshot())).convert('RGB')
        frames.append(image.resize((900, round(image.height * 900 / image.width))))
    times = [1000] * (len(frames) - 1) + [3500]
    frames[0].save(path, 'WEBP', save_all=True, append_images=frames[1:], duration=times, loop=0, quality=60)

def shoot(page, url, data):
    "Pictures of one data set: every tab, one in the dark, one on a phone."
    for tab, more in SHOTS.items():
        page.goto(f'{url}/?tab={tab}&{more}')
        ready(page)
        small(page.screenshot(), OUT/f'{data}-{tab}.webp')
        if tab == 'recommend': grown(page, OUT/f'{data}-beam.webp')
    page.emulate_media(color_scheme='dark')
    page.goto(f'{url}/?tab=maps&item=7')
    ready(page)
    small(page.screenshot(), OUT/f'{data}-dark.webp')
    page.emulate_media(color_scheme='light')
    page.set_viewport_size({'width': 390, 'height': 844})
    page.goto(f'{url}/?tab=recommend')
    ready(page)
    small(page.screenshot(), OUT/f'{data}-phone.webp', 390)
    page.set_viewport_size({'width': 1400, 'height': 1000})

def main(names):
    OUT.mkdir(exist_ok=True)
    for name in names or ['sample']:
        start = time.time()
        with browser.app(name, limit=300) as url, browser.visit(url) as v:
            v.page.add_init_script("for (const t of ['recommend', 'compare', 'maps', 'tree', 'codebook', "
                                   "'newitem', 'diversity', 'runs']) localStorage.setItem('hint-' + t, '1')")
            shoot(v.page, url, Path(name).name.lower())
        print(f'{name}: {time.time() - start:.0f} s, in {OUT}')
    return 0

if __name__ == '__main__': sys.exit(main(sys.argv[1:]))
