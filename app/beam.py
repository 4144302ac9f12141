"The beam tree of a history, where an item was lost in it, and why an item comes out."
from math import exp

import polars as pl

from tiger_nb.code_plots import beam_figure
from tiger_nb.explain import attention, beam_tree, counterfactuals, where_lost
from tiger_nb.plots import GREY, INK, PAPER, bars, curves, heatmap
from tiger_nb.recommender import InputError

from .render import (button, chips, csv, csv_button, drawing, esc, field, figures, header, item,
                     join, later, listed, note, panel, table)

WIDE = 1600  # pixels of a wide page; figures.js shortens the names where there are fewer
HELD, SELECTED, FIRST = 'the held-out item', 'the selected item', 'the model’s own first'

def explanations(a, s):
    "Three places that are filled later, and what they can be asked for."
    models = field('model', 'Model', {n: a.name(n) for n in a.generative}, s['model'])
    beams = field('beams', 'Beam width', {n: str(n) for n in sorted({5, 10, 20, 50, s['beams']})}, s['beams'])
    grow = button('grow', 'Let the tree grow level by level', '▶ Grow the tree', 'text')
    head = header('The beam tree', 'which codes were kept, and which were pruned; a click shows the items of '
                                   'a prefix', models + beams + grow)
    both = later('recommend.lost', result='select') + later('recommend.why')
    return (panel(head, later('recommend.beam', 'Searching …'), kind='wide-panel')
            + f'<div class="two even">{both}</div>')

def subject(a, s):
    "The item that is asked about, and what it is: selected, else held out, else the first of the list."
    target = a.held_out(s['user'], s['history'])
    if s['item'] is not None and s['item'] not in s['history']:
        return s['item'], HELD if s['item'] == target else SELECTED
    if target is not None and target not in s['history']: return target, HELD
    return a.ask(s['model'], s['history'], 1)[0][0], FIRST

# ---- the tree --------
def beam(a, s):
    "The tree as a figure, which figures.js lets grow, the chosen prefix, and where the probability went."
    with a.turns: tree = beam_tree(a.models[s['model']], s['history'], s['beams'])
    (i, named), prefix = subject(a, s), s['prefix']
    codes = a.ids.codes[i].tolist()
    fig = beam_figure(tree.nodes, a.titles, codes, title='', named=named, width=WIDE)
    count_the_rest(fig, tree.nodes)
    if prefix or s['item'] == i: dim(fig, prefix or codes)
    shares = tree.mass.with_columns(pl.exclude('level') * 100)
    lost = float(tree.mass['invalid'].sum())
    free = (f'On IDs that do not exist the free model would have put at least {lost:.2%} of its probability: '
            'that much the beam’s own prefixes lose to codes without an item.' if lost > 1e-6 else
            'This model puts nothing on IDs that do not exist: it has a vector for each prefix that does.')
    star = f'★ is {esc(a.titles[i])}, {named}. {fell_out(fig, tree.nodes, codes, named)}'
    if s['item'] in s['history']:
        star += f' {esc(a.titles[s["item"]])} is in the history: it cannot come out.'
    name, save = 'Where the probability goes, per cent', csv_button('beam', '', 'Tree')
    shown = table('mass', shares, name, save, '.2f')
    flat = tree.nodes.select('level', 'prefix', 'log_prob', 'score', 'kept', 'seen', 'items', title=pl.Series(
        [a.titles[e] for e in tree.nodes['example']]))
    tables = shown[1] | {'beam': csv(flat)}
    html = drawing('beam', 'Tree of the beam search', fig.layout.height, 'prefix') + note(star)
    html += chosen(a, prefix, tables) + as_buttons(a, tree.nodes, prefix) + note(free) + shown[0]
    return dict(html=html, figures=figures(beam=fig), tables=tables)

def ranked(nodes, level):
    "The prefixes of a level that were looked at, best first."
    here = nodes.filter((pl.col('level') == level) & ~pl.col('seen'))
    return here.sort('score', descending=True)

def drawn(fig):
    "{level: rows of the prefixes that the figure shows}."
    out = {}
    for t in fig.data:
        if t.customdata is None: continue
        for level, row in zip(t.x, t.y): out.setdefault(int(level), []).append(int(row))
    return out

def count_the_rest(fig, nodes):
    "Say below each level how many prefixes were pruned that are not drawn."
    rows = drawn(fig)
    rest = {level: len(ranked(nodes, level)) - len(at) for level, at in rows.items()}
    rest = {level: n for level, n in rest.items() if n > 0}
    fig.add_scatter(x=list(rest), y=[max(rows[level]) + 1 for level in rest], mode='text', hoverinfo='skip',
                    text=[f'{n:,} more' for n in rest.values()], textposition='middle right', name='more',
                    textfont=dict(size=11, color=GREY), showlegend=False, cliponaxis=False)

def fell_out(fig, nodes, codes, named):
    "What became of an item, as a sentence."
    for level in range(1, len(codes) + 1):
        here = ranked(nodes, level)
        prefixes = here['prefix'].to_list()
        if codes[:level] not in prefixes: return ''
        at = prefixes.index(codes[:level])
        if here['kept'][at]: continue
        star = next((t for t in fig.data if t.name == named), None)
        seen = star is not None and level in star.x
        return (f'It fell out at level {level}: its prefix has rank {at + 1} of {len(here)} there, and '
                f'{here["kept"].sum()} were kept' + ('.' if seen else ', so it is not in the picture.'))
    return 'It stays to the end.'

def related(codes, prefix): return all(p in (-1, c) for c, p in zip(codes, prefix))

def dim(fig, prefix):
    "Dim what is neither above nor below the chosen prefix, which gets a border."
    for t in fig.data:
        if t.customdata is None: continue
        codes = [list(map(int, c.split(','))) for c in t.customdata]
        on = [related(c, prefix) for c in codes]
        own = [o and len(c) == len(prefix) for o, c in zip(on, codes)]
        t.marker.opacity = [1 if o else .2 for o in on]
        t.marker.line = dict(color=[INK if o else PAPER for o in own], width=[3 if o else 1 for o in own])
        t.textfont.color = [INK if o else GREY for o in on]

def chosen(a, prefix, tables, limit=40):
    "The items of the prefix that was clicked."
    if not prefix: return ''
    items = a.with_prefix(prefix).tolist()
    tables['prefix'] = csv(pl.DataFrame(dict(item=items, key=[a.keys[i] for i in items],
                                             title=[a.titles[i] for i in items])))
    rows = [item(a, i, len(prefix)) for i in items[:limit]]
    more = note(f'{len(items) - limit:,} more are not listed.') if len(items) > limit else ''
    away = button('prefix', 'Choose no prefix', 'Show the whole tree ×', 'text', prefix='')
    head = header(f'{len(items):,} begin with {chips(prefix)}', '', away + csv_button('prefix'))
    return panel(head, listed(rows, 'list columns scroll'), more, result='prefix')

def as_buttons(a, nodes, prefix, most=20):
    "The best prefixes of each level as buttons: what a click on the tree does, without a mouse."
    def one(codes, example, score, kept):
        share = f'{exp(score):.1%}' + ('' if kept else ' pruned')
        said = f'{" ".join(map(str, codes))}: {a.titles[example]}'
        text = (f'{chips(codes[-1:])}<span class="name">{esc(a.titles[example])}</span>'
                f'<span class="count">{share}</span>')
        kind = 'row picked' if codes == prefix else 'row'
        return button('prefix', f'Show the items of {said}', text, kind, prefix=','.join(map(str, codes)))
    def level(l):
        rows = ranked(nodes, l).head(most).select('prefix', 'example', 'score', 'kept').iter_rows()
        return f'<div><h4>Level {l}</h4>{listed([one(*r) for r in rows], "codes scroll")}</div>'
    levels = join(level, range(1, int(nodes['level'].max()) + 1))
    return (f'<details class="prefixes"{" open" if prefix else ""}><summary>The best prefixes as a list'
            f'</summary><div class="many3">{levels}</div></details>')

# ---- one item --------
def lost(a, s):
    "Rank and probability of an item's prefix at each level."
    i, named = subject(a, s)
    with a.turns: fate = where_lost(a.models[s['model']], s['history'], i, s['beams'])
    stays = (f'It stays to the end of a beam of {s["beams"]}.' if fate.lost_at is None else
             f'It fell out of the beam at level {fate.lost_at}; {kept_by(fate)} would have kept it.')
    levels = fate.levels
    fig = curves({'rank of its prefix': (levels['level'], levels['rank'])}, title='', x_title='level',
                 y_title='exact rank', hlines={'beam width': s['beams']}, log_y=True, form='.0f')
    fig.update_layout(height=230, margin=dict(t=16)).update_xaxes(dtick=1)
    ticks = [m * 10**e for e in range(7) for m in (1, 2, 5)]
    fig.update_yaxes(tickvals=ticks, ticktext=[f'{t:,}' for t in ticks])
    names = {'prob': 'probability', 'score': 'log-probability', 'rank': 'exact rank',
             'beam_rank': 'rank in the beam'}
    body, tables = table('lost', levels.rename(names))
    head = header('Where was it lost?', f'{esc(a.titles[i])}, {named}: exact rank {fate.rank:,} of all items')
    return dict(html=panel(head, f'<p class="verdict {"hit" if fate.lost_at is None else ""}">{stays}</p>',
                           drawing('lost', 'Rank of the prefix by level', 230), body),
                figures=figures(lost=fig), tables=tables)

def kept_by(fate):
    "The width that would have kept an item; where it was not searched for, a width that is enough."
    return f'a width of {fate.width:,}' + ('' if fate.least else ', or a smaller one,')

def short(text, letters=19): return text if len(text) <= letters else text[:letters - 1].rstrip() + '…'

PLACES = 'places lost (right) or won (left) without it'

def why(a, s):
    "Attention and counterfactual ranks side by side."
    (i, named), rec = subject(a, s), a.models[s['model']]
    head = header('Why this item?', f'{esc(a.titles[i])}, {named}: what its rank would be without each item '
                                    'of the history')
    newest = s['history'][-20:]
    with a.turns: changes = counterfactuals(rec, newest, i)
    try: looked = attention(rec, newest, i)
    except InputError: looked = None
    names = [f'{p}. {short(t)}' for p, t in zip(changes['position'], changes['title'])][::-1]
    height = 90 + 24 * len(names)
    made = dict(change=change_bars(names, changes['change'].to_list()[::-1], height))
    body = f'<h4>Counterfactual: {PLACES}</h4>' + drawing('change', 'Change of rank', height)
    if looked is not None:
        levels = [f'level {l}' for l in range(1, len(looked) + 1)] if len(looked) > 1 else ['all levels']
        made['looked'] = heatmap(looked.T[::-1], names, levels, title='')
        made['looked'].update_layout(height=height, margin=dict(t=16)).update_yaxes(tickfont_size=11)
        body += '<h4>Where the network looked</h4>' + drawing('looked', 'Attention by level', height)
        changes = changes.with_columns(attention=pl.Series(looked.mean(0)))
    return dict(html=panel(head, csv_button('why'), body), figures=figures(**made),
                tables={'why': csv(changes)})

def change_bars(names, change, height):
    "Bars to both sides with room for their numbers."
    fig = bars(names, change, title='', horizontal=True, form='+.0f')
    low, high = min(0, *change), max(0, *change)
    room = .4 * max(high - low, 1)
    fig.update_xaxes(range=[low - room * (low < 0), high + room * (high > 0 or low == 0)])
    return fig.update_layout(height=height, margin=dict(t=16)).update_yaxes(tickfont_size=11)

PARTS = dict(beam=beam, lost=lost, why=why)

# ---- the same as functions --------
def api(a):
    def beam(history: list[int], model: str = a.first, beams: int = 10)->dict:
        "The tree of one beam search: `nodes`, a row a prefix, and `mass`, where the probability went."
        with a.turns: tree = beam_tree(generative(a, model), history, beams)
        return dict(nodes=tree.nodes.to_dicts(), mass=tree.mass.to_dicts())
    def lost(history: list[int], item: int, model: str = a.first, beams: int = 10)->dict:
        "By level the rank and probability of an item's prefix, where it fell out, the width that keeps it."
        with a.turns: fate = where_lost(generative(a, model), history, item, beams)
        return dict(levels=fate.levels.to_dicts(), lost_at=fate.lost_at, width=fate.width, least=fate.least,
                    rank=fate.rank)
    def why(history: list[int], item: int, model: str = a.first)->list[dict]:
        "How the rank of an item changes when each item of a history is removed (its last 20 items)."
        with a.turns: return counterfactuals(generative(a, model), history[-20:], item).to_dicts()
    def decoder_attention(history: list[int], item: int, model: str = a.first)->list[list[float]]:
        "Where the network looked: a row a level, or one where it looks once; a column an item (last 20)."
        with a.turns: return attention(generative(a, model), history[-20:], item).tolist()
    return [beam, lost, why, decoder_attention]

def generative(a, model):
    "A generative model by name; raises `InputError` for another."
    if model in a.generative: return a.models[model]
    raise InputError(f'model {model!r} writes no Semantic IDs or is unknown; take one of '
                     f'{", ".join(a.generative)}')
