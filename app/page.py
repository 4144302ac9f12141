"The page itself: its layout, and what happens when something is clicked or typed. State holds ids only; tables and models live in `Artefacts`."
import json, os, socket
from pathlib import Path

os.environ.setdefault('GRADIO_ANALYTICS_ENABLED', 'False')   # read when gradio is imported
import gradio as gr
import plotly

from tiger_nb.dataset import sample_folder
from tiger_nb.files import InputError
from tiger_nb.evaluation import table
from tiger_nb.plots import COLORS, GREY, GRID, INK, PAPER, RUST, code_usage, item_map

from . import render
from .artefacts import MODELS, Artefacts

HERE = Path(__file__).parent
PLOTLY = Path(plotly.__file__).parent/'package_data/plotly.min.js'
FONT = ['Inter', 'Segoe UI', 'Helvetica Neue', 'Arial', 'DejaVu Sans', 'sans-serif']          # what is installed; nothing is fetched
MONO = ['SF Mono', 'Consolas', 'Menlo', 'DejaVu Sans Mono', 'monospace']
WAITING = 32                                                                                  # requests that may wait for an answer
QUICK = dict(queue=False, show_progress='hidden', api_visibility='private')
MODEL_CALLS = dict(concurrency_id='models', concurrency_limit=1, trigger_mode='multiple', show_progress='minimal', api_visibility='private')
BUSY = 'The recommender is busy: too many visitors are waiting, or it failed. Change the history once more to try again.'
COLOURS = {INK: '--body-text-color', GREY: '--body-text-color-subdued', GRID: '--border-color-primary', PAPER: '--block-background-fill', RUST: '--rust', COLORS[0]: '--line'}

class Page(gr.Blocks):
    "Blocks that know how they want to be launched, also from a notebook: theme, style and nothing from outside."
    def launch(self, **kw):
        theme = gr.themes.Base(primary_hue='orange', neutral_hue='slate', font=FONT, font_mono=MONO).set(
            body_text_color_subdued='*neutral_500', body_text_color_subdued_dark='*neutral_400', block_title_text_color='*body_text_color')
        own = dict(theme=theme, css_paths=HERE/'style.css', share=False, server_name='127.0.0.1', footer_links=[], run_history=False, ssr_mode=False, quiet=True)
        return super().launch(**(own | kw))

# ---- what happens --------------------------------------------------------------------------------------------
def act(a, event, state):
    "The state after an action; an action that makes no sense leaves it as it is."
    user, items = state['user'], list(state['history'])
    number = lambda name: int(event.get(name, -1))
    do, i, at, e = event.get('do'), number('item'), number('at'), number('user')
    if do in ('add', 'pick') and 0 <= i < a.n_items: items.append(i)
    elif do == 'remove' and 0 <= at < len(items): del items[at]
    elif do == 'newest' and 0 <= at < len(items): items.append(items.pop(at))
    elif do == 'clear': user, items = None, []
    elif do == 'restore' and user is not None: items = a.history(user)
    elif do == 'any' and len(a.split.users): user = a.any_user(); items = a.history(user)
    elif do == 'user' and 0 <= e < len(a.split.users): user, items = e, a.history(e)
    return {'user': user, 'history': items}

def recommend(a, state, k=10):
    "Both lists as HTML, and what the map rings: item ids by name."
    user, items = state['user'], state['history']
    target, panels, marks = a.held_out(user, items), [], {'history': sorted(set(items))}
    for name in MODELS:
        try:
            if name not in a.models: raise InputError(a.missing[name])
            body, marks[MODELS[name]] = render.recommendations(a, name, items, target, k)
        except InputError as e: body = render.note(render.sentence(e))
        panels.append(render.model_panel(name, body))
    return *panels, marks

def prefix_after(a, event, prefix):
    "The chosen prefix of codes after a click."
    if event.get('do') == 'up': return prefix[:-1]
    level, code = int(event.get('level', -1)), int(event.get('code', -1))
    if event.get('do') != 'code' or not 0 <= level <= len(prefix): return prefix
    new = [*prefix[:level], code]
    return prefix[:level] if new == prefix else new if len(a.with_prefix(new)) else prefix   # a second click takes it back

# ---- figures -------------------------------------------------------------------------------------------------
def map_figure(a):
    "All items, and an empty trace for each kind of ring; figure.js fills them in."
    first = a.ids.codes[:, 0] if a.ids else None
    texts = [t if a.ids is None else f'{t} [{" ".join(map(str, c))}]' for t, c in zip(a.titles, a.ids.codes.tolist() if a.ids else a.titles)]
    fig = item_map(a.xy, first, texts, title='', marks={'history': [], **{MODELS[m]: [] for m in a.models}, 'chosen': []}, height=600)
    fig.update_layout(margin=dict(l=4, r=4, t=36, b=4), legend=dict(x=0, xanchor='left'))
    for name, symbol, color, size in RINGS: fig.update_traces(marker=dict(symbol=symbol, color=color, size=size, line_width=2.2), selector=dict(name=name))
    return fig.update_traces(marker_showscale=False, selector=0)

def usage_figure(a, width, narrow=620):
    "Use of each code, the levels side by side, or one below the other on a narrow page."
    n = a.ids.learned.shape[1]
    fig = code_usage(a.ids.code_counts()[:n])
    for l in range(n if width < narrow else 0):
        number = l + 1 if l else ''
        fig.update_layout({f'xaxis{number}': dict(domain=[0, 1]), f'yaxis{number}': dict(domain=[1 - (l + .72)/n, 1 - (l + .08)/n], showticklabels=True)})
        fig.layout.annotations[l].update(x=0, xanchor='left', y=1 - (l + .06)/n)
    return fig

# name, symbol, colour and size of the rings; sizes differ, so that an item in all of them shows them all
RINGS = [('history', 'circle-open', INK, 11), ('TIGER', 'diamond-open', COLORS[5], 17), ('SASRec', 'square-open', COLORS[0], 21), ('chosen', 'circle-open', RUST, 27)]

def figure(make, kind, label, **props):
    "A panel that draws a Plotly figure in the colours of the page when it is first seen, and forwards clicks on points."
    def fetch(width): return make(width).to_json()
    return gr.HTML(html_template=f'<div class="figure {kind}" role="img" aria-label="{label}"></div>', js_on_load=(HERE/'figure.js').read_text(),
                   apply_default_css=False, server_functions=[fetch], head=f'<script src="gradio_api/file={PLOTLY}"></script>', colours=COLOURS, **props)

def panel(value='', **kw): return gr.HTML(value, js_on_load=(HERE/'actions.js').read_text(), apply_default_css=False, **kw)

def search(label, placeholder, elem_id): return gr.Textbox(label=label, placeholder=placeholder, elem_id=elem_id, max_lines=1, autofocus=False)

# ---- the page ------------------------------------------------------------------------------------------------
def build(
    dataset,    # a `Dataset`
    paths:dict, # {'tokenizer': folder, 'sasrec': bundle, 'tiger': bundle}, as `prepare_demo` returns
)->gr.Blocks:   # `.launch()` shows it, in a notebook too
    "The page over a data set and its artefacts. What is absent is said in the page."
    a = Artefacts(dataset, paths)
    gr.set_static_paths([PLOTLY])
    start = {'user': 0, 'history': a.history(0)} if len(a.split.users) else {'user': None, 'history': []}
    with Page(title=f'tiger_nb · TIGER on {dataset.name}', analytics_enabled=False) as page:
        gr.HTML(heading(a), apply_default_css=False)
        state, marks, chosen, prefix = gr.State(start), gr.State({}), gr.State(None), gr.State([])
        with gr.Tabs(elem_id='tabs'):
            with gr.Tab('Recommend', id='recommend'): r = recommend_tab(a, start)
            with gr.Tab('Codebooks', id='codebooks'): c = codebooks_tab(a)
            with gr.Tab('Map', id='map') as tab: m = map_tab(a) | {'tab': tab}
            with gr.Tab('About', id='about'): about_tab(a)
        wire_history(a, page, state, marks, r, m, c)
        if a.ids: wire_codes(a, prefix, c)
        wire_map(a, marks, chosen, m)
    return page.queue(max_size=WAITING, default_concurrency_limit=4)

def heading(a):
    d, s = a.dataset, a.dataset.statistics
    return f'''<header class="top"><h1>tiger<span>_</span>nb</h1><p>Generative retrieval, step by step: TIGER beside SASRec on
        <b>{render.esc(d.name)}</b>, {s["users"]:,} users and {s["items"]:,} items.</p></header>'''

def notes(a, *what): return ''.join(render.note(render.esc(a.missing[w])) for w in what if w in a.missing)

def recommend_tab(a, start):
    if 'titles' in a.missing: gr.HTML(notes(a, 'titles'), apply_default_css=False)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=330):
            users = search('Choose a user', 'number or key', 'find-user')
            found_users = panel(elem_id='found-users', elem_classes='maybe')
            items = search('Add an item', 'words of its title, or its key' if a.dataset.has_text else 'its key or number', 'find-item')
            found_items = panel(elem_id='found-items', elem_classes='maybe')
            history = panel(render.history(a, **names(start)), elem_id='history')
        with gr.Column(scale=9, min_width=330):
            held = panel(render.held_out(a, **names(start)), elem_id='held-out', elem_classes='maybe')
            with gr.Row(equal_height=False):
                lists = []
                for m in MODELS:
                    with gr.Column(min_width=300): lists.append(panel(render.model_panel(m, render.note('Thinking …')), elem_id=f'{m}-list'))
    return dict(users=users, found_users=found_users, items=items, found_items=found_items, history=history, held=held, lists=lists)

def names(state): return dict(user=state['user'], items=state['history'])

def codebooks_tab(a):
    if a.ids is None: gr.HTML(notes(a, 'semantic_ids'), apply_default_css=False); return None
    gr.HTML(notes(a, 'codebooks') + render.code_report(a), apply_default_css=False)
    browser = panel(render.code_browser(a, []), elem_id='codes')
    figure(lambda width: usage_figure(a, width), 'usage', 'Use of each code per level', elem_id='usage')
    return browser

def map_tab(a):
    with gr.Row(equal_height=False):
        with gr.Column(scale=9, min_width=330):
            if a.xy is None: gr.HTML(notes(a, 'map'), apply_default_css=False); plot = None
            else:
                gr.HTML(render.note('Each point is an item, placed by UMAP of the item vectors' + (' and coloured by its first code' if a.ids else '') + ': near means alike. Scroll to zoom, drag to move, click or tap a point.'), apply_default_css=False)
                plot = figure(lambda width: map_figure(a), 'map', 'Map of all items', value={}, elem_id='item-map')
        with gr.Column(scale=5, min_width=330):
            items = search('Find an item', 'words of its title, or its key' if a.dataset.has_text else 'its key or number', 'find-on-map')
            found, card = panel(elem_id='found-on-map', elem_classes='maybe'), panel(render.card(a, None), elem_id='card')
    return dict(plot=plot, items=items, found=found, card=card)

def about_tab(a):
    records = [m.record for m in a.models.values() if m.record]
    try: disagree = len(records) > 1 and table(records) is None
    except InputError as e: disagree = e
    body = render.about_missing(a) + render.about_results(a, oracle(a), disagree) + render.about_data(a) + render.about_cards(a)
    gr.HTML(f'<div class="prose-like">{render.panel("How to read this page", render.HOW)}{body}</div>', apply_default_css=False, elem_id='about-page')

def oracle(a):
    "The best possible metrics, where the data is the generated sample."
    path = a.dataset.folder/'oracle.json'
    return json.loads(path.read_text(encoding='utf-8')).get('test') if a.dataset.folder == sample_folder() and path.exists() else None

# ---- wiring --------------------------------------------------------------------------------------------------
def wire_history(a, page, state, marks, r, m, codes):
    "Typing searches (`change`: Gradio's `input` misses pasting and deleting); an action changes the state; a new state is shown at once, and the models answer after it."
    r['users'].change(lambda q: render.found_users(a, q), r['users'], r['found_users'], trigger_mode='always_last', **QUICK)
    r['items'].change(lambda q: render.found_items(a, q), r['items'], r['found_items'], trigger_mode='always_last', **QUICK)
    def show(state): return render.history(a, **names(state)), render.held_out(a, **names(state))
    def do(state, event:gr.EventData):
        new = act(a, event._data or {}, state)
        return new, *show(new)
    shown = [state, r['history'], r['held']]
    clicked = [p.click(do, state, shown, trigger_mode='multiple', **QUICK) for p in (r['history'], *r['lists'], m['card'], *([codes] if codes else []))]
    def pick(state, event:gr.EventData): return *do(state, event), '', ''   # and the search is over
    clicked += [r[f'found_{what}'].click(pick, state, [*shown, r[what], r[f'found_{what}']], **QUICK) for what in ('users', 'items')]
    for event in (page.load, *(c.then for c in clicked)):   # state.change is silent after an event that is not queued
        asked = event(lambda state: recommend(a, state), state, [*r['lists'], marks], **MODEL_CALLS)
        asked.failure(lambda: [render.model_panel(name, render.note(BUSY)) for name in MODELS], None, r['lists'], **QUICK)

def wire_codes(a, prefix, browser):
    def click(prefix, event:gr.EventData):
        new = prefix_after(a, event._data or {}, prefix)
        return new, render.code_browser(a, new)
    browser.select(click, prefix, [prefix, browser], **QUICK)

def wire_map(a, marks, chosen, m):
    "A point, a search result or a neighbour becomes the chosen item. The rings follow the history, the lists and the chosen item."
    def choose(chosen, event:gr.EventData):
        i = int((event._data or {}).get('item', -1))
        return (i, render.card(a, i), '', '') if 0 <= i < a.n_items else (gr.skip(),) * 4
    outputs = [chosen, m['card'], m['items'], m['found']]
    m['items'].change(lambda q: render.found_items(a, q), m['items'], m['found'], trigger_mode='always_last', **QUICK)
    events = [m['found'].click, m['card'].select] + ([m['plot'].select] if m['plot'] else [])
    clicked = [event(choose, chosen, outputs, **QUICK) for event in events]
    rings = lambda marks, chosen: marks | {'chosen': [] if chosen is None else [chosen]}
    if m['plot']:
        for event in (m['tab'].select, marks.change, *(c.then for c in clicked)): event(rings, [marks, chosen], m['plot'], **QUICK)

# ---- serving -------------------------------------------------------------------------------------------------
def launch(
    dataset,         # a `Dataset`
    paths:dict,      # {'tokenizer': folder, 'sasrec': bundle, 'tiger': bundle}
    port:int=7860,   # on 127.0.0.1
    block:bool=True, # wait until it is stopped; False in notebooks and tests
    **kw,            # more for `gr.Blocks.launch`
)->gr.Blocks:
    "Serve the page and print its address. Raises `InputError` when the port is taken."
    os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'
    free_port(port)
    page = build(dataset, paths)
    page.launch(server_port=port, prevent_thread_lock=True, **kw)
    print(f'http://127.0.0.1:{port}', flush=True)
    if block: page.block_thread()
    return page

def free_port(port):
    "Raises `InputError` unless the port can be served."
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try: s.bind(('127.0.0.1', port))
        except (OSError, OverflowError): raise InputError(f'port {port} of 127.0.0.1 is taken or not allowed; choose another one with --port') from None
