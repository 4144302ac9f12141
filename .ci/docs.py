"""make docs: the chapters and the API as a site, in build/docs/html. Outputs are the stored ones.
Every warning of Sphinx, such as a link that leads nowhere, is an error."""
import html, importlib, inspect, re, shutil, subprocess, sys
from pathlib import Path
from urllib.parse import quote

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
smartquotes = False
suppress_warnings = ['myst.header', 'misc.highlighting_failure']
'''
# The source of a diagram is an attribute: the search does not find it, and who is offline reads it.
DIAGRAMS = f'''
for (const box of document.querySelectorAll('pre.mermaid'))
  box.textContent = decodeURIComponent(box.dataset.source)
const dark = document.body.dataset.theme === 'dark' ||
  document.body.dataset.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches
const mermaid = (await import('{MERMAID}')).default
mermaid.initialize({{startOnLoad: false, theme: dark ? 'dark' : 'neutral'}})
await mermaid.run()
for (const svg of document.querySelectorAll('pre.mermaid svg'))  // on a phone its box scrolls
  if (svg.parentElement.clientWidth < 600) svg.style.minWidth = .7 * parseFloat(svg.style.maxWidth) + 'px'
'''

APP = '''<p><em>Here the notebook shows the app, which looks like this:</em></p>
<p><img src="../_images/office-recommend.webp" alt="The app: a history and its recommendations"></p>'''

def prose(text):
    "Markdown for Sphinx: diagrams are drawn by the browser, and CONTRIBUTING.md lies beside the index."
    draw = lambda m: f'```{{raw}} html\n<pre class="mermaid" data-source="{quote(m[1])}"></pre>\n```'
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

NUMBER, BLANK = re.compile(r'[-+±\d.,%×()\s]+$'), ('null', '–', '…', '')

def frame(text):
    "A table of Polars for readers: texts on the left, without quotation marks, types and shape."
    types = re.findall('<td>(.*?)</td>', text.partition('</thead>')[0])
    bare = re.sub(r'<small>shape.*?</small>|(?<=</tr>)<tr>(<td>[^<]*</td>)+</tr>(?=</thead>)', '', text)
    bare = re.sub(r'<td>(?:&quot;|\[)(.*?)(?:&quot;|\])?</td>',
                  lambda m: f'<td>{m[1].replace("&quot;", "")}</td>', bare, flags=re.S)
    bare = bare.replace('<td>null</td>', '<td>–</td>')
    rows = [re.findall('<td>(.*?)</td>', row, re.S) for row in bare.partition('<tbody>')[2].split('</tr>')]
    columns = [[x for x in c if x not in BLANK] for c in zip(*filter(None, rows))]
    def kind(cells, of):
        if all(map(NUMBER.match, cells)) and (cells or of != 'str'): return ''
        return ' class="text long"' if max(map(len, cells), default=0) > 24 else ' class="text"'
    kinds = [kind(*x) for x in zip(columns, types or [''] * len(columns))]   # types may be hidden
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
    if '<iframe' in text: data['text/html'] = APP

def without_tests(found):
    "Cells without the closing tests where all that is left of them is prose: their code is hidden."
    start = next((k for k, c in enumerate(found) if c.source.startswith('## Tests')), len(found))
    keep = [c for c in found[start:] if c.source.startswith('---')]
    return found[:start] + keep if all(c.cell_type == 'markdown' for c in found[start:]) else found

def page(path, end=''):
    "A notebook without directives and hidden cells, with stored outputs."
    nb = nbformat.read(path, 4)
    imports = [c for c in nb.cells if c.id == 'test-imports']  # folded: what follows uses them
    folded = dict(tags=['hide-input'], mystnb=dict(code_prompt_show='More imports'))
    for c in imports: c.metadata, c.outputs = folded, []
    hidden = re.compile(r'#\|\s*(hide|default_exp)\b')
    nb.cells = [c for c in nb.cells if c in imports or not hidden.match(c.source)]
    for c in nb.cells:
        if c.cell_type == 'code': c.source = re.sub(r'^#\|.*\n?', '', c.source, flags=re.M)
        else: c.source = prose(c.source)
        for o in c.get('outputs', ()): output(c, o.get('data', {}))
    nb.cells = without_tests([c for c in nb.cells if c.source.strip()])
    if end: nb.cells.append(nbformat.v4.new_markdown_cell(end))
    target = SOURCE/path.relative_to(NBS)
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, target)

def cell(text): return ' '.join(html.escape(str(text), quote=False).split()).replace('|', '\\|')

def kind(note):
    "A type as one writes it; nothing where only a default of None tells it."
    if note in (inspect.Parameter.empty, None, type(None)): return ''
    return re.sub(r'\b(?:\w+\.)+(?=\w)', '', note.__name__ if isinstance(note, type) else str(note))

def default(x, most=60):
    "A default as it is written."
    if x is inspect.Parameter.empty or '<' in repr(x) and not hasattr(x, '__name__'): return ''
    said = getattr(x, '__name__', None) or repr(x)
    return f'`{cell(said if len(said) <= most else said[:most] + "…")}`'

def documented(f):
    "{name: (type, default, meaning)} of parameters and fields; what a class does not say its base may."
    if inspect.isclass(f) and hasattr(f, 'model_fields'):
        return {n: (x.annotation, x.default if not x.is_required() else inspect.Parameter.empty,
                    x.description or '') for n, x in f.model_fields.items()}
    code = inspect.getsource(f) if inspect.isfunction(f) else ''
    stars = dict(re.findall(r'\*\*?(\w+),?\s*# *(.*)', code))   # docments leaves these out
    bases = [docments(b, full=True) for b in f.__mro__[1:-1]] if inspect.isclass(f) else []
    out = {}
    for name, p in docments(f, full=True, returns=True).items():
        said = stars.get(name) or p['docment'] or next((b[name]['docment'] for b in bases if name in b), '')
        out[name] = p['anno'], inspect.Parameter.empty if name == 'return' else p['default'], said
    return {} if set(out) - {'return'} == {'args', 'kwargs'} and not stars else out

def table(f):
    "Parameters and what comes back, from the comments beside them."
    rows = []
    for name, (note, given, said) in documented(f).items():
        if name in ('self', 'cls') or name == 'return' and not said: continue
        title = '*returns*' if name == 'return' else f'`{name}`'
        about = ' = '.join(filter(None, [cell(kind(note)), default(given)]))
        rows.append(f'| {title} | {about} | {cell(said)} |')
    return ['', '| name | type = default | meaning |', '|---|---|---|', *rows, ''] if rows else []

def value(name, x, most=110):
    "A constant as it is written, if it is short and nothing of this machine."
    said = f'{name} = {x!r}'
    plain = isinstance(x, (str, int, float, tuple, list, dict, set)) and not re.search(r'<|Path\(|\n', said)
    return said if plain and len(said) <= most and str(REPO) not in said else ''

def about(f):
    "A docstring as Markdown: command lines are code."
    text = html.escape(inspect.getdoc(f) if f.__doc__ else '', quote=False)
    fence = lambda m: f'\n```sh\n{html.unescape(m[0]).strip()}\n```\n'
    return re.sub(r'(?:^(?:tiger_|curl |git ).*\n?)+', fence, text, flags=re.M)

def entry(name, f, level='##'):
    "One function or class, with its methods."
    try: call = ', '.join(p for p in inspect.signature(f).parameters if p not in ('self', 'cls'))
    except (TypeError, ValueError): call = ''
    lines = [f'{level} `{name}`', '', f'```python\n{name}({call})\n```', '', about(f), '']
    try: lines += table(f)
    except (TypeError, ValueError, OSError): pass  # an enum, or what is written in C
    if inspect.isclass(f):
        for method in [m for m in vars(f) if not m.startswith('_')]:
            g = getattr(f, method)
            g = getattr(g, '__func__', g)
            if inspect.isfunction(g) and g.__doc__ and g.__module__.startswith('tiger_nb'):
                lines += entry(f'{name}.{method}', g, level + '#')
    return lines

def constants(found):
    "The last section of a page: short ones as they are written, the names of the others."
    said = {name: value(name, x) for name, x in found.items()}
    short = '\n'.join(filter(None, said.values()))
    long = ', '.join(f'`{name}`' for name, text in said.items() if not text)
    return ['## Constants', ''] * bool(said) + [f'```python\n{short}\n```', ''] * bool(short) + \
           [f'In the notebook: {long}.', ''] * bool(long)

def first_line(name):
    "What a module is for, without links."
    said = importlib.import_module(f'tiger_nb.{name}').__doc__ or ''
    return re.sub(r'\[(.*?)\]\(.*?\)', r'\1', said.strip().partition('\n')[0])

def reference(path):
    "The page of a notebook's module; its name, or None where there is none."
    name = style.module_of(path)
    if not name: return None
    module = importlib.import_module(f'tiger_nb.{name}')
    up = Path('..')/path.relative_to(NBS)
    first = re.sub(r'\]\((?=[\w./]+\.ipynb)', f']({up.parent}/', module.__doc__ or '')
    lines = [f'# tiger_nb.{name}', '', first, '', f'Explained in [{path.stem}]({up}).', '']
    elsewhere, plain = {}, {}
    for public in module.__all__:
        f = getattr(module, public)
        home = getattr(f, '__module__', None) or module.__name__
        if not callable(f): plain[public] = f
        elif home == module.__name__: lines += entry(public, f)
        elif home.startswith('tiger_nb.'): elsewhere.setdefault(home[9:], []).append(public)
    links = [f'- of [tiger_nb.{home}]({home}.md): ' + ', '.join(f'`{n}`' for n in names)
             for home, names in elsewhere.items()]
    if links: lines += ['## Under this name, too', '', *links, '']
    lines += constants(plain)
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
    modules = [f'| [{name}]({name}.md) | {cell(first_line(name))} |' for name in api]
    about_api = ['# API reference', '', 'One page a module, in the order of the imports.', '',
                 '| module | about |', '|---|---|', *modules, toctree(api)]
    (SOURCE/'api/index.md').write_text('\n'.join(about_api), encoding='utf-8')
    more = toctree(menu, 'Chapters') + toctree(['api/index', 'GLOSSARY', 'CONTRIBUTING'], 'Reference')
    page(NBS/'index.ipynb', more)
    for path, put in ((NBS/'GLOSSARY.md', 'GLOSSARY.md'), (REPO/'CONTRIBUTING.md', 'CONTRIBUTING.md')):
        text = path.read_text(encoding='utf-8').replace('](nbs/', '](')
        (SOURCE/put).write_text(prose(text), encoding='utf-8')
    shutil.copy(REPO/'.ci/site.css', SOURCE/'static')
    for name, text in (('conf.py', CONF), ('static/diagrams.js', DIAGRAMS)):
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
