"Diversity: what a temperature for each level does to lists."
import polars as pl

from tiger_nb.compare import diversity, drawn_list
from tiger_nb.recommender import InputError
from tiger_nb.plots import curves

from .render import (capital, csv, csv_button, drawing, esc, field, figures, header, item, join, later,
                     listed, note, panel, table)

TITLE = 'Diversity'
HINT = ('A temperature for each level: below 1 the likely codes win, above 1 the others get a chance. A '
        'warm first level changes the kind of item, a warm last one its variant.')
LADDER = (.1, .5, 1., 1.5, 2.)
USERS = 60

def view(a, s):
    "Sliders, and later what they do."
    if not a.generative: return dict(html=panel(note('There is no generative model, so nothing can be '
                                                     'sampled.', 'warn')))
    models = field('model', 'Model', {n: a.name(n) for n in a.generative}, s['model'])
    def slider(l, t):
        return (f'<label class="field">Level {l + 1}<span class="slide"><input type="range" min="0.1" '
                f'max="3" step="0.1" value="{t}" '
                f'data-level="{l}" aria-label="Temperature of level {l + 1}">'
                f'<output>{t:.2f}</output></span></label>')
    sliders = join(slider, range(a.ids.n_levels), temperatures(a, s))
    tools = panel(header('Temperature', f'ten items are drawn for each of {USERS} test users', models),
                  f'<div class="sliders">{sliders}</div>')
    return dict(html=tools + later('diversity.now', 'Drawing …') + later('diversity.ladder',
                                                                         'Drawing at five temperatures …'))

def temperatures(a, s):
    "One a level."
    t = s['temperature']
    return t if len(t) == a.ids.n_levels else [1.] * a.ids.n_levels

def numbers(found): return {k: v for k, v in found.items() if k not in ('rows', 'items')}

def now(a, s):
    "The numbers at these temperatures, and the lists of three users."
    with a.turns: found = diversity(a.models[s['model']], a.dataset, temperatures(a, s), a.vectors, USERS)
    body, tables = table('diversity', pl.DataFrame([numbers(found)]), 'At these temperatures', form='.3f')
    def one(name, target, items):
        star = lambda i: '<span class="star">★</span> ' if i == target else ''
        rows = [item(a, i, before=star(i)) for i in items if i >= 0]
        return panel(header(esc(name), 'drawn without repeats'), listed(rows, 'list'))
    shown = [(capital(a.user_name(e)), int(a.split.test_targets[e]), items)
             for e, items in zip(found['rows'][:3].tolist(), found['items'][:3].tolist())]
    if s['history']: # the visitor's own first
        with a.turns: own = drawn_list(a.models[s['model']], s['history'], temperatures(a, s))
        shown = [('Your history', a.held_out(s['user'], s['history']), own), *shown[:2]]
    drawn = pl.concat([a.named([i for i in items if i >= 0]).insert_column(0, pl.lit(name).alias('list'))
                       for name, _, items in shown])
    lists = join(lambda x: one(*x), shown)
    save = f'<div class="tools">{csv_button("drawn", what="The lists as")}</div>'
    return dict(html=panel(body) + f'<div class="many3">{lists}</div>{save}',
                tables=tables | dict(drawn=csv(drawn)))

def ladder(a, s):
    "The paper's table, live: one temperature for all levels."
    rows = []
    for t in LADDER:
        with a.turns: found = diversity(a.models[s['model']], a.dataset, t, a.vectors, USERS)
        rows.append(dict(temperature=t) | numbers(found))
    frame = pl.DataFrame(rows)
    share = [c for c in frame.columns if c not in ('temperature', 'entropy', 'categories', 'distinct items')]
    body, tables = table('ladder', frame, 'The same temperature at every level', form='.3f')
    fig = curves({c: (frame['temperature'], frame[c]) for c in share}, title='', x_title='temperature',
                 y_title='share')
    fig.update_layout(height=280, margin=dict(t=40))
    return dict(html=panel(body, drawing('ladder', 'Diversity and hits by temperature', 280),
                           note('Rajput et al. 2023, table 8, on this data'
                                + (': entropy is that of the categories of all drawn items, in bits.'
                                   if 'entropy' in frame.columns else
                                   '. No categories are known, so there is no entropy.'))),
                figures=figures(ladder=fig), tables=tables)

PARTS = dict(now=now, ladder=ladder)

def api(a):
    def drawn_by(model):
        if model in a.generative: return a.models[model]
        raise InputError(f'model {model!r} writes no Semantic IDs; take one of {", ".join(a.generative)}')
    def by_level(temperature):
        t = [float(x) for x in temperature] or [1.]
        return t if len(t) > 1 else t[0]
    def sample_diversity(temperature: list[float], model: str = a.first, users: int = 60)->dict:
        "Entropy, distinct items, intra-list diversity and hits of lists drawn at a temperature a level."
        rec, t = drawn_by(model), by_level(temperature)
        with a.turns: return numbers(diversity(rec, a.dataset, t, a.vectors, users))
    def draw_list(history: list[int], temperature: list[float], model: str = a.first,
                  k: int = 10)->list[dict]:
        "Items drawn after a history at one temperature, or one a level."
        rec, t = drawn_by(model), by_level(temperature)
        with a.turns: items = drawn_list(rec, history, t, k)
        return [dict(item=i, key=a.keys[i], title=a.titles[i]) for i in items]
    return [sample_diversity, draw_list]
