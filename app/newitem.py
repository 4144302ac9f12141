"New item: a title and a description become a vector, a Semantic ID, a place, and recommendations."
import numpy as np, polars as pl

from tiger_nb.explain import ranks_of, who_sees
from tiger_nb.maps import place_new
from tiger_nb.plots import heatmap
from tiger_nb.recommender import InputError

from .grown import Grown, encoded, grown
from .maps import figure, legend
from .recommend import pair
from .render import (button, chips, csv, csv_button, drawing, esc, figures, header, item, join, later,
                     listed, note, panel, table)

TITLE = 'New item'
HINT = ('Type a title and a description. The frozen tokenizer gives the item a Semantic ID; nothing is '
        'trained, and nobody else sees your item.')
USERS = 200   # test users that are asked
BASE, PLACE = 'maps.points map1', 'Map with the new item'

def view(a, s):
    "The form, and what becomes of the item."
    form = (f'<form class="panel form"><h3>A new item</h3><label class="field">Title<input data-key="title" '
            f'maxlength="300" value="{esc(s["title"])}" placeholder="what it is called"></label>'
            f'<label class="field">Description<textarea data-key="about" rows="4" maxlength="2000">'
            f'{esc(s["about"])}</textarea></label>'
            '<button class="do main" type="submit">Encode it</button></form>')
    if not s['title'].strip(): return dict(html=form + panel(note('Nothing has been typed yet. Its codes, '
                                                                  'its place and its users are shown here.')))
    g = grown(a, s)
    body, tables = table('margins', g.found['levels'], 'Level by level', form='.4f')
    near = [item(a, i, before=f'<span class="score">{c:.2f}</span>') for i, c in g.found['near']]
    asked = later('newitem.who', f'Asking {min(USERS, len(a.split.users))} test users …')
    tables['nearest'] = csv(pl.DataFrame(g.found['near'], schema=['item', 'cosine'], orient='row'))
    made = dict(vector=vector_rows(a, g))
    left = (panel(header('Its Semantic ID', '', chips(g.found['codes'].tolist())), body, offer(s),
                  result='encode') + asked
            + panel(header('Its vector', 'its numbers as colours; below it what its codes keep, and its '
                                         'nearest item'),
                    drawing('vector', 'Vector of the new item', 170))
            + panel(header('Its nearest items', 'by cosine', csv_button('nearest')), listed(near, 'list')))
    place = None if a.maps[0] is None else place_new(g.found['vector'][0], a.vectors, a.maps[0])
    right = ''
    if place is not None:
        made['place'] = figure(a, dict(history=[], color=s['color'], item=None), 0, None, {}, place)
        right = panel(header('Its place on the map', 'as UMAP places it: between its fifteen nearest, '
                                                     'weighted'),
                      f'<div class="maps one">{drawing("place", PLACE, 520, "item", base=BASE)}</div>',
                      legend(a, s))
    if s['added'] and s['history']:
        right = later('newitem.lists', 'Asking for your lists …', result='added') + right
    html = f'{form}<div class="two even"><div>{left}</div><div>{right}</div></div>'
    return dict(html=html, figures=figures(**made), tables=tables)

def vector_rows(a, g):
    "The new vector, what its codes keep of it, and the vector of its nearest item, as a heat map."
    made = a.tokenizer.quantizer.decode(g.found['codes'][None])[0]
    rows = {'the new item': g.found['vector'][0], 'what its codes keep': made}
    if g.found['near']: rows['its nearest item'] = a.vectors[g.found['near'][0][0]]
    fig = heatmap(np.stack(list(rows.values())), list(rows), list(range(len(made))), title='')
    return fig.update_layout(height=170, margin=dict(t=8)).update_xaxes(showticklabels=False)

def offer(s):
    "A button that adds the item to the visitor's catalogue, or takes it out again."
    if not s['added']: return button('set', 'Add the item to my catalogue', 'Add it to my catalogue', 'main',
                                     key='added', value=1)
    out = button('set', 'Take the item out of my catalogue', 'Take it out again', 'text', key='added',
                 value=0)
    return note(f'It stands in your catalogue: your lists on Recommend and Compare may hold it. {out}')

def lists(a, s):
    "The lists after the visitor's own history, with the new item where it has earned a place."
    g, made = grown(a, s), []
    for name in pair(a):
        items, _, _ = g.ask(name, s['history'], s['k'])
        rows = [item(g, i, after='<span class="badge">new</span>' if i == a.n_items else '') for i in items]
        where = (f'rank {items.index(a.n_items) + 1}' if a.n_items in items else
                 esc(g.why.get(name, f'not among the first {len(items)}')))
        made.append(panel(header(esc(a.name(name)), f'the new item: {where}'), listed(rows, 'list')))
    return dict(html=f'<div class="two even">{join("<div>{}</div>".format, made)}</div>')

def seen_by(a, g, name, users=USERS):
    "How many test users are asked, and (user, rank) of those in whose list of ten the item stands."
    rows = np.linspace(0, len(a.split.users) - 1, min(users, len(a.split.users))).astype(int).tolist()
    with a.turns: seen = who_sees(g.models[name], a.n_items, [a.history(e) for e in rows], 10)
    return len(rows), [(rows[r], place) for r, place in seen]

def who(a, s):
    "For which test users it would be recommended, and its rank after the visitor's own history."
    g = grown(a, s)
    name = s['model'] if s['model'] in g.models else next(iter(g.models), None)
    if name is None or name in g.why:
        return dict(html=panel(header('Who would see it?'),
                               note(esc(g.why.get(name, 'There is no model that could recommend it.')))))
    rec, (asked, seen) = g.models[name], seen_by(a, g, name)
    own = 'The history is empty, so nothing is recommended to you.'
    if s['history']:
        with a.turns: rank = ranks_of(rec, a.n_items, [s['history']])[0][0]
        own = f'For your history its exact rank is {rank:,} of {a.n_items + 1:,} items.'
    def user(e, place):
        name = a.user_name(e)
        shown = f'{esc(name)}<span class="count">rank {place}</span>'
        return button('user', f'Take the history of {name}', shown, 'row', user=e)
    head = header('Who would see it?', f'{esc(a.name(name))}: in the list of ten of {len(seen)} of '
                                       f'{asked} test users', csv_button('seen'))
    users = listed([user(e, p) for e, p in seen[:12]], 'found') if seen else ''
    kept = csv(pl.DataFrame(seen, schema=['user', 'rank'], orient='row'))
    return dict(html=panel(head, note(own), users), tables=dict(seen=kept))

PARTS = dict(who=who, lists=lists)

def api(a):
    def encode_item(title: str, description: str = '')->dict:
        "Codes of a new item, level by level with the margin to the runner-up, its nearest items and place."
        found = encoded(a, title, description)
        place = [] if a.maps[0] is None else place_new(found['vector'][0], a.vectors, a.maps[0]).tolist()
        return dict(codes=found['codes'].tolist(), levels=found['levels'].to_dicts(), place=place,
                    neighbours=[dict(item=i, title=a.titles[i], cosine=c) for i, c in found['near']])
    def recommend_with_item(history: list[int], title: str, description: str = '', model: str = a.first,
                            k: int = 10)->list[dict]:
        "Recommendations over the catalogue and one new item, whose number is the last; nothing is kept."
        g = Grown(a, title, description)
        if model in g.why: raise InputError(g.why[model])
        items, scores, exact = g.ask(model, history, k)
        return [dict(rank=r, item=i, key=g.keys[i], title=g.titles[i], score=v, exact=exact)
                for r, (i, v) in enumerate(zip(items, scores), 1)]
    def who_sees_item(title: str, description: str = '', model: str = a.first, users: int = 200)->list[dict]:
        "Test users (row) in whose list of ten a new item would stand, with its rank there."
        g = Grown(a, title, description)
        if model not in g.models: raise InputError(f'there is no model {model!r}')
        if model in g.why: raise InputError(g.why[model])
        _, seen = seen_by(a, g, model, users)
        return [dict(user=e, name=a.user_name(e), rank=p) for e, p in seen]
    return [encode_item, recommend_with_item, who_sees_item]
