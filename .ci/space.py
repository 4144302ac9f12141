"""make space: a folder that a Hugging Face Space can be made of as it is. It holds the package with app and
sample, the trained runs, and the versions that were tested together."""
import re, shutil, sys
from configparser import ConfigParser
from pathlib import Path

from tiger_nb.compare import prepare_views
from tiger_nb.dataset import load

REPO = Path(__file__).resolve().parents[1]
FRONT = '''---
title: tiger_nb
emoji: 🐅
colorFrom: yellow
colorTo: blue
sdk: gradio
sdk_version: {gradio}
python_version: "3.11"
app_file: app.py
license: mit
short_description: See a generative recommender think
---
# See a recommender think

A page over a generated shop: its Semantic IDs, the beam tree of every recommendation, where an item was lost,
and what a history would have said without one of its items. Every action is a typed endpoint of the API.
'''
APP = '''"The demo as a Space: nothing is trained, and nothing is written outside this folder."
import os
from pathlib import Path

here = Path(__file__).resolve().parent
os.environ.setdefault('HF_HUB_OFFLINE', '1')
for name in ('NUMBA_CACHE_DIR', 'MPLCONFIGDIR'): os.environ.setdefault(name, str(here/'.cache'))

from tiger_nb.app import build
from tiger_nb.dataset import load

demo = build(load('sample'), {name: here/'runs'/name for name in ('tokenizer', 'sasrec', 'tiger')})
if __name__ == '__main__': demo.launch(server_port=int(os.environ.get('PORT', 7860)))
'''

def versions():
    "What the Space installs: the requirements of settings.ini at the tested versions."
    ini = ConfigParser(delimiters=['='])
    ini.read(REPO/'settings.ini', encoding='utf-8')
    wanted = [re.split(r'[<>=!~ ]', r)[0] for r in ini['DEFAULT']['requirements'].split()]
    lines = (REPO/'constraints.txt').read_text(encoding='utf-8').splitlines()
    pins = {l.split('==')[0].strip().lower(): l.split('==')[1].split()[0] for l in lines if '==' in l}
    return {name: pins.get(name.lower()) for name in wanted}

def copy(source, target):
    "A folder without caches and logs."
    ignore = shutil.ignore_patterns('__pycache__', '*.pyc', 'tensorboard', 'checkpoint*', 'report.html')
    shutil.copytree(source, target, ignore=ignore)

def main(out):
    out = Path(out).resolve()
    runs = REPO/'runs/sample'
    if not (runs/'tiger/result.json').exists():
        return print(f'{runs}: the sample has no trained runs; make them with tiger_demo --prepare-only') or 1
    if out.exists(): return print(f'{out}: is there already; delete it or name another with SPACE=') or 1
    prepare_views(load('sample'), runs)  # maps and lists, so that nobody waits for them
    temp = out.with_name(f'.{out.name}-building')
    shutil.rmtree(temp, ignore_errors=True)
    copy(REPO/'tiger_nb', temp/'tiger_nb')
    copy(REPO/'app', temp/'tiger_nb/app')
    copy(REPO/'data/sample', temp/'tiger_nb/sample_data')
    copy(runs, temp/'runs')
    pins = versions()
    (temp/'README.md').write_text(FRONT.format(gradio=pins['gradio']), encoding='utf-8')
    (temp/'app.py').write_text(APP, encoding='utf-8')
    lines = [f'{name}=={v}' if v else name for name, v in pins.items()]
    (temp/'requirements.txt').write_text('\n'.join(lines) + '\n')
    temp.rename(out)
    print(f'{out}: push this folder to a Space of the kind Gradio')
    return 0

if __name__ == '__main__': sys.exit(main(sys.argv[1]))
