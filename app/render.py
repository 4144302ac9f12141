"""Pieces of HTML that several tabs use. Titles are data from strangers: every text goes through `esc`.

A button carries `data-do` and what else the action needs as `data-*`; app.js changes the state and asks for
the tab again. A place with `data-part` is filled after the page is shown.
"""
from functools import wraps
from html import escape

from tiger_nb.compare import clean_text
from tiger_nb.plots import COLORS, GREY, GRID, INK, PAPER, RUST

VARIABLES = {INK: '--body-text-color', GREY: '--body-text-color-subdued', GRID: '--border-color-primary',
             PAPER: '--block-background-fill', RUST: '--rust', COLORS[0]: '--line', COLORS[5]: '--hot'}

def esc(x): return escape(str(x))

def join(make, *things): return ''.join(map(make, *things))

def count(n, thing='item'): return f'{n:,} {thing}' + ('' if n == 1 else 's')

def listed(rows, kind, tag='ul'):
    return f'<{tag} class="{kind}">' + join('<li>{}</li>'.format, rows) + f'</{tag}>'

def panel(
    *body,
    kind='',   # classes
    result='', # names of the actions whose result it shows, such as 'select prefix': a phone scrolls to it
):
    return f'<section class="panel {kind}"{shows(result)}>' + ''.join(body) + '</section>'

def shows(result): return f' data-result="{result}"' if result else ''

def header(head, small='', tools=''):
    name = f'<div><h3>{head}</h3><small>{small}</small></div>'
    return f'<header>{name}<div class="tools">{tools}</div></header>'

def note(text, kind=''): return f'<p class="note {kind}" role="status">{text}</p>'

def capital(text): return text[:1].upper() + text[1:]

def sentence(e):
    "An InputError as a sentence of the page."
    text = str(e).strip()
    return esc(capital(text).rstrip('.') + '.')

def data(**values): return join(lambda k: f' data-{k}="{esc(values[k])}"', values)

def button(do, label, text, kind='', pressed=None, **more):
    "A button with an action; `label` is what a screen reader says, `pressed` the state of one that switches."
    label = f'aria-label="{esc(label)}" title="{esc(label)}"'
    if pressed is not None: label += f' aria-pressed="{str(pressed).lower()}"'
    return f'<button type="button" class="do {kind}" data-do="{do}"{data(**more)} {label}>{text}</button>'

def field(key, label, options, value):
    "A choice that changes the state."
    chosen = lambda o: ' selected' if o == value else ''
    option = lambda o: f'<option value="{esc(o)}"{chosen(o)}>{esc(options[o])}</option>'
    box = f'<select data-key="{key}">{join(option, options)}</select>'
    return f'<label class="field">{esc(label)}{box}</label>'

def search(kind, label, hint, value=''):
    "A box that finds while one types."
    return (f'<div class="search"><label class="field">{label}<input type="search" data-find="{kind}" '
            f'placeholder="{esc(hint)}" value="{esc(value)}" maxlength="200" autocomplete="off"></label>'
            '<div class="results"></div></div>')

def later(part, text='Computing …', kind='', result=''):
    "A place that is filled when the page stands; `result` as for `panel`."
    return (f'<div class="later {kind}" data-part="{part}"{shows(result)}><p class="note waiting">{text}</p>'
            '</div>')

def needs_ids(view):
    "A view of Semantic IDs; where there are none, it says why."
    @wraps(view)
    def asked(a, s):
        if a.ids: return view(a, s)
        return dict(html=panel(note(esc(a.missing['semantic_ids']), 'warn')))
    return asked

def later_on(text):
    "The answer of a part that is not ready; app.js asks again."
    return dict(html=panel(f'<p class="note waiting">{text}</p>'), again=2, fresh=True)

def drawing(name, label, height, click='', kind='', base=''):
    "A place for a figure, with buttons that save it; `base` is 'part figure', whose first trace lies below."
    save = join(lambda f: button('save', f'Save this figure as {f.upper()}', f.upper(), 'text', format=f),
                ['png', 'svg'])
    return (f'<div class="drawing {kind}">{map_tools(name) if base else ""}'
            f'<div class="figure" role="img" aria-label="{esc(label)}" '
            f'tabindex="0" '
            f'data-figure="{name}" data-click="{click}" data-base="{base}" style="height:{height}px"></div>'
            f'<div class="tools">{save}</div></div>')

def map_tools(name):
    "Buttons above a map: how the mouse acts on all maps, and its whole again."
    tool = lambda t, label, text: button('tool', label, text, 'text', tool=t, map=name)
    lasso = tool('lasso', 'Draw a lasso around items', 'Lasso') if name.startswith('map') else ''
    return (f'<div class="tools map-tools">{tool("pan", "Move the map", "Pan")}{lasso}'
            f'{tool("reset", "Show the whole map again", "Reset")}</div>')

def csv_button(name, source='', what=''):
    "Saves a table; one that is long is asked of the part `source` when it is wanted."
    return button('csv', f'Save the table {name} as CSV', f'{what} CSV'.strip(), 'text', table=name,
                  source=source)

def table(name, frame, head='', tools='', form='.4f'):
    "A data frame as HTML with a CSV button: (html, {name: csv})."
    def cell(x):
        if x is None: return '–'
        if isinstance(x, bool): return 'yes' if x else 'no'
        if isinstance(x, float): return f'{x:{form}}'
        return ' '.join(map(str, x)) if isinstance(x, list) else str(x)
    top = join(lambda c: f'<th scope="col">{esc(c.replace("_", " "))}</th>', frame.columns)
    row = lambda r: (f'<tr><th scope="row">{esc(cell(r[0]))}</th>'
                     + join(lambda x: f'<td>{esc(cell(x))}</td>', r[1:]) + '</tr>')
    body = f'<table><thead><tr>{top}</tr></thead><tbody>{join(row, frame.rows())}</tbody></table>'
    save = csv_button(name)
    head = header(head, '', tools + save) if head else f'<div class="tools">{save}</div>'
    wide = f'<div class="wide" tabindex="0" role="region" aria-label="{esc(name)}">{body}</div>'
    return head + wide, {name: csv(frame)}

def csv(frame):
    "A data frame as CSV; a text that a spreadsheet would compute begins with an apostrophe."
    import polars as pl
    text = pl.element().cast(pl.String)
    frame = frame.with_columns(pl.col(pl.List(pl.Int64)).list.eval(text).list.join(' '))
    risky = pl.col(pl.String).str.replace(r'^([=+\-@\t\r])', "'$1")
    return frame.with_columns(risky).write_csv()

# ---- items --------
def chips(codes, kind=lambda l: 'shared'):
    return '<span class="sid">' + join(lambda l, c: f'<span class="{kind(l)}">{"*" if c < 0 else c}</span>',
                                       range(len(codes)), codes) + '</span>'

def semantic_id(a, i, shared=0):
    "The codes of an item; the first `shared` stand out, the collision digit stands back."
    if a.ids is None: return ''
    n = a.ids.learned.shape[1]
    return chips(a.ids.codes[i].tolist(), lambda l: 'digit' if l >= n else 'shared' if l < shared else '')

def item(a, i, shared=0, before='', after=''):
    "Title over category or brand, key and Semantic ID; a click selects it."
    key = a.keys[i] if a.keys[i] != a.titles[i] else ''
    facts = [clean_text(a.field(i, 'categories') or a.field(i, 'brand')), f'#{i}' if key == str(i) else key]
    facts = join(lambda t: f'<span>{esc(t)}</span>', filter(None, facts))
    new = i == a.new    # its page is the tab where it was typed
    act = 'data-do="tab" data-tab="newitem"' if new else f'data-do="select" data-item="{i}"'
    title = f'<button type="button" class="title" {act}>{esc(a.titles[i])}'
    facts = f'<div class="facts">{semantic_id(a, i, shared)}{facts}</div>'
    return f'<div class="item">{before}{title}</button>{after}{facts}</div>'

def add(a, i):
    "A button that adds an item to the history; the networks have never seen a new one there."
    if i == a.new: return ''
    return button('add', f'Add to the history: {a.titles[i]}', '+', item=i)

def found_items(a, query, do='select'):
    "What an item search found."
    if not query.strip(): return ''
    hits = a.find_items(query)
    if not hits and a.prefix_of(query): return note(f'No item begins with {chips(a.prefix_of(query))}.')
    if not hits:
        where = 'title, key or brand' if a.dataset.has_text else 'key; this data folder has no titles'
        return note(f'No item has “{esc(query.strip())}” in its {where}.')
    row = lambda i: (f'<span class="name">{esc(a.titles[i])}</span>{semantic_id(a, i)}')
    verb = 'Add' if do == 'add' else 'Show'
    rows = [button(do, f'{verb} {a.titles[i]}', row(i), 'row', item=i) if i != a.new else
            button('tab', f'Show {a.titles[i]}, your new item', row(i), 'row', tab='newitem')
            for i in hits if i != a.new or do == 'select']
    prefix = a.prefix_of(query)
    if prefix and do == 'select':
        n = count(len(a.with_prefix(prefix)))
        rows.insert(0, button('prefix', 'Light these items on the map', f'Light all {n} with {chips(prefix)}',
                              'row', prefix=','.join(map(str, prefix))))
    return listed(rows, 'found')

def found_users(a, query):
    "What a user search found."
    if not query.strip(): return ''
    hits = a.find_users(query)
    if not hits:
        return note(f'No user with three or more events has “{esc(query.strip())}” as number or key.')
    row = lambda e: (f'<span>{esc(capital(a.user_name(e)))}</span>'
                     f'<span class="count">{count(len(a.history(e)))}</span>')
    return listed([button('user', f'Show {a.user_name(e)}', row(e), 'row', user=e) for e in hits], 'found')

def card(a, i, near=True):
    "What is known of the selected item, and its nearest by vector."
    if i is None: return panel(header('No item is selected'), note('Click a point or a title, or search.'),
                               kind='card', result='select')
    known = [('Brand', a.field(i, 'brand')), ('Category', a.field(i, 'categories')), ('Key', a.keys[i]),
             ('Bought', f'{count(int(a.bought[i]), "time")} in training')]
    facts = join(lambda p: f'<dt>{p[0]}</dt><dd>{esc(clean_text(str(p[1])))}</dd>',
                 [p for p in known if p[1]])
    if a.ids: facts = f'<dt>Semantic ID</dt><dd>{semantic_id(a, i)}</dd>' + facts
    about = clean_text(a.field(i, 'description'))
    about = f'<p class="about">{esc(about)}</p>' if about else ''
    tools = button('add', f'Add to the history: {a.titles[i]}', 'Add to the history', 'main', item=i)
    rows = [item(a, j, before=f'<span class="score">{c:.2f}</span>') for j, c in
            (a.near(a.vectors[i], 10, i) if near and a.vectors is not None else [])]
    if rows: rows = f'<h4>Ten nearest by vector {csv_button("near", "maps.near")}</h4>{listed(rows, "list")}'
    return (f'<section class="panel card" data-item="{i}" data-result="select"><h3>{esc(a.titles[i])}</h3>'
            f'<dl>{facts}</dl>{about}{tools}{rows or ""}</section>')

def figures(**made):
    "Figures as JSON, ready for a view."
    return {name: fig.to_json() for name, fig in made.items()}
