"Compare: every bundle on the same history, and where each of them wins over all test users."
import polars as pl

from tiger_nb.code_plots import rank_flow
from tiger_nb.compare import by_group, lost_levels, moves, overlap
from tiger_nb.recommender import InputError
from tiger_nb.plots import bars

from .recommend import verdict
from .render import (add, button, csv, csv_button, drawing, esc, field, figures, header, item, join, later,
                     later_on, note, panel, sentence, table)
from .state import divisions

TITLE = 'Compare'
HINT = ('Every bundle answers the same history. Lines show how far an item moves between two lists. Below: '
        'for which users each model wins, and at which level targets are lost.')

def view(a, s):
    "The lists side by side, and later the tables over all users."
    if not a.models: return dict(html=panel(note('There are no bundles to compare; train one with '
                                                 'tiger_train.', 'warn')))
    if not s['history']: return dict(html=panel(note('The history is empty: build one in Recommend, or '
                                                     'choose a user.')))
    target, lists, columns, tables = a.held_out(s['user'], s['history']), {}, [], {}
    for name in chosen(a, s):
        try: lists[name] = a.ask(name, s['history'], s['k'])[0]
        except InputError as e: columns.append(panel(header(esc(a.name(name))), note(sentence(e))))
        else: columns.append(column(a, s, name, lists[name], target))
    names = {n: a.name(n) for n in lists}
    said = {names[n]: l for n, l in lists.items()}
    ranks = moves(said).with_columns(pl.col('item').replace_strict(dict(enumerate(a.titles))).alias('title'))
    shared, more = table('overlap', overlap(said), 'Items in common', form='.0f')
    tables |= more | {'ranks': csv(ranks)}
    switch = join(lambda n: button('side', f'Show the list of {names[n]}', esc(names[n]), 'text', side=n),
                  names)
    fig = rank_flow(said, a.titles, target, title='')
    fig.update_layout(margin=dict(t=12), height=fig.layout.height - 44)
    for t in fig.data:   # what is not selected stands back
        if any(s['item'] in x for x in said.values()) and t.customdata[0] != s['item']: t.opacity = .25
    by = field('by', 'Divide test users by', {g: g for g in divisions(a)}, s['by'])
    flow = panel(header('How far items move', 'a click selects an item', csv_button('ranks')),
                 drawing('flow', 'Ranks of items in each list', fig.layout.height, 'item'), result='select')
    wins = header('Where each model wins', 'over stored lists of the test users', by)
    html = (f'{controls(a, s)}<div class="switch"><small>List in sight</small>{switch}</div>'
            f'<div class="sides many" data-side="{next(iter(names), "")}">{"".join(columns)}</div>'
            f'<div class="three">{flow}{panel(shared)}</div>'
            + panel(wins, later('compare.groups', 'Reading the lists of the test users …')))
    return dict(html=html, figures=figures(flow=fig), tables=tables)

def chosen(a, s): return [n for n in a.models if n in s['shown']] or list(a.models)

def controls(a, s):
    "Which bundles are shown, and how long their lists are."
    on, every = chosen(a, s), ','.join(a.models)
    toggle = lambda n: button('toggle', f'Show or hide {a.name(n)}', esc(a.name(n)), 'text', pressed=n in on,
                              name=n, all=every)
    length = field('k', 'Length of the lists', {k: str(k) for k in sorted({5, 10, 20, 50, s['k']})}, s['k'])
    return (f'<div class="tools controls"><span class="field">Bundles that are compared<span class="tools">'
            f'{join(toggle, a.models)}</span></span>{length}</div>')

def whom(a, told):
    "Over how many test users the lists are kept."
    n, every = len(next(iter(told.values()))), len(a.split.users)
    return (f'all {every:,} test users' if n == every else
            f'{n:,} of {every:,} test users, drawn by a seed; the lists of all are not made yet')

def fewer(table, most=12):
    "A table of `by_group` whose groups after the first `most` - 1 are one row, 'others (n)'."
    if len(table) <= most: return table
    rest, users = table[most - 1:], pl.col('users')
    means = [(pl.col(c) * users).sum() / users.sum() for c in table.columns if c not in ('group', 'users')]
    others = rest.select(pl.lit(f'others ({len(rest)})').alias('group'), users.sum(), *means)
    return pl.concat([table[:most - 1], others.cast(dict(table.schema))])

def column(a, s, name, ranked, target):
    "One model's list, short."
    def row(rank, i):
        star = '<span class="star" aria-hidden="true">★</span> ' if i == target else ''
        kind = ('hit ' if i == target else '') + ('picked' if i == s['item'] else '')
        return (f'<li class="{kind}" data-item="{i}"><span class="rank">{rank}</span>'
                f'{item(a, i, before=star)}{add(a, i)}</li>')
    rows = join(row, range(1, len(ranked) + 1), ranked)
    body = f'{verdict(target, ranked, s["history"])}<ol class="list">{rows}</ol>'
    return f'<div class="side" data-name="{name}">{panel(header(esc(a.name(name))), body)}</div>'

def groups(a, s):
    "Hits by group of users, and the level at which targets are lost."
    if a.wait_for(1): return later_on('Every bundle answers the test users, once …')
    making, every = a.making, a.all_told   # asked in this order: what is kept as final must be
    told = {n: every[n] for n in chosen(a, s)}
    if not told: return dict(html=note('No bundle has lists of the test users.'))
    shown = fewer(by_group({a.name(n): t for n, t in told.items()}, a.dataset, s['by'], 10))
    body, tables = table('groups', shown, form='.3f')
    names = [c for c in shown.columns if c not in ('group', 'users')]
    labels = [f'{g} ({n:,})' for g, n in zip(shown['group'], shown['users'])]
    made = dict(groups=bars(labels, {n: shown[n].to_list() for n in names}, title='', y_title='Recall@10',
                            form='').update_layout(height=340))
    html = note(esc(f'By {s["by"]}: {a.divisions[s["by"]]}. Shares of users whose target is in the list of '
                    f'ten; {whom(a, told)}.'))
    html += drawing('groups', 'Recall by group of users', 340) + body
    if a.ids:
        levels = [f'level {l}' for l in range(1, a.ids.n_levels + 1)] + ['found']
        lost = {a.name(n): lost_levels(t, a.ids).tolist() for n, t in told.items()}
        made['levels'] = bars(levels, lost, title='', y_title='share of users',
                              form='').update_layout(height=320)
        html += '<h4>At which level of the code is the target lost?</h4>' + drawing('levels',
                'Level at which targets are lost', 320)
        tables['levels'] = csv(pl.DataFrame(dict(level=levels, **lost)))
        html += f'<div class="tools">{csv_button("levels")}</div>'
    part = len(next(iter(told.values()))) < len(a.split.users)
    return dict(html=html, figures=figures(**made), tables=tables, fresh=part and making)

PARTS = dict(groups=groups)

def api(a):
    def compare(history: list[int], k: int = 10)->dict:
        "After one history, `lists` of item ids by model, `ranks`, a row an item, and `overlap` of the lists."
        lists = {n: a.ask(n, history, k)[0] for n in a.models}
        return dict(lists=lists, ranks=moves(lists).to_dicts(), overlap=overlap(lists).to_dicts())
    def where_models_win(by: str = 'history length')->list[dict]:
        "Recall@10 of each bundle in groups of test users, by history length, popularity, category or step."
        if by not in divisions(a):
            raise InputError(f'division {by!r} is unknown here; take one of {", ".join(divisions(a))}')
        return by_group(a.all_told, a.dataset, by, 10).to_dicts()
    def levels_lost(model: str = a.first)->list[float]:
        "Share of test users whose target is lost at level 1 … L of its Semantic ID, and the share found."
        if model not in a.models or a.ids is None:
            raise InputError(f'there is no model {model!r}; take one of {", ".join(a.models)}')
        return lost_levels(a.all_told[model], a.ids).tolist()
    return [compare, where_models_win, levels_lost]
