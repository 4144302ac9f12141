"""Run notebooks from top to bottom, store their outputs, and say what a stored notebook must not hold."""
import base64, io, json, os, re, subprocess, sys, time
from pathlib import Path

import nbformat
import plotly.io
from PIL import Image
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import browser
from style import cells, notebooks

REPO = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PLOTLY, COLOURS = 'application/vnd.plotly.v1+json', 256  # a figure; the colours of its picture
WIDGET = 'application/vnd.jupyter.widget-view+json'
# Pictures as PNG beside the interactive figure; no progress bars and no warnings in what is stored.
STORED = dict(PLOTLY_RENDERER='plotly_mimetype+png', TQDM_DISABLE='1', PYTHONWARNINGS='ignore',
              PYDEVD_DISABLE_FILE_VALIDATION='1')

def left_out(path):
    "(cell id, folder) of each cell that wants data which is not here: a path under shared/, or its name."
    here = Path(path).parent
    asked = re.compile(r"['\"]((?:\.\./)+shared[^'\"{]*)")
    missing = lambda source: [p for p in asked.findall(source) if not (here/p).exists()]
    names, found = {}, []
    for cell in cells(path, 'code'):
        gone = missing(cell.source)
        guarded = [names[n] for n in re.findall(r'\bif (?:full and )?\(?(\w+)\b', cell.source) if n in names]
        if gone or guarded: found.append((cell.id, (gone or guarded)[0]))
        for name, source in re.findall(r'^(\w+)\b[^=\n]*:?= *(.*shared.*)$', cell.source, re.M):
            if gone := missing(source): names[name] = gone[0]
    return found

def sharpened(data):
    "A figure's PNG at twice its size, for sharp screens, in a palette: no larger a file."
    if PLOTLY not in data or 'image/png' not in data: return data
    fig = json.loads(json.dumps(data[PLOTLY]))
    layout = fig['layout']
    picture = plotly.io.to_image({k: fig[k] for k in ('data', 'layout')}, 'png', scale=2, validate=False,
                                 width=layout.get('width', 700), height=layout.get('height', 350))
    image = Image.open(io.BytesIO(picture)).convert('RGB').quantize(COLOURS, dither=Image.Dither.NONE)
    small = io.BytesIO()
    image.save(small, 'PNG', optimize=True)
    return {**data, 'image/png': base64.b64encode(small.getvalue()).decode()}

def sharpen(nb):
    "All figures of a notebook."
    for o in (o for c in nb.cells for o in c.get('outputs', ())):
        if 'data' in o: o['data'] = nbformat.from_dict(sharpened(o['data']))

def width_of(png):
    "Pixels from left to right, from the head of a PNG."
    return int.from_bytes(base64.b64decode(png[:64])[16:20], 'big')

def execute(path):
    "Run one notebook in its own folder; it is written only if every cell ran."
    nb = nbformat.read(path, 4)
    slow = [c for c in nb.cells if c.cell_type == 'code' and c.source.startswith('#| slow')]
    for cell in slow: cell.metadata['tags'] = ['skip-execution']  # `make stress` runs these
    NotebookClient(nb, timeout=None, kernel_name='python3', extra_arguments=['--IPKernelApp.log_level=40'],
                   resources={'metadata': {'path': str(path.parent)}}).execute()
    for cell in slow: del cell.metadata['tags']
    for cell in nb.cells:  # what goes to stderr is progress bars and warnings; a bar may also be a widget
        if 'outputs' not in cell: continue
        noise = lambda o: o.get('name') == 'stderr' or WIDGET in o.get('data', {})
        cell.outputs = [o for o in cell.outputs if not noise(o)]
    nb.metadata.pop('widgets', None)
    sharpen(nb)
    nbformat.write(nb, path)
    subprocess.run([BIN/'nbdev_clean', '--fname', path], cwd=REPO, check=True)

def faults(path):
    "What is wrong with a notebook as it is stored: a list of sentences."
    nb, wrong = nbformat.read(path, 4), []
    limit = 1_000_000 if 'experiments' in path.parts else 300_000
    if path.stat().st_size > limit: wrong.append(f'it has {path.stat().st_size:,} bytes, more than {limit:,}')
    ids = [c.id for c in nb.cells]
    wrong += [f'two cells are called {i}' for i in sorted({i for i in ids if ids.count(i) > 1})]
    wrong += [f'cell {c.id} holds a conflict of git: choose a side and remove the marks' for c in nb.cells
              if re.search(r'^`*(<{7}|={7}|>{7})( |`|$)', c.source, re.M)]
    code = [c for c in nb.cells if c.cell_type == 'code']
    if code and not any(c.outputs for c in code):
        wrong.append('it is stored without outputs: run make notebooks')
    for cell in code:
        text = json.dumps(cell.outputs)
        lines = [l for l in cell.source.splitlines() if l.strip()]
        export = re.search(r'^#\|\s*export', cell.source, re.M)
        kinds = {o.output_type for o in cell.outputs}
        drawn = [o.data for o in cell.outputs if PLOTLY in o.get('data', {})]
        if not all('image/png' in d for d in drawn):
            wrong.append(f'cell {cell.id} has a figure without its PNG: store it with make notebooks')
        elif any(width_of(d['image/png']) < 2 * d[PLOTLY]['layout'].get('width', 700) for d in drawn):
            wrong.append(f'cell {cell.id} has a blurred figure: store it with make notebooks')
        if 'error' in kinds: wrong.append(f'cell {cell.id} is stored with an error')
        if re.search(r'["\' ](/root|/work|/tmp|/home|/Users)/', text):
            wrong.append(f'cell {cell.id} shows a path of the machine')
        if re.search(r'\d+%\||\bit/s\b', text): wrong.append(f'cell {cell.id} is stored with a progress bar')
        if export and len(lines) > 45:
            wrong.append(f'cell {cell.id} exports {len(lines)} lines, more than 45')
    return wrong

def main(names):
    os.environ.update(STORED)
    os.environ.setdefault('BROWSER_PATH', browser.find())  # kaleido draws the PNG with it
    if names[:1] == ['--lab']:  # what is saved there keeps its pictures, too
        os.execv(BIN/'jupyter', ['jupyter', 'lab', '--notebook-dir=nbs', *names[1:]])
    bad = 0
    for path in [Path(n).resolve() for n in names] or notebooks():
        start = time.time()
        try:
            execute(path)
            wrong = faults(path)
        except CellExecutionError as e: wrong = [re.sub(r'\x1b\[[\d;]*m', '', str(e))[-3000:]]
        bad += bool(wrong)
        said = f'{"FAILED" if wrong else "ok":6} {time.time() - start:7.1f} s  {path.name}'
        print(said, *wrong, sep='\n       ', flush=True)
    subprocess.run([BIN/'nbdev_export'], cwd=REPO, check=True)
    return bad

if __name__ == '__main__': sys.exit(main(sys.argv[1:]) > 0)
