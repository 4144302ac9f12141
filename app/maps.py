"Map: two views of the same items, by their vectors and by what their codes say of them."
import numpy as np, polars as pl

from tiger_nb.maps import marked_map
from tiger_nb.recommender import InputError
from tiger_nb.plots import COLORS, INK, RUST, item_map

from .recommend import pair
from .render import (VARIABLES, button, card, chips, count, csv, csv_button, drawing, esc, field, figures,
                     header, item, join, later_on, listed, note, panel, search)

TITLE = 'Map'
HINT = ('Every point is an item; near means alike. Left by the item vectors, right by what the quantizer '
        'makes of them. Click a point, draw a lasso, or search for 12, 200, * to light a prefix.')
# name, symbol, colour and size of rings: sizes differ, so that an item in all of them shows them all
RINGS = {'selected': ('circle-open', RUST, 26), 'held out': ('star', COLORS[5], 15)}
LISTS = [('diamond-open', COLORS[5], 9), ('square-open', INK, 13)]

def view(a, s):
    "Both maps, a search, the selected item."
    if a.wait_for(0): return later_on('The map is being laid out, once for these codes: about a minute …')
    one, two = a.maps
    if one is None: return dict(html=panel(note(esc(a.missing['map']), 'warn')))
    color = field('color', 'Colour by', {c: c for c in a.colours}, s['color'])
    lit, marks = a.lit(s), marked(a, s)
    made = {f'map{n + 1}': figure(a, s, n, lit, marks) for n in range(2) if a.maps[n] is not None}
    if s['lasso']: around(made, s['lasso'])
    names = dict(map1='By their vectors', map2='By what their codes say')
    maps = join(lambda n: f'<div><h4>{names[n]}</h4>'
                          f'{drawing(n, names[n], 520, "item", base=f"maps.points {n}")}</div>', made)
    what = chips(s['prefix']) + (' lasso' if s['lasso'] else '')
    tools = color + (button('dark', 'Light all items again', f'Light all again: {what} ×', 'text')
                     if lit is not None else '')
    left = (f'<div class="tools">{tools}</div><div class="maps{"" if len(made) == 2 else " one"}">{maps}'
            f'</div>{legend(a, s)}'
            + (note('There are no codebooks, so there is no map of reconstructions.') if two is None else '')
            + join(lambda k: note(f'This data names no {k}, so there is no such colour.'),
                   [k for k in ('category', 'brand') if k not in a.colours]))
    right = search('items', 'Find an item', 'words of its title, or 12, 200, *') + found(a, s) + card(a,
            s['item'])
    return dict(html=f'<div class="three"><div>{left}</div><div>{right}</div></div>', figures=figures(**made))

def around(made, lasso):
    "Draw the lasso on the map on which it was drawn."
    x, y = lasso[1::2], lasso[2::2]
    name = f'map{int(lasso[0])}'
    if name in made:
        made[name].add_scatter(x=[*x, x[0]], y=[*y, y[0]], mode='lines', hoverinfo='skip', showlegend=False,
                               line=dict(color=RUST, width=1.5, dash='dot'))

def points(a, s):
    "All items on both maps in a colour: asked once, whatever is marked on them."
    color = a.colours[s['color']]
    named = {int(c): a.colour_name(s['color'], int(c)) for c in np.unique(color)}
    many, tints = len(named) > len(COLORS), palette(list(named))
    hue = around_the_map(color, a.maps[0]) if many else color
    codes = [' '.join(map(str, c)) for c in a.ids.codes.tolist()] if a.ids else [''] * a.n_items
    texts = [f'{t} [{c}] {named[n]}' for t, c, n in zip(a.titles, codes, color.tolist())]
    made = {}
    for name, xy in zip(('map1', 'map2'), a.maps):
        if xy is None: continue
        made[name] = item_map(xy, hue, texts)
        made[name].update_traces(marker_showscale=False, unselected=dict(marker=dict(opacity=.2)))
        steps = [[(n + e) / len(tints), tint] for n, tint in enumerate(tints) for e in (0, 1)]
        if not many: made[name].update_traces(marker_colorscale=steps)
        if many: made[name].update_traces(marker=dict(color=hue, colorscale='Viridis', cmin=0,
                                                      cmax=1.08 * len(named)))
        if a.n_items > 5000: made[name].update_traces(marker_size=3)
    return dict(html='', figures=figures(**made))

def ahead(a, s):
    "The points before anybody opens the map; nothing where it is not laid out yet."
    return points(a, s) if a.maps_are_there else dict(html='', fresh=True)

def palette(values):
    "A colour for each of few values, the least first; -1, which stands for all others, is grey."
    return ['#98A4B0', *COLORS][:len(values)] if len(values) and values[0] == -1 else COLORS[:len(values)]

def around_the_map(color, xy):
    "Many values in an order in which neighbours on the map are alike: by the direction of their middle."
    value, at = np.unique(color, return_inverse=True)
    middle = np.stack([np.bincount(at, x) for x in (xy - np.median(xy, axis=0)).T]) / np.bincount(at)
    return np.argsort(np.argsort(np.arctan2(*middle)))[at]

def places(a, s):
    "The coordinates as a table."
    one, two = a.maps
    columns = dict(item=range(a.n_items), key=a.keys, title=a.titles, x=one[:, 0], y=one[:, 1])
    if two is not None: columns |= dict(x_codes=two[:, 0], y_codes=two[:, 1])
    return dict(html='', tables={'places': csv(pl.DataFrame(columns))})

def lit_items(a, s):
    "The items that are lit, as a table."
    items = a.lit(s)
    items = np.arange(a.n_items) if items is None else items
    table = a.named(items.tolist())
    if a.ids: table = table.with_columns(pl.Series('codes', a.ids.codes[items].tolist(), pl.List(pl.Int64)))
    return dict(html='', tables={'lit': csv(table)})

def near(a, s):
    "The neighbours of the selected item, as a table."
    found = a.beside(s['item']) if s['item'] is not None else []
    cosine = pl.Series('cosine', [c for _, c in found], pl.Float64)
    return dict(html='', tables={'near': csv(a.named([i for i, _ in found]).with_columns(cosine))})

PARTS = dict(points=points, ahead=ahead, places=places, lit=lit_items, near=near)

def legend(a, s):
    "What the colours mean, the largest first."
    values, n = np.unique(a.colours[s['color']], return_counts=True)
    if len(values) > len(COLORS):
        said = (f'{len(values):,} values, in like colours where they lie in one direction on the first map; '
                'a hover says which.')
        return note(f'{said} {csv_button("places", "maps.places")}')
    tints = palette(values)
    tint = lambda at: f'var({VARIABLES[tints[at]]})' if tints[at] in VARIABLES else tints[at]
    dot = lambda at: (f'<li><i style="background:{tint(at)}'
                      f'"></i>{esc(a.colour_name(s["color"], int(values[at])))} '
                      f'<small>{n[at]:,}</small></li>')
    dots = join(dot, range(len(values)))
    return f'<ul class="legend">{dots}</ul><div class="tools">{csv_button("places", "maps.places")}</div>'

def marked(a, s):
    "{name: item ids} of the rings."
    out = {}
    for name in pair(a) if s['history'] else []:
        try: out[a.name(name)] = a.ask(name, s['history'], 10)[0]
        except InputError: continue
    target = a.held_out(s['user'], s['history'])
    return out | {'held out': [] if target is None else [target],
                  'selected': [] if s['item'] is None else [s['item']]}

def figure(a, s, which, lit, marks, new=None):
    "What lies over the points of one map, and which of them are lit: the others are dimmed and stay."
    looks = dict(zip([a.name(n) for n in pair(a)], LISTS)) | RINGS
    fig = marked_map(a.maps[which], a.titles, marks, looks, s['history'], new, a.named_on(which))
    if lit is None and s['item'] is not None: # the item and its neighbours
        lit = np.array([s['item'], *(i for i, _ in a.beside(s['item']))])
    fig.layout.meta = dict(lit=None if lit is None else lit.tolist())
    legend = dict(x=0, xanchor='left', y=1, yref='paper', yanchor='bottom', font_size=11)
    return fig.update_layout(margin=dict(l=4, r=4, t=36, b=4), dragmode='pan', legend=legend)

def found(a, s, limit=40):
    "The items of the lit prefix."
    items = a.lit(s)
    if items is None: return ''
    items = items.tolist()
    rows = [item(a, i, len(s['prefix'])) for i in items[:limit]]
    more = note(f'{len(items) - limit:,} more are lit and not listed.') if len(items) > limit else ''
    name = f'{len(items):,} begin with {chips(s["prefix"])}' if s['prefix'] else count(len(items))
    return panel(header(name, 'within the lasso' if s['lasso'] else '', csv_button('lit', 'maps.lit')),
                 listed(rows, 'list scroll'), more, result='prefix lasso')

def api(a):
    def item_card(item: int)->dict:
        "An item: key, title, brand, categories, Semantic ID, purchases in training, place on both maps."
        checked(a, item)
        place = [None if m is None else m[item].tolist() for m in a.maps]
        return dict(item=item, key=a.keys[item], title=a.titles[item], brand=str(a.field(item, 'brand')),
                    categories=str(a.field(item, 'categories')), bought=int(a.bought[item]),
                    semantic_id=a.ids.codes[item].tolist() if a.ids else None, places=place)
    def neighbours(item: int, k: int = 10)->list[dict]:
        "The k nearest items by the cosine of their vectors."
        checked(a, item)
        if a.vectors is None: raise InputError('the tokenizer folder has no vectors')
        near = a.beside(item, k)
        return [dict(item=i, title=a.titles[i], cosine=c) for i, c in near]
    def map_places(codes: bool = False)->list[list[float]]:
        "Place of every item on the map of vectors, or of what their codes say."
        xy = a.maps[int(codes)]
        if xy is None: raise InputError(a.missing.get('map', 'there is no such map'))
        return xy.tolist()
    def items_within(corners: list[float], codes: bool = False)->list[int]:
        "The items within a lasso, x, y, x, y, … on the map of vectors, or of what their codes say."
        if len(corners) < 6 or len(corners) % 2:
            raise InputError(f'{len(corners)} numbers are no lasso; give x and y of three corners or more')
        return a.inside([1 + int(codes), *map(float, corners)]).tolist()
    def map_colours(color: str)->dict:
        "What the maps are coloured by: a whole number for each item, and what each number means."
        if color not in a.colours:
            raise InputError(f'there is no colour {color!r}; take one of {", ".join(a.colours)}')
        values = a.colours[color].tolist()
        return dict(values=values, names={str(v): a.colour_name(color, v) for v in sorted(set(values))})
    return [item_card, neighbours, map_places, items_within, map_colours]

def checked(a, item):
    "Raises `InputError` for an unknown item."
    if not 0 <= item < a.n_items: raise InputError(f'item {item} is unknown; ids run from 0 to '
                                                   f'{a.n_items - 1}')
