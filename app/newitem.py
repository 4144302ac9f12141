"New item: a title and a description become a vector, a Semantic ID, a place, and recommendations."
import numpy as np, polars as pl

from tiger_nb.code_plots import place_new
from tiger_nb.explain import ranks_of, who_sees, with_item
from tiger_nb.recommender import InputError

from .maps import figure
from .render import (button, chips, drawing, esc, figures, header, item, later, listed, note, panel, table)

TITLE = 'New item'
HINT = ('Type a title and a description. The frozen tokenizer gives the item a Semantic ID; nothing is '
        'trained, and '
        'nobody else sees your item.')
USERS = 200   # test users that are asked
BASE, PLACE = 'maps.points map1', 'Map with the new item'

def view(a, s):
    "The form, and what becomes of the item."
    form = (f'<form class="panel form"><h3>A new item</h3><label class="field">Title<input data-key="title" '
            f'maxlength="300" '
            f'value="{esc(s["title"])}" placeholder="what it is called"></label>'
            f'<label class="field">Description'
            f'<textarea data-key="about" rows="4" maxlength="2000">{esc(s["about"])}</textarea></label>'
            '<button class="do main" type="submit">Encode it</button></form>')
    if not s['title'].strip(): return dict(html=form + panel(note('Nothing has been typed yet. Its codes, '
                                                                  'its place and its users are shown here.')))
    found = encoded(a, s['title'], s['about'])
    place = None if a.maps[0] is None else place_new(found['vector'], a.vectors, a.maps[0])
    body, tables = table('margins', pl.DataFrame(found['levels']), 'Its Semantic ID, level by level',
                         form='.4f')
    near = [item(a, i, before=f'<span class="score">{c:.2f}</span>') for i, c in found['near']]
    asked = later('newitem.who', f'Asking {min(USERS, len(a.split.users))} test users …')
    left = panel(chips(found['codes']), body) + asked
    html = form + f'<div class="two even"><div>{left}</div><div>'
    html += panel(header('Its nearest items', 'by cosine'), listed(near, 'list')) + '</div></div>'
    made = {}
    if place is not None:
        fig = figure(a, dict(history=[], color=s['color']), a.maps[0], None, {})
        fig.add_scatter(x=[place[0]], y=[place[1]], mode='markers', name='the new item', hoverinfo='name',
                        marker=dict(symbol='star', size=24, color='#D55E00',
                                    line=dict(width=2, color='#FFFFFF')))
        made = figures(place=fig)
        html += panel(header('Its place on the map',
                             'as UMAP places it: between its fifteen nearest, weighted'),
                      f'<div class="maps one">{drawing("place", PLACE, 420, "item", base=BASE)}</div>')
    return dict(html=html, figures=made, tables=tables)

def who(a, s):
    "Who would see it."
    return dict(html=who_sees_it(a, s, encoded(a, s['title'], s['about'])['codes']))

PARTS = dict(who=who)

def encoded(a, title, about):
    "Vector, codes with margins, and neighbours of a text. Raises `InputError` where nothing can encode it."
    t = a.tokenizer
    if t is None or a.vectors is None: raise InputError(a.missing.get('codebooks',
                                                                      'the tokenizer folder cannot be read'))
    if t.encoder is None: raise InputError('the vectors came from a file or from histories, so a text has '
                                           'no vector; tokenize with a text encoder')
    row = {c: '' for c in a.dataset.items.columns} | dict(item=a.n_items, key='new', title=title,
                                                          description=about)
    row |= {'categories': []} if 'categories' in row else {}
    row = {c: row[c] for c in a.dataset.items.columns} | ({}
            if 'description' in a.dataset.items.columns else dict(description=about))
    with a.turns: vector = t.encoder.transform(pl.DataFrame([row]))
    codes, levels = t.encode(vector)[0], []
    for l, c in enumerate(codes):
        d = np.sqrt(t.quantizer.distances(vector, codes[None], l)[0])
        second = int(np.argsort(d)[1]) if len(d) > 1 else None
        levels.append({'level': l + 1, 'code': int(c), 'distance': float(d[c]), 'runner-up': second,
                       'margin': float(d[second] - d[c]) if second is not None else None})
    return dict(vector=vector[0], codes=codes.tolist(), levels=levels, near=a.near(vector[0], 10))

def who_sees_it(a, s, codes):
    "For which test users it would be recommended, and its rank after the visitor's own history."
    try:
        grown = with_item(a.models[s['model']], codes, s['title'])
        rows = np.linspace(0, len(a.split.users) - 1, min(USERS, len(a.split.users))).astype(int)
        with a.turns: seen = who_sees(grown, a.n_items, [a.history(e) for e in rows], 10)
        own = 'The history is empty, so nothing is recommended to you.'
        if s['history']:
            with a.turns: rank = ranks_of(grown, a.n_items, [s['history']])[0][0]
            own = f'For your history its exact rank is {rank:,} of {a.n_items + 1:,} items.'
    except (InputError, KeyError) as e: return panel(header('Who would see it?'),
            note(esc(e) if isinstance(e, InputError) else 'There is no generative model.'))
    def user(r, place):
        name = a.user_name(rows[r])
        shown = f'{esc(name)}<span class="count">rank {place}</span>'
        return button('user', f'Take the history of {name}', shown, 'row', user=rows[r])
    head = header('Who would see it?', f'in the list of ten of {len(seen)} of {len(rows)} test users')
    return panel(head, note(own), listed([user(r, p) for r, p in seen[:12]], 'found') if seen else '')

def api(a):
    def encode_item(title: str, description: str = '')->dict:
        "Codes of a new item, level by level with the margin to the runner-up, and its nearest items."
        found = encoded(a, title[:300], description[:2000])
        return dict(codes=found['codes'], levels=found['levels'],
                    neighbours=[dict(item=i, title=a.titles[i], cosine=c) for i, c in found['near']])
    def recommend_with_item(history: list[int], title: str, description: str = '', model: str = 'tiger',
                            k: int = 10)->list[dict]:
        "Recommendations over the catalogue and one new item, whose number is the last; nothing is kept."
        if model not in a.generative: raise InputError(f'model {model!r} writes no Semantic IDs; take one '
                                                       f'of {", ".join(a.generative)}')
        grown = with_item(a.models[model], encoded(a, title[:300], description[:2000])['codes'], title[:300])
        with a.turns: return grown.recommend(list(history), min(max(int(k), 1), 50)).to_dicts()
    return [encode_item, recommend_with_item]
