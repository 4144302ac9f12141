"""make screenshots: pictures of the app for README, and the beam tree growing.
`python .ci/screenshots.py DATA RUNS [DATA RUNS …]` takes data folders (or sample), each with its folder of
tokenizer and bundles. Nothing is trained."""
import io, sys, time
from pathlib import Path

from PIL import Image

import browser
from browser_tabs import READY

OUT = Path(__file__).resolve().parents[1]/'nbs/screenshots'
MOST = 150_000  # bytes of a picture
FRAMES = 16     # a level of the growing tree
WIDE = 1472     # pixels of the growing tree, which README shows half as wide
SHOTS = {'recommend': '', 'compare': '', 'maps': '', 'tree': '', 'codebook': 'item=7'}
NO_HINTS = """for (const t of 'recommend compare maps tree codebook newitem diversity runs'.split(' '))
  localStorage.setItem('hint-' + t, '1')"""
SEEN = "() => document.querySelector('[data-figure=flow]')?.dataset.drawn"  # not all lists

def small(png, path, width=1100):
    "A screenshot as a WebP of at most `MOST` bytes."
    image = Image.open(io.BytesIO(png)).convert('RGB')
    if image.width > width: image = image.resize((width, round(image.height * width / image.width)))
    for quality in (86, 76, 64, 50):
        image.save(path, 'WEBP', quality=quality, method=6)
        if path.stat().st_size <= MOST: return

def sharp(page, width=1400, height=1000):
    "Another page of the browser, on a screen with two pixels for each of its own."
    new = page.context.browser.new_page(viewport=dict(width=width, height=height), device_scale_factor=2)
    new.add_init_script(NO_HINTS)
    return new

def ready(page): page.wait_for_function(READY, timeout=300_000)

def grown(page, path):
    "The beam tree, some frames a level, as an animation."
    box, frames, times = page.locator('[data-figure=beam]'), [], []
    box.evaluate("b => b.scrollIntoView({block: 'start'})")
    last = box.evaluate("b => b._fullLayout.xaxis.tickvals.length")
    for n in range(last * FRAMES + 1):
        box.evaluate("(b, t) => { b.at = t; return document.querySelector('.shell').redraw(b) }", n / FRAMES)
        image = Image.open(io.BytesIO(box.screenshot())).convert('RGB')
        frames.append(image.resize((WIDE, round(image.height * WIDE / image.width)), Image.LANCZOS))
        times.append(60 if n % FRAMES else 700)
    box.evaluate("b => { delete b.at; return document.querySelector('.shell').redraw(b) }")
    times[-1] = 3500
    frames, times = [frames[-1], *frames], [500, *times]   # whole where pictures don't move
    for quality in (70, 50, 35):
        frames[0].save(path, 'WEBP', save_all=True, append_images=frames[1:], duration=times, loop=0,
                       quality=quality, method=4, minimize_size=True)
        if path.stat().st_size <= 2 * MOST: return

def shoot(page, url, data):
    "Pictures of one data set: every tab, one in the dark, one on a phone."
    for tab, more in SHOTS.items():
        page.goto(f'{url}/?tab={tab}&{more}')
        if tab == 'compare': page.wait_for_function(SEEN, timeout=300_000)
        else: ready(page)
        small(page.screenshot(), OUT/f'{data}-{tab}.webp')
    page.emulate_media(color_scheme='dark')
    page.goto(f'{url}/?tab=maps')
    ready(page)
    small(page.screenshot(), OUT/f'{data}-dark.webp')
    page.emulate_media(color_scheme='light')
    page = sharp(page)
    page.goto(f'{url}/?tab=recommend')
    ready(page)
    grown(page, OUT/f'{data}-beam.webp')
    page = sharp(page, 390, 844)
    page.goto(f'{url}/?tab=recommend')
    ready(page)
    page.locator('.side').first.evaluate("b => b.scrollIntoView({block: 'start'})")   # the first list
    small(page.screenshot(), OUT/f'{data}-phone.webp', 780)

def main(args):
    OUT.mkdir(exist_ok=True)
    args = args or ['sample', 'runs/sample']
    for data, runs in zip(args[::2], args[1::2], strict=True):
        start = time.time()
        with browser.app(data, 300, runs) as url, browser.visit(url) as v:
            v.page.add_init_script(NO_HINTS)
            shoot(v.page, url, Path(data).name.lower())
        print(f'{data}: {time.time() - start:.0f} s, in {OUT}')
    return 0

if __name__ == '__main__': sys.exit(main(sys.argv[1:]))
