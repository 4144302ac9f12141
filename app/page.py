"The page: one shell that shows a tab for a state, and the typed endpoints behind the tabs."
import json, os, socket, threading, traceback
from pathlib import Path
from urllib.parse import urlencode

os.environ.setdefault('GRADIO_ANALYTICS_ENABLED', 'False')   # read when gradio is imported
import gradio as gr
import plotly
from starlette.middleware import Middleware

from tiger_nb.recommender import InputError

from . import codebook, compare, diversity, maps, newitem, recommend, render, runs, tree
from .endpoints import publish
from .grown import own_catalogue
from .limits import BODY, Guard, served_hosts
from .state import address, choice, clean
from .views import Views

HERE = Path(__file__).parent
SCRIPTS = 'app', 'search', 'figures', 'maps', 'actions'
PLOTLY = Path(plotly.__file__).parent/'package_data/plotly.min.js'
TABS = {m.__name__.rsplit('.', 1)[-1]: m for m in
        (recommend, compare, maps, tree, codebook, newitem, diversity, runs)}
FONT = ['Inter', 'Segoe UI', 'Helvetica Neue', 'Arial', 'DejaVu Sans', 'sans-serif']   # nothing is fetched
FAILED = 'This could not be computed; the server has written down why. The rest of the page works.'
MONO = ['SF Mono', 'Consolas', 'Menlo', 'DejaVu Sans Mono', 'monospace']

class Page(gr.Blocks):
    "Blocks that know how they want to be launched, also from a notebook: theme, style and guarded headers."
    def launch(self, **kw):
        theme = gr.themes.Base(primary_hue='orange', neutral_hue='slate', font=FONT, font_mono=MONO).set(
            body_text_color_subdued='*neutral_600', body_text_color_subdued_dark='*neutral_300',
            block_title_text_color='*body_text_color')
        kw['app_kwargs'] = {'middleware': [Middleware(Guard, hosts=served_hosts())]} | kw.get('app_kwargs',
                                                                                              {})
        for name in ('no_proxy', 'NO_PROXY'):   # Gradio asks its own address whether it is up
            os.environ[name] = ','.join(filter(None, [os.environ.get(name), '127.0.0.1', 'localhost']))
        own = dict(theme=theme, css_paths=[HERE/'style.css', HERE/'pieces.css'], share=False,
                   footer_links=['api'],
                   server_name='0.0.0.0' if os.environ.get('SPACE_ID') else '127.0.0.1', run_history=False,
                   ssr_mode=False, quiet=True, max_file_size=BODY)
        return super().launch(**(own | kw))

    def link(self, tab='recommend', **state):
        "The address of a view: `link('maps', item=17)`. Raises `InputError` for what is unknown here."
        if tab not in TABS: raise InputError(f'there is no tab {tab!r}; take one of {", ".join(TABS)}')
        if not self.local_url: raise InputError('the page is not served yet; call launch() first')
        if not state.keys() & {'user', 'history'}: state = self.first | state   # whom the page opens on
        unknown = []
        s = clean(self.artefacts, state, unknown)
        unknown += [f'There is no field {k!r} in a state.' for k in state if k not in s]
        if unknown: raise InputError(' '.join(unknown))
        said = {k: ','.join(map(str, v)) if isinstance(v, list) else v
                for k, v in address(self.artefacts, s).items() if v is not None}
        return f'{self.local_url}?{urlencode(dict(tab=tab) | said, safe=",")}'

    def show(self, tab='recommend', height=900, **state):
        "A view inside a notebook; what is chosen there stays in its frame."
        from IPython.display import IFrame   # a served page needs no IPython
        return IFrame(self.link(tab, **state), '100%', height)

# ---- what a browser asks --------
def parts(a):
    "Everything that can be asked for: the tabs, what they show later, and the searches."
    out = {}
    for name, tab in TABS.items():
        out[name] = own_catalogue(tab.view) if tab in (recommend, compare) else tab.view
        out |= {f'{name}.{part}': make for part, make in getattr(tab, 'PARTS', {}).items()}
    found = lambda make: own_catalogue(lambda a, s: dict(html=make(a, s['q'])))
    return out | {'find.items': found(render.found_items), 'find.users': found(render.found_users),
                  'find.add': found(lambda a, q: render.found_items(a, q, 'add'))}

def answer(a, known, asked):
    "HTML, figures and tables of one part, and the state as it was understood."
    asked = asked if isinstance(asked, dict) else {}
    part = choice(asked.get('part'), known, 'recommend')
    dropped = []
    s = clean(a, asked.get('state'), dropped)
    try: shown = a.memo(part, lambda seen: known[part](a, seen), s)
    except InputError as e: shown = dict(html=render.panel(render.note(render.sentence(e), 'warn')))
    except Exception:   # a visitor sees a sentence, the log what happened
        traceback.print_exc()
        shown = dict(html=render.panel(render.note(FAILED, 'warn')))
    if shown.get('mark') and asked.get('have') == shown['mark']: shown = dict(html='', same=True)
    about = dict(part=part, state=s, address=address(a, s), dropped=dropped)
    return dict(figures={}, tables={}) | shown | about

# ---- the page --------
def build(
    dataset,    # a `Dataset`
    paths:dict, # {'tokenizer': folder, 'sasrec': bundle, …}, as `prepare_demo` returns
)->gr.Blocks:   # `.launch()` shows it, in a notebook too
    "The page over a data set and its artefacts. What is absent is said in the page."
    a = Views(dataset, paths)
    known = parts(a)
    gr.set_static_paths([PLOTLY])
    shown = next((e for e in a.examples if e is not None), None)   # a hit, else a miss
    start = answer(a, known, dict(part='recommend', state=dict(user=shown)))
    def show(asked): return answer(a, known, asked)
    with Page(title=f'tiger_nb · TIGER on {dataset.name}', analytics_enabled=False) as page:
        gr.HTML(html_template=shell(a, start['html']), js_on_load=script(),
                apply_default_css=False, server_functions=[show], elem_id='app',
                head=f'<script src="gradio_api/file={PLOTLY}"></script>', colours=render.VARIABLES,
                start=json.dumps(start))
        publish(a, [f for tab in TABS.values() for f in tab.api(a)])
    page.artefacts, page.parts, page.first = a, known, dict(user=shown)
    return page.queue(max_size=64, default_concurrency_limit=4)

def script():
    "The page's script: one scope in some files."
    return ''.join((HERE/f'{name}.js').read_text(encoding='utf-8') for name in SCRIPTS)

def shell(a, first):
    "Heading, tabs and the first view, so that something is seen before any script runs."
    d, n = a.dataset, a.dataset.statistics
    tab = lambda name: (f'<button type="button" role="tab" id="tab-{name}" data-do="tab" data-tab="{name}" '
                        f'aria-controls="view" aria-selected="{str(name == "recommend").lower()}" '
                        f'tabindex="{0 if name == "recommend" else -1}">{TABS[name].TITLE}</button>')
    hints = json.dumps({name: t.HINT for name, t in TABS.items()})
    title = render.esc(d.name)
    return braces(f'''<div class="shell" data-hints="{render.esc(hints)}">
        <header class="top"><h1>tiger<span>_</span>nb</h1><p>See a recommender think: <b>{title}</b>,
        {n["users"]:,} users and {n["items"]:,} items.</p></header>
        <nav role="tablist" aria-label="Views">{"".join(map(tab, TABS))}</nav>
        <progress max="1" aria-label="Computing"></progress><div class="hint" hidden>
          <span></span> <button type="button" class="do text" data-do="dismiss">Got it</button></div>
        <div class="status" role="status" aria-live="polite"></div>
        <div id="view" role="tabpanel" tabindex="-1">{first}</div>
        <div class="foot"><button type="button" class="do text" data-do="api">Use via API</button></div>
        </div>''')

def braces(html):
    "HTML that Gradio's template leaves as it is: it is a JavaScript template string and runs ${} and {{}}."
    return html.translate({ord(c): f'&#{ord(c)};' for c in '{}$`\\'})

# ---- serving --------
def launch(
    dataset,         # a `Dataset`
    paths:dict,      # {'tokenizer': folder, 'sasrec': bundle, …}, as `prepare_demo` returns
    port:int=7860,   # on 127.0.0.1
    block:bool=True, # wait until it is stopped; False in notebooks and tests
    prepare:bool=True, # make maps and lists that are not kept yet, beside the server
    **kw,            # more for `gr.Blocks.launch`
)->gr.Blocks:
    "Serve the page and print its address. Raises `InputError` when the port is taken."
    os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'
    free_port(port)
    page = build(dataset, paths)
    if prepare: page.artefacts.prepare()
    page.launch(server_port=port, prevent_thread_lock=True, **kw)
    threading.Thread(target=foresee, args=[page], daemon=True).start()
    print(f'http://127.0.0.1:{port}', flush=True)
    if block: page.block_thread()
    return page

def foresee(page):
    "Answer as the first visitor will ask, while nobody does: what is counted once is counted then."
    maps = ['maps', 'maps.points'] if page.artefacts.maps_are_there else []
    for part in ('recommend.beam', 'compare', 'compare.groups', *maps, 'tree', 'codebook', 'runs'):
        answer(page.artefacts, page.parts, dict(part=part, state=page.first))

def free_port(port):
    "Raises `InputError` unless the port can be served."
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try: s.bind(('127.0.0.1', port))
        except (OSError, OverflowError):
            raise InputError(f'port {port} of 127.0.0.1 is taken or not allowed; '
                             'choose another one with --port') from None
