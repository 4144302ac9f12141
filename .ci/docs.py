"""make docs: the chapters and the API as a site, in build/docs/html. Outputs are the stored ones.
Every warning of Sphinx, such as a link that leads nowhere, is an error."""
import html, importlib, inspect, re, shutil, subprocess, sys
from pathlib import Path

import nbformat
from fastcore.docments import docments

import style

REPO, NBS = style.REPO, style.NBS
OUT = REPO/'build/docs'
SOURCE, SITE = OUT/'source', OUT/'html'
PLOTLY = 'application/vnd.plotly.v1+json'
MERMAID = 'https://cdn.jsdelivr.net/npm/mermaid@11/dist/mermaid.esm.min.mjs'
CONF = '''
project, author, html_title = 'tiger_nb', 'tiger_nb', 'tiger_nb'
extensions = ['myst_nb']
nb_execution_mode = 'off'
nb_merge_streams = True
myst_enable_extensions = ['dollarmath', 'amsmath']
myst_heading_anchors = 3
html_theme = 'furo'
html_static_path = ['static']
html_css_files = ['site.css']
html_js_files = [('diagrams.js', dict(type='module'))]
html_show_copyright = html_show_sphinx = html_copy_source = html_use_index = False
pygments_dark_style = 'github-dark'
suppress_warnings = ['myst.header', 'misc.highlighting_failure']
'''
CSS = '''
/* beside the menu there is room for code of 110 columns; prose stays narrow */
@media (min-width: 67em) {
  .sidebar-drawer { flex: none; width: max(15em, 50% - 38em); }
  .main { min-width: 0; }
  .content { flex: 1; width: auto; min-width: 0; max-width: 60em; padding: 0 2.5em; }
  article :is(p, ul, ol, blockquote) { max-width: 46em; }
}
.cell_output img { max-width: 100%; height: auto; background: #fff; border-radius: 4px; }
.cell_output table { display: block; overflow-x: auto; width: fit-content; max-width: 100%; border: 0;
  border-collapse: collapse; }
.cell_output :is(th, td) { border: 0; border-bottom: 1px solid var(--color-table-border);
  padding: .25rem .6rem; text-align: right; white-space: nowrap; }
.cell_output :is(th, td).text { text-align: left; white-space: normal; min-width: 8em; }
.cell_output :is(thead td, small) { color: var(--color-foreground-secondary); font-size: 85%; }
pre.mermaid { background: none; text-align: center; overflow-x: auto; }
div.content table { font-size: 90%; }
'''
DIAGRAMS = f'''
import mermaid from '{MERMAID}'
const dark = document.body.dataset.theme === 'dark' ||
  document.body.dataset.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches
mermaid.initialize({{startOnLoad: false, theme: dark ? 'dark' : 'neutral'}})
await mermaid.run()
for (const svg of document.querySelectorAll('pre.mermaid svg'))  // on a phone its box scrolls
  if (svg.parentElement.clientWidth < 600) svg.style.minWidth = .7 * parseFloat(svg.style.maxWidth) + 'px'
'''

def prose(text):
    "Markdown for Sphinx: diagrams are drawn by the browser, and CONTRIBUTING.md lies beside the index."
    draw = lambda m: f'```{{raw}} html\n<pre class="mermaid">\n{m[1].replace("<", "&lt;")}</pre>\n```'
    return re.sub(r'^```mermaid\n(.*?)^```$', draw, text, flags=re.M | re.S).replace('](../CONTRIBUTING',
                                                                                    '](CONTRIBUTING')

def toctree(entries, caption='', depth=1, hidden=True):
    "A list of pages: the menu of the site."
    options = [f':caption: {caption}'] * bool(caption) + [f':maxdepth: {depth}'] + [':hidden:'] * hidden
    return '\n'.join(['', '```{toctree}', *options, '', *entries, '```', ''])

def chapters():
    "{folder: its notebooks}, in teaching order."
    out = {}
    for path in style.notebooks():
        if path.parent != NBS: out.setdefault(path.parent, []).append(path)
    return out

NUMBER = re.compile(r'[-+±\d.,%×()\s]*$')

def frame(text):
    "A table of Polars for readers: texts on the left, without quotation marks."
    bare = re.sub(r'<td>&quot;(.*?)(?:&quot;)?</td>', r'<td>\1</td>', text, flags=re.S)
    rows = [re.findall('<td>(.*?)</td>', row, re.S) for row in bare.partition('<tbody>')[2].split('</tr>')]
    columns = list(zip(*filter(None, rows)))
    kinds = [' class="text"' * any(not NUMBER.match(x) for x in c if x != 'null') for c in columns]
    def row(found):
        at = iter(kinds)
        return re.sub('<(t[hd])>', lambda m: f'<{m[1]}{next(at, "")}>', found[0])
    return re.sub('<tr>.*?</tr>', row, bare, flags=re.S)

def picture(layout):
    "What an image says and how wide it is, from a figure's layout."
    title = html.unescape(re.sub('<.*?>', ' ', layout.get('title', {}).get('text', '')))
    return dict(image=dict(alt=title or 'A figure', width=f'{layout.get("width", 700)}px'))

def output(c, data):
    "One stored output for the site: a figure as a picture, a table in its style, no frame of an app."
    figure = data.pop(PLOTLY, None)  # its PNG stands beside it
    if figure and 'image/png' in data: c.metadata['mystnb'] = picture(figure['layout'])
    text = data.get('text/html', '')
    if 'class="dataframe"' in text: data['text/html'] = frame(text)
    if '<iframe' in text: data['text/html'] = '<p><em>Here the notebook shows the app.</em></p>'

def without_tests(found):
    "Cells without the closing tests where all that is left of them is prose: their code is hidden."
    start = next((k for k, c in enumerate(found) if c.source.startswith('## Tests')), len(found))
    keep = [c for c in found[start:] if c.source.startswith('---')]
    return found[:start] + keep if all(c.cell_type == 'markdown' for c in found[start:]) else found

def page(path, end=''):
    "A notebook without directives and hidden cells, with stored outputs."
    nb = nbformat.read(path, 4)
    nb.cells = [c for c in nb.cells if not re.match(r'#\|\s*(hide|default_exp)\b', c.source)]
    for c in nb.cells:
        if c.cell_type == 'code': c.source = re.sub(r'^#\|.*\n?', '', c.source, flags=re.M)
        else: c.source = prose(c.source)
        for o in c.get('outputs', ()): output(c, o.get('data', {}))
    nb.cells = without_tests([c for c in nb.cells if c.source.strip()])
    if end: nb.cells.append(nbformat.v4.new_markdown_cell(end))
    target = SOURCE/path.relative_to(NBS)
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, target)

def cell(text): return ' '.join(str(text).split()).replace('|', '\\|')

def kind(note):
    "A type as one writes it."
    if note is inspect.Parameter.empty or note is None: return ''
    return re.sub(r'\b(?:\w+\.)+(?=\w)', '', note.__name__ if isinstance(note, type) else str(note))

def table(f):
    "Parameters and what comes back, from the comments beside them."
    rows = []
    for name, p in docments(f, full=True, returns=True).items():
        if name in ('self', 'cls') or name == 'return' and not p['docment']: continue
        empty = p['default'] is inspect.Parameter.empty
        default = '' if empty or name == 'return' else f'`{cell(repr(p["default"]))[:60]}`'
        title = '*returns*' if name == 'return' else f'`{name}`'
        rows.append(f'| {title} | {cell(kind(p["anno"]))} | {default} | {cell(p["docment"] or "")} |')
    return ['', '| name | type | default | meaning |', '|---|---|---|---|', *rows, ''] if rows else []

def value(name, x, most=200):
    "A constant as it is written, if it is short and nothing of this machine."
    said = f'{name} = {x!r}'
    plain = isinstance(x, (str, int, float, tuple, list, dict, set)) and not re.search(r'<|Path\(|\n', said)
    return said if plain and len(said) <= most and str(REPO) not in said else ''

def entry(name, f, level='##'):
    "One function, class or method."
    try: call = ', '.join(p for p in inspect.signature(f).parameters if p not in ('self', 'cls'))
    except (TypeError, ValueError): call = ''
    said = f'{name}({call})' if callable(f) else value(name, f)
    lines = [f'{level} `{name}`', '', said and f'```python\n{said}\n```', '',
             inspect.getdoc(f) if callable(f) and f.__doc__ else '', '']
    if callable(f):
        try: lines += table(f)
        except (TypeError, ValueError, OSError): pass  # an enum, or what is written in C
    if inspect.isclass(f):
        for method, g in vars(f).items():
            g = getattr(g, '__func__', g)
            if not method.startswith('_') and inspect.isfunction(g) and g.__doc__:
                lines += entry(f'{name}.{method}', g, level + '#')
    return lines

def reference(path):
    "The page of a notebook's module; its name, or None where there is none."
    name = style.module_of(path)
    if not name: return None
    module = importlib.import_module(f'tiger_nb.{name}')
    up = Path('..')/path.relative_to(NBS)
    about = re.sub(r'\]\((?=[\w./]+\.ipynb)', f']({up.parent}/', module.__doc__ or '')
    lines = [f'# tiger_nb.{name}', '', about, '', f'Explained in [{path.stem}]({up}).', '']
    for public in module.__all__:
        f = getattr(module, public)
        if getattr(f, '__module__', module.__name__) == module.__name__: lines += entry(public, f)
    (SOURCE/'api'/f'{name}.md').write_text('\n'.join(lines), encoding='utf-8')
    return name

def write():
    "All that Sphinx reads."
    shutil.rmtree(OUT, ignore_errors=True)
    for folder in ('api', 'static'): (SOURCE/folder).mkdir(parents=True)
    for path in NBS.rglob('*'):  # pictures and records that pages show or link
        if path.suffix in ('.png', '.webp', '.json') and '.' not in path.relative_to(NBS).parts[0]:
            (SOURCE/path.relative_to(NBS)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, SOURCE/path.relative_to(NBS))
    menu, api = [], []
    for folder, paths in chapters().items():
        for path in paths: page(path)
        text = (folder/'README.md').read_text(encoding='utf-8')
        names = [p.stem for p in paths]
        (SOURCE/folder.name/'README.md').write_text(prose(text) + toctree(names), encoding='utf-8')
        menu.append(f'{folder.name}/README')
        api += filter(None, map(reference, paths))
    (SOURCE/'api/index.md').write_text('# API reference\n\nOne page a module, in the order of the imports.\n'
                                       + toctree(api, hidden=False), encoding='utf-8')
    more = toctree(menu, 'Chapters') + toctree(['api/index', 'GLOSSARY', 'CONTRIBUTING'], 'Reference')
    page(NBS/'index.ipynb', more)
    for path, put in ((NBS/'GLOSSARY.md', 'GLOSSARY.md'), (REPO/'CONTRIBUTING.md', 'CONTRIBUTING.md')):
        text = path.read_text(encoding='utf-8').replace('](nbs/', '](')
        (SOURCE/put).write_text(prose(text), encoding='utf-8')
    for name, text in (('conf.py', CONF), ('static/site.css', CSS), ('static/diagrams.js', DIAGRAMS)):
        (SOURCE/name).write_text(text, encoding='utf-8')

def build():
    "The site; an error with what Sphinx complains of."
    write()
    command = sys.executable, '-m', 'sphinx', '-q', '-W', '--keep-going', '-j', 'auto', SOURCE, SITE
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode: raise RuntimeError((done.stdout + done.stderr)[-6000:])

if __name__ == '__main__':
    try: build()
    except RuntimeError as e: sys.exit(str(e))
    print(f'file://{SITE}/index.html')
