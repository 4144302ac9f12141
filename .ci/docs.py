"""make docs: the chapters and the API as a site, in build/docs/html. Outputs are the stored ones.
Every warning of Sphinx, such as a link that leads nowhere, is an error."""
import importlib, inspect, re, shutil, subprocess, sys
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
html_show_copyright = html_show_sphinx = html_copy_source = False
suppress_warnings = ['myst.header', 'misc.highlighting_failure']
'''
CSS = '''
@media (min-width: 97em) { .content { width: 60em; } }
.cell_output img { max-width: 100%; background: #fff; border-radius: 4px; }
.cell_output table { display: block; overflow-x: auto; }
pre.mermaid { background: none; text-align: center; overflow-x: auto; }
pre.mermaid svg { min-width: 560px; }
div.content table { font-size: 90%; }
'''
DIAGRAMS = f'''
import mermaid from '{MERMAID}'
const dark = document.body.dataset.theme === 'dark' ||
  document.body.dataset.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches
mermaid.initialize({{startOnLoad: true, theme: dark ? 'dark' : 'neutral'}})
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

def page(path, end=''):
    "A notebook without directives and hidden cells, with stored outputs."
    nb = nbformat.read(path, 4)
    nb.cells = [c for c in nb.cells if not re.match(r'#\|\s*(hide|default_exp)\b', c.source)]
    for c in nb.cells:
        if c.cell_type == 'code': c.source = re.sub(r'^#\|.*\n?', '', c.source, flags=re.M)
        else: c.source = prose(c.source)
        for o in c.get('outputs', ()): o.get('data', {}).pop(PLOTLY, None)  # its PNG stands beside it
    nb.cells = [c for c in nb.cells if c.source.strip()]
    nb.cells = [c for c in nb.cells if c.source.strip() != '## Tests']  # all of them are hidden
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

def entry(name, f, level='##'):
    "One function, class or method."
    try: call = ', '.join(p for p in inspect.signature(f).parameters if p not in ('self', 'cls'))
    except (TypeError, ValueError): call = ''
    lines = [f'{level} `{name}`', '', f'```python\n{name}({call})\n```' if callable(f) else '', '',
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
