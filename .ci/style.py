"""The rules of the house that a reader sees: order of imports, links, lines and the length of cells.
Each function returns sentences, one for each thing that is wrong.
`.venv/bin/python .ci/style.py` prints them all; with --ways it writes the notebooks' last cells anew."""
import ast, io, json, re, statistics, subprocess, sys, tokenize
from functools import cache
from os.path import relpath
from pathlib import Path
from urllib.parse import unquote

import nbformat

REPO = Path(__file__).resolve().parents[1]
NBS = REPO/'nbs'
WIDTH, MEDIAN, MODULE = 110, 10, 250  # columns; lines of export cells and of an app module
LAST = ['bench', 'experiments', '']  # folders that come after the chapters; '' holds the index

def place(path):
    "Sorts notebooks into teaching order: chapters, bench, experiments, index; by number within a folder."
    folder = '' if path.parent == NBS else path.parent.name
    chapter = (1, LAST.index(folder)) if folder in LAST else (0, int(folder.split('_')[0]))
    number = re.match(r'\d+', path.stem)
    return *chapter, int(number[0]) if number else 0, path.stem

def notebooks():
    "All notebooks in teaching order."
    paths = [p.relative_to(NBS) for p in NBS.rglob('*.ipynb')]
    return sorted((NBS/p for p in paths if not any(part[0] in '._' for part in p.parts)), key=place)

def cells(path, kind):
    "The cells of one kind."
    return [c for c in nbformat.read(path, 4).cells if c.cell_type == kind]

def name(path, cell=None):
    "How a sentence calls a notebook and one of its cells."
    return str(path.relative_to(REPO)) + (f', cell {cell.id}' if cell else '')

def is_export(cell): return bool(re.search(r'^#\|\s*exports?\b', cell.source, re.M))

def plain(cell):
    "Python without the magics of Jupyter, line by line as before."
    if cell.source.startswith('%%'): return ''
    return '\n'.join('#' + l[1:] if l[:1] in ('%', '!') else l for l in cell.source.splitlines())

@cache
def module_of(path):
    "The module that a notebook exports, or None."
    for cell in cells(path, 'code'):
        if found := re.search(r'^#\|\s*default_exp\s+(\S+)', cell.source, re.M): return found[1]

def defines(module, what):
    "Is there a class or function of that name in a module?"
    path = REPO/f'tiger_nb/{module}.py'
    code = path.read_text(encoding='utf-8') if path.exists() else ''
    return bool(re.search(rf'^(class|def) {what}\b', code, re.M))

def imported(source):
    "(module, name) of what code imports from tiger_nb, in functions and in programs kept as text too."
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((a.name[9:], '') for a in node.names if a.name.startswith('tiger_nb.'))
        elif isinstance(node, ast.ImportFrom) and node.module == 'tiger_nb':
            yield from ((a.name, '') for a in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or '').startswith('tiger_nb.'):
            yield from ((node.module[9:], a.name) for a in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if found := re.fullmatch(r'([a-z]\w*):(\w+)', node.value):
                if defines(*found.groups()): yield found[1], ''
            yield from ((m, '') for m in re.findall(r'^\s*from tiger_nb\.([\w.]+) import', node.value, re.M))

def places(paths):
    "Which of the notebooks defines a module, or a name that stands in the package itself."
    at = {module_of(p): i for i, p in enumerate(paths)}
    at['bench'] = at.get('bench.bench', 0)
    inside = ast.parse((REPO/'tiger_nb/__init__.py').read_text(encoding='utf-8'))
    short = next(n.value for n in inside.body if isinstance(n, ast.Assign) and n.targets[0].id == '_PLACES')
    return at | {k.arg: at[k.value.value] for k in short.keywords}

def order():
    "Exports, demonstrations and tests use only what stands before; private names stay in their module."
    paths, wrong = notebooks(), []
    at = places(paths)
    for i, path in enumerate(paths):
        for cell in cells(path, 'code'):
            for module, what in imported(plain(cell)):
                if module not in at and not module.startswith('app'):
                    wrong.append(f'{name(path, cell)} uses {module}, which no notebook defines')
                elif at.get(module, -1) > i:
                    later = name(paths[at[module]])
                    wrong.append(f'{name(path, cell)} uses {module}, which comes later in {later}')
                if what.startswith('_') and at.get(module) != i:
                    wrong.append(f'{name(path, cell)} imports the private name {what} of {module}')
    return wrong

LINK = re.compile(r'\[[^\]\[]*\]\(([^)\s]+)\)')
MENTION = re.compile(r'`\d{1,3}[a-e]?_[a-z_]+`|\bnotebooks? \d+\b'
                     r'|\b(?:next|previous|last|later|earlier)(?: \w+)? notebooks?\b',
                     re.I)

def texts():
    "(file, what to call it, Markdown) of every text that may name a notebook."
    for path in [*REPO.glob('*.md'), REPO/'data/README.md', *NBS.rglob('*.md')]:
        yield path, name(path), path.read_text(encoding='utf-8')
    for path in notebooks():
        for cell in cells(path, 'markdown'): yield path, name(path, cell), cell.source

def links():
    "Every link leads to a file, and whoever mentions a notebook links it."
    wrong = []
    for path, where, text in texts():
        text = re.sub(r'^```.*?^```', '', text, flags=re.M | re.S)
        for target in LINK.findall(text):
            if re.match(r'[a-z]+:|#', target): continue
            if not (path.parent/unquote(target.split('#')[0])).exists():
                wrong.append(f'{where} links to {target}, which is not there')
        for found in MENTION.findall(LINK.sub('', text)):
            wrong.append(f"{where} mentions {found.strip('`')} without a link")
        for found in re.findall(r'nbs/[\w/]+\.ipynb', text):
            if not (REPO/found).exists(): wrong.append(f'{where} names {found}, which is not there')
    return wrong

@cache
def functions():
    "{command: its function} of those in settings.ini."
    names = re.findall(r'^ +(tiger_\w+)=', (REPO/'settings.ini').read_text(encoding='utf-8'), re.M)
    modules = [ast.parse(p.read_text(encoding='utf-8')) for p in (REPO/'tiger_nb').rglob('*.py')]
    found = [f for m in modules for f in m.body if isinstance(f, ast.FunctionDef)]
    return {f.name: f for f in found if f.name in names}

def options(command):
    "The options of a command, by the parameters of its function; None if there is no such command."
    f = functions().get(command)
    return f and {'--' + a.arg.replace('_', '-') for a in f.args.args} | {'--help'}

def examples():
    "Every command that prose or a docstring shows is there, with each of its options."
    modules = [(p, p.name, p.read_text(encoding='utf-8')) for p in (REPO/'tiger_nb').rglob('*.py')]
    targets = re.findall(r'^([a-z]+):', (REPO/'Makefile').read_text(encoding='utf-8'), re.M)
    wrong = []
    for _, where, text in [*texts(), *modules]:
        shown = re.findall(r'(?:^|`)make ([a-z]+)(?=[` ]|$)', text, re.M)
        wrong += [f'{where} shows make {t}, which the Makefile lacks' for t in shown if t not in targets]
        for command, rest in re.findall(r'(?:^ *|`)(tiger_[a-z]+)((?: [^`\n#]+)?)', text, re.M):
            known, used = options(command), set(re.findall(r'(?<= )--[a-z][a-z-]*', rest))
            if known is None: lacking = ['any option'] if used else []
            else: lacking = [o for o in used if not {o, o.replace('--no-', '--')} & known]
            wrong += [f'{where} shows {command} with {o}, which it lacks' for o in sorted(lacking)]
    return wrong

def diagrams():
    "Mermaid takes punctuation in a label for syntax unless it is quoted; GitHub then shows an error instead."
    label = re.compile(r'\[([^\]"]*)\]|\|([^|"]*)\||\{([^}"]*)\}')
    blocks = [(where, block) for _, where, source in texts()
              for block in re.findall(r'^```mermaid\n(.*?)^```', source, re.M | re.S)]
    return [f'{where}: in a Mermaid diagram put the label {text!r} in double quotes'
            for where, block in blocks
            for found in label.findall(block) for text in found if set(text) & set('@()<>{}[]#;&`~')]

def wide(source, where):
    "Lines that are too long."
    return [f'{where} line {i} has {len(l)} columns, more than {WIDTH}'
            for i, l in enumerate(source.splitlines(), 1) if len(l) > WIDTH]

def faults(source, where):
    "Lines that are too long, semicolons, and arrows not written `)->T:`."
    wrong = wide(source, where)
    for t in tokenize.generate_tokens(io.StringIO(source).readline):
        if t.type != tokenize.OP: continue
        around = t.line[t.start[1] - 1:t.end[1] + 1]
        at = f'{where} line {t.start[0]}'
        if t.string == ';': wrong.append(f'{at} has a semicolon; write one statement a line')
        if t.string == '->' and ' ' in around: wrong.append(f'{at}: write the arrow as )->T:')
    return wrong

def lines():
    "Code is at most 110 columns wide, one statement a line; a module of the app has at most 250 lines."
    wrong = [f for p in notebooks() for c in cells(p, 'code') for f in faults(plain(c), name(p, c))]
    for p in sorted([REPO/'setup.py', *(REPO/'.ci').glob('*.py'), *(REPO/'app').glob('*.*')]):
        text = p.read_text(encoding='utf-8')
        wrong += faults(text, name(p)) if p.suffix == '.py' else wide(text, name(p))
        n = len(text.splitlines())
        if p.parent.name == 'app' and p.suffix in ('.py', '.js') and n > MODULE:
            wrong.append(f'{name(p)} has {n} lines, more than {MODULE}')
    return wrong

def export_lengths(path):
    "Lines of each export cell, without directives and empty lines."
    shown = [[l for l in c.source.splitlines() if l.strip() and not l.startswith('#|')]
             for c in cells(path, 'code') if is_export(c)]
    return [len(s) for s in shown]

def medians():
    "The median export cell of the house is short; `notebooks.py` limits the longest."
    middle = statistics.median(n for p in notebooks() for n in export_lengths(p))
    return [f'the median export cell has {middle:g} lines, more than {MEDIAN}'] if middle > MEDIAN else []

ASSERTION = re.compile(r'(?:^|[;:])\s*(?:assert\b|test_\w+\()', re.M)
SEEN = 4  # assertions in a cell of a lesson

def walls():
    "Lessons keep the assertions that the text speaks of; the others stand hidden in a closing 'Tests'."
    wrong = []
    for path in notebooks():
        tests = False
        for cell in nbformat.read(path, 4).cells:
            tests |= cell.cell_type == 'markdown' and cell.source.startswith('## Tests')
            shown = cell.cell_type == 'code' and not is_export(cell) and cell.id != 'exercises'
            if shown and not tests and not re.search(r'^#\|\s*hide\b', cell.source, re.M):
                n = len(ASSERTION.findall(cell.source))
                if n > SEEN: wrong.append(f"{name(path, cell)} shows {n} assertions, more than {SEEN}; "
                                          "move some to the closing 'Tests'")
    return wrong

def orphans():
    "Each module says which notebook it is exported from; a notebook that is gone leaves its module behind."
    wrong = []
    for path in sorted((REPO/'tiger_nb').rglob('*.py')):
        if path.name.startswith('_'): continue
        source = re.search(r'File to edit: (\S+\.ipynb)', path.read_text(encoding='utf-8'))
        if not (source and (path.parent/source[1]).exists()):
            wrong.append(f'{name(path)} has no notebook: remove it')
    return wrong

@cache
def title(path):
    "The first heading."
    return re.match(r'#+ *(.*)', cells(path, 'markdown')[0].source)[1]

TRACK = [NBS/f'{p}.ipynb' for p in (
    '2_evaluation/2_sample', '2_evaluation/1_evaluation', '5_semantic_ids/1_quantizers',
    '5_semantic_ids/5_semantic_ids', '6_models/4_tiger', '7_decoding/2_decoding',
    '8_recommender/2_recommender')]

OWN = NBS/'experiments/own_data.ipynb'

def way(paths, at):
    "How the notebook `paths[at]` ends: links to the next one, and to those whose modules it imports."
    path, following = paths[at], (paths + [NBS/'index.ipynb'])[at + 1]
    link = lambda p, text=None: f'[{text or title(p)}]({relpath(p, path.parent)})'
    where = places(paths)
    used = sorted({where[m] for c in cells(path, 'code') for m, _ in imported(plain(c)) if m in where} - {at})
    ending = f"---\n\n**Next:** {link(following, 'the overview' if following.stem == 'index' else None)}."
    if path in TRACK[:-1]: ending += f' **On the short track:** {link(TRACK[TRACK.index(path) + 1])}.'
    if path == TRACK[-1]: ending += f" The short track ends here; your own shop is next: {link(OWN)}."
    return ending + (f" **Uses:** {', '.join(link(paths[i]) for i in used)}." if used else '')

def ways(write=False):
    "Each notebook ends with its way on; chapters' READMEs list theirs in order, the index all."
    paths, wrong = notebooks(), []
    index = '\n'.join(c.source for c in cells(NBS/'index.ipynb', 'markdown'))
    for at, path in enumerate(paths[:-1]):
        nb, ending = nbformat.read(path, 4), way(paths, at)
        if write and nb.cells[-1].id == 'way' and nb.cells[-1].source != ending:
            nb.cells[-1].source = ending
            plain = json.loads(nbformat.writes(nb, version=4))
            text = json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True)
            path.write_text(text + '\n', encoding='utf-8')
        if nb.cells[-1].source != ending: wrong.append(f'{name(path)} has to end with:\n{ending}')
        if path.parent != NBS and f']({path.relative_to(NBS)})' not in index:
            wrong.append(f'nbs/index.ipynb does not list {path.relative_to(NBS)}')
    for readme in NBS.glob('*/README.md'):
        listed = re.findall(r'^\|.*?\]\(([\w.]+\.ipynb)\)', readme.read_text(encoding='utf-8'), re.M)
        there = [p.name for p in paths if p.parent == readme.parent]
        if listed != there: wrong.append(f"{name(readme)} has to list, in this order: {', '.join(there)}")
    return wrong

def said(tool, *args):
    "What a checker of code finds; its rules, and the reason of each exception, are in pyproject.toml."
    command = [sys.executable, '-m', tool, *args, *(['-r'] if tool == 'bandit' else []), *CODE]
    run = subprocess.run(command, cwd=REPO, capture_output=True, text=True)
    return (run.stdout + run.stderr).splitlines() if run.returncode else []

CODE = 'tiger_nb', 'app', '.ci', 'setup.py'

def ruff():
    "No unused or undefined name, no known trap, no hole, no `except` that swallows everything."
    return said('ruff', 'check', '--no-cache', '--quiet', '--output-format', 'concise')

def bandit():
    "No hole that bandit knows."
    form = '{relpath}:{line}: {test_id} {msg}'
    return said('bandit', '-q', '-c', 'pyproject.toml', '-f', 'custom', '--msg-template', form)

CHECKS = {'what is used stands before': order, 'links and mentions of notebooks': links,
          'commands that are shown': examples,
          'labels of diagrams': diagrams, 'each notebook leads to the next': ways,
          'lines of code': lines, 'length of export cells': medians, 'assertions in sight': walls,
          'no module without its notebook': orphans, 'ruff: F, B, BLE, S': ruff, 'bandit': bandit}

def main():
    if '--ways' in sys.argv: ways(write=True)
    wrong = dict.fromkeys(w for check in CHECKS.values() for w in check())
    print(*wrong, f'{len(wrong)} faults', sep='\n')
    return bool(wrong)

if __name__ == '__main__': sys.exit(main())
