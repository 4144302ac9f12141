"""README.md from nbs/index.ipynb, as it is stored: pictures as files in nbs/index_files, results fenced."""
import posixpath, re, shutil
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter
from traitlets.config import Config

REPO = Path(__file__).resolve().parents[1]
PICTURES, PLOTLY = 'nbs/index_files', 'application/vnd.plotly.v1+json'
NOTE = '<!-- Rendered from nbs/index.ipynb by `make readme`: edit that notebook, not this file. -->\n\n'
FENCED = """{% extends 'markdown/index.md.j2' %}
{% block input %}{% if cell.source %}
```python
{{ cell.source }}
```
{% endif %}{% endblock %}
{% block stream %}
```text
{{ output.text | strip_ansi | trim }}
```
{% endblock %}
{% block data_text %}
```text
{{ output.data['text/plain'] | trim }}
```
{% endblock %}
{% block data_png %}
![{{ output.metadata.alt }}]({{ output.metadata.filenames['image/png'] }})
{% endblock %}"""

def relink(source):
    "Relative links of a notebook in nbs/ as seen from the root of the repository."
    seen = lambda m: '](' + posixpath.normpath(f'nbs/{m[1]}')
    return re.sub(r'\]\((?![a-z]+:|[#/])([^)\s]+)', seen, source)

def at_root(code):
    "Code of a notebook in nbs/ as it runs at the root of the repository."
    return code.replace("'../", "'").replace("'experiments/", "'nbs/experiments/")

def blocks(text):
    "The Python of a README, one program."
    return '\n'.join(re.findall(r'^```python\n(.*?)^```$', text, re.M | re.S))

def shown(cell):
    "The cell without its directives, or None if it is hidden."
    if cell.cell_type == 'markdown': return nbformat.from_dict({**cell, 'source': relink(cell.source)})
    lines = cell.source.splitlines()
    flags = {re.sub(r'\s+', '', l.strip()[2:]) for l in lines if re.match(r'\s*#\|', l)}
    if cell.cell_type != 'code' or flags & {'hide', 'include:false'}: return None
    code = at_root('\n'.join(l for l in lines if not re.match(r'\s*#\|', l)).strip())
    for o in cell.outputs:  # a picture is called by its title
        title = o.get('data', {}).get(PLOTLY, {}).get('layout', {}).get('title', {})
        o.get('metadata', {})['alt'] = title.get('text', '')
    return nbformat.from_dict({**cell, 'source': '' if 'echo:false' in flags else code,
                               'outputs': [] if 'output:false' in flags else cell.outputs})

def render(repo=REPO):
    "Write README.md and its pictures; the same notebook gives the same bytes."
    nb = nbformat.read(repo/'nbs/index.ipynb', 4)
    nb.cells = [c for c in map(shown, nb.cells) if c is not None]
    config = Config(NbConvertBase={'display_data_priority': ['image/png', 'text/markdown', 'text/plain']})
    exporter = MarkdownExporter(raw_template=FENCED, config=config)
    body, found = exporter.from_notebook_node(nb, {'unique_key': 'index', 'output_files_dir': PICTURES})
    shutil.rmtree(repo/PICTURES, ignore_errors=True)
    for name, data in found['outputs'].items():
        (repo/name).parent.mkdir(parents=True, exist_ok=True)
        (repo/name).write_bytes(data)
    (repo/'README.md').write_text(NOTE + re.sub(r'\n{3,}', '\n\n', body).strip() + '\n', encoding='utf-8')

if __name__ == '__main__': render()
