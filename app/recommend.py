"Recommend: a history, two lists, the beam tree, where the held-out item was lost, and why an item."
import polars as pl

from tiger_nb.code_plots import beam_figure
from tiger_nb.explain import attention, beam_tree, counterfactuals, where_lost
from tiger_nb.recommender import InputError
from tiger_nb.plots import bars, curves, heatmap

from .render import (add, button, count, csv, csv_button, drawing, esc, field, figures, header, item,
                     join,
                     later, note, panel, search, sentence, table)

TITLE = 'Recommend'
HINT = ('Pick a user or build a history. Drag or use the arrows to reorder it. The tree below shows every '
        'code '
        'that stayed in the beam and every one that was pruned.')

def pair(a):
    "The two models that are shown side by side."
    return [n for n in ([*a.generative[:1], 'sasrec'] if 'sasrec' in a.models else list(a.models)[:2])
            if n in a.models]

def view(a, s):
    "The history on the left, the lists on the right, the explanations below."
    hint = 'words of its title, or 12, 200, *' if a.dataset.has_text else 'its key or number, or 12, 200, *'
    missing = join(lambda k: note(esc(a.missing[k])), [k for k in ('titles', 'tiger', 'sasrec')
                                                       if k in a.missing])
    left = search('users', 'Choose a user', 'number or key') + search('add', 'Add an item',
                                                                      hint) + history(a, s)
    shown = pair(a)
    tables = {}
    lists = join(lambda name: model_list(a, s, name, tables), shown)
    switch = join(lambda n: button('side', f'Show the list of {a.name(n)}', esc(a.name(n)), 'text', side=n),
                  shown)
    side = f'<div class="sides" data-side="{shown[0] if shown else ""}">{lists}</div>'
    right = f'{held_out(a, s)}<div class="switch">{switch}</div>{side}'
    more = explanations(a, s) if a.generative and s['history'] else ''
    return dict(html=f'{missing}<div class="two"><div>{left}</div><div>{right}</div></div>{more}',
                tables=tables)

def history(a, s):
    "The history, the newest item on top; rows can be dragged."
    user, items = s['user'], s['history']
    real = user is not None and items == a.history(user)
    hit, miss = a.examples
    chosen = {hit: 'chosen: its held-out item is found',
              miss: 'chosen: its held-out item is missed'}.get(user, '')
    name = 'Your own history' if user is None else esc(a.user_name(user)).replace('user', 'User', 1)
    tools = [button('undo', 'Undo the last change', '↶ Undo', 'text'),
             button('user', 'Another user, drawn by chance', 'Any user', 'text', user=-1)]
    if hit is not None: tools.append(button('user', 'A user chosen because the item is found', 'A hit',
                                            'text', user=hit))
    if miss is not None: tools.append(button('user', 'A user chosen because the item is missed', 'A miss',
                                             'text', user=miss))
    if user is not None and not real: tools.append(button('restore', 'Back to the real history', 'Restore',
                                                          'text'))
    if items: tools.append(button('clear', 'Remove all items', 'Clear', 'text'))
    edited = '' if real or user is None else ' <em>edited</em>'
    small = f'{count(len(items))}, the newest first{" · " + chosen if chosen and real else ""}'
    head = header(name + edited, small) + f'<div class="tools">{"".join(tools)}</div>'
    def row(at):
        up = button('move', f'Make it newer: {a.titles[items[at]]}', '↑', at=at,
                    to=at + 1) if at < len(items) - 1 else ''
        down = button('move', f'Make it older: {a.titles[items[at]]}', '↓', at=at, to=at - 1) if at else ''
        gone = button('remove', f'Remove {a.titles[items[at]]}', '×', at=at)
        return (f'<li draggable="true" data-at="{at}"><span class="rank">{at + 1}</span>{item(a, items[at])}'
                f'<span class="tools">{up}{down}{gone}</span></li>')
    rows = join(row, reversed(range(len(items))))
    body = f'<ol class="list scroll" id="history">{rows}</ol>' if items else note(
        'Nothing here yet: search for an item above, or choose a user.')
    return panel(head, body)

def held_out(a, s):
    "What the user really took next, or why nothing is held out."
    target = a.held_out(s['user'], s['history'])
    if target is None:
        why = 'An edited history has no held-out item: nobody knows what would come next.'
        return note(why) if s['history'] else ''
    return (f'<div class="held"><span class="star" aria-hidden="true">★</span><div><small>Held out: what '
            f'this user '
            f'took next</small>{item(a, target)}</div></div>')

def verdict(target, ranked, items):
    "The place of the held-out item in a list, as a sentence."
    if target is None: return ''
    said = lambda what, kind='': f'<p class="verdict {kind}">{what}</p>'
    if target in ranked: return said(f'★ held-out item: rank {ranked.index(target) + 1}', 'hit')
    if target in items: return said('held-out item: already in the history, whose items are left out')
    return said(f'held-out item: not in the top {len(ranked)}')

SCORES = {True: 'log-probability, by beam search', False: 'score of every item'}

def model_list(a, s, name, tables):
    "One model's list with scores and certificate."
    target = a.held_out(s['user'], s['history'])
    try: ranked, scores, exact = a.ask(name, s['history'], s['k'])
    except InputError as e:
        said = panel(header(esc(a.name(name))), note(sentence(e)))
        return f'<div class="side" data-name="{name}">{said}</div>'
    def row(rank, i, score, shared):
        star, badge = ('<span class="star" aria-hidden="true">★</span> ',
                       '<span class="badge">held out</span>') if i == target else ('', '')
        on = ' picked' if i == s['item'] else ''
        return (f'<li class="{"hit" if i == target else ""}{on}" data-item="{i}"><span class="rank">{rank}'
                f'</span>'
                f'{item(a, i, shared, star, badge)}<span class="score">{score:.2f}</span>{add(a, i)}</li>')
    shared = a.shared(ranked, s['history']) if name in a.generative else [0] * len(ranked)
    rows = join(row, range(1, len(ranked) + 1), ranked, scores, shared)
    tables[name] = csv(pl.DataFrame(dict(rank=range(1, len(ranked) + 1), item=ranked,
                                         key=[a.keys[i] for i in ranked],
                                         title=[a.titles[i] for i in ranked], score=scores)))
    sure = 'provably the best list' if exact else 'best list found, not proved'
    seal = f'<span class="seal {"yes" if exact else ""}">{sure}</span>'
    made = ','.join(map(str, s['history']))
    head = header(esc(a.name(name)), SCORES[name in a.generative], csv_button(name))
    body = f'{seal}{verdict(target, ranked, s["history"])}<ol class="list" data-history="{made}">{rows}</ol>'
    return f'<div class="side" data-name="{name}" id="{name}-list">{panel(head, body)}</div>'

# ---- explanations --------
def explanations(a, s):
    "Three places that are filled later, and what they can be asked for."
    models = field('model', 'Model', {n: a.name(n) for n in a.generative}, s['model'])
    beams = field('beams', 'Beam width', {n: str(n) for n in sorted({5, 10, 20, 50, s['beams']})}, s['beams'])
    grow = button('grow', 'Let the tree grow level by level', '▶ Grow the tree', 'text')
    return (panel(header('The beam tree', 'which codes were kept, and which were pruned',
                         models + beams + grow),
                  later('recommend.beam', 'Searching …'), kind='wide-panel')
            + f'<div class="two even">{later("recommend.lost")}{later("recommend.why")}</div>')

def subject(a, s):
    "The item that is asked about: the selected one, else the held-out one, else the first of the list."
    target = a.held_out(s['user'], s['history'])
    if s['item'] is not None and s['item'] not in s['history']: return s['item']
    if target is not None and target not in s['history']: return target
    return a.ask(s['model'], s['history'], 1)[0][0]

def beam(a, s):
    "The tree as a figure, which app.js lets grow, and where the probability went."
    with a.turns: tree = beam_tree(a.models[s['model']], s['history'], s['beams'])
    i = subject(a, s)
    fig = beam_figure(tree.nodes, a.titles, a.ids.codes[i].tolist(), title='')
    shares = tree.mass.with_columns(pl.exclude('level') * 100)
    lost = float(tree.mass['invalid'].sum())
    free = (f'On IDs that do not exist the free model would have put at least {lost:.2%} of its probability: '
            'that much the beam’s own prefixes lose to codes without an item.' if lost > 1e-6 else
            'This model puts nothing on IDs that do not exist: it has a vector for each prefix that does.')
    said = note(f'{free} The orange star is {esc(a.titles[i])}.')
    tree_csv = csv_button('beam', '', 'Tree')
    body, tables = table('mass', shares, 'Where the probability goes, per cent', tree_csv, '.2f')
    flat = tree.nodes.select('level', 'prefix', 'log_prob', 'score', 'kept', 'seen', 'items', title=pl.Series(
        [a.titles[e] for e in tree.nodes['example']]))
    html = drawing('beam', 'Tree of the beam search', fig.layout.height, 'prefix')
    return dict(html=html + said + body, figures=figures(beam=fig),
                tables=tables | {'beam': csv(flat)})

def lost(a, s):
    "Rank and probability of an item's prefix at each level."
    i = subject(a, s)
    with a.turns: fate = where_lost(a.models[s['model']], s['history'], i, s['beams'])
    stays = (f'It stays to the end of a beam of {s["beams"]}.' if fate.lost_at is None else
             f'It fell out of the beam at level {fate.lost_at}; a width of {fate.width} would have kept it.')
    levels = fate.levels
    fig = curves({'rank of its prefix': (levels['level'], levels['rank'])}, title='', x_title='level',
                 y_title='exact rank', hlines={'beam width': s['beams']}, log_y=True, form='.0f')
    fig.update_layout(height=230, margin=dict(t=16)).update_xaxes(dtick=1)
    shown = levels.with_columns(pl.col('prefix').list.eval(pl.element().cast(pl.String)).list.join(' '))
    body, tables = table('lost', shown)
    head = header('Where was it lost?', f'{esc(a.titles[i])}: exact rank {fate.rank} of all items')
    return dict(html=panel(head, f'<p class="verdict {"hit" if fate.lost_at is None else ""}">{stays}</p>',
                           drawing('lost', 'Rank of the prefix by level', 230), body),
                figures=figures(lost=fig), tables=tables)

def why(a, s):
    "Attention and counterfactual ranks side by side."
    i, rec = subject(a, s), a.models[s['model']]
    head = header('Why this item?', f'{esc(a.titles[i])}: what its rank would be without each item of the '
                                    f'history')
    newest = s['history'][-20:]
    with a.turns: changes = counterfactuals(rec, newest, i)
    try: looked = attention(rec, newest, i)
    except InputError: looked = None
    names = [f'{p}. {t[:24]}' for p, t in zip(changes['position'], changes['title'])]
    change = changes['change'].to_list()
    fig = bars(names[::-1], change[::-1], title='', x_title='places lost without it', horizontal=True,
               form='+.0f')
    made = {'change': fig.update_layout(height=90 + 24 * len(names), margin=dict(t=16))}
    body = '<h4>Counterfactual: places lost when it is removed</h4>' + drawing('change', 'Change of rank',
                                                                               fig.layout.height)
    if looked is not None:
        levels = [f'level {l}' for l in range(1, len(looked) + 1)]
        made['looked'] = heatmap(looked.T[::-1], names[::-1], levels, title='').update_layout(
            height=90 + 24 * len(names), margin=dict(t=16))
        body += '<h4>Where the decoder looked</h4>' + drawing('looked', 'Attention by level',
                                                              made['looked'].layout.height)
        changes = changes.with_columns(attention=pl.Series(looked.mean(0)))
    return dict(html=panel(head, csv_button('why'), body), figures=figures(**made),
                tables={'why': csv(changes)})

PARTS = dict(beam=beam, lost=lost, why=why)

# ---- the same as functions --------
def api(a):
    def recommend(history: list[int], model: str = 'tiger', k: int = 10)->list[dict]:
        "The k best next items after item ids (oldest first): rank, item, key, title, score, exact."
        ranked, scores, exact = a.ask(model, list(history), min(max(int(k), 1), 50))
        return [dict(rank=r, item=i, key=a.keys[i], title=a.titles[i], score=v, exact=exact)
                for r, (i, v) in enumerate(zip(ranked, scores), 1)]
    def user_history(user: int)->dict:
        "An evaluated user by row (0, 1, …): name, item ids oldest first, and the held-out item."
        if not 0 <= user < len(a.split.users): raise InputError(f'user {user} is unknown; rows run from 0 '
                                                                f'to {len(a.split.users) - 1}')
        return dict(name=a.user_name(user), history=a.history(user), held_out=int(a.split.test_targets[user]))
    def find_items(query: str)->list[dict]:
        "Items with all words of the query, or whose Semantic ID begins with codes such as '12, 200, *'."
        return [dict(item=i, key=a.keys[i], title=a.titles[i]) for i in a.find_items(query[:200])]
    def find_users(query: str)->list[dict]:
        "Evaluated users whose number or key holds the query."
        return [dict(user=e, name=a.user_name(e)) for e in a.find_users(query[:200])]
    def beam(history: list[int], model: str = 'tiger', beams: int = 10)->dict:
        "The tree of one beam search: `nodes`, a row a prefix, and `mass`, where the probability went."
        with a.turns: tree = beam_tree(generative(a, model), list(history), min(int(beams), 200))
        return dict(nodes=tree.nodes.to_dicts(), mass=tree.mass.to_dicts())
    def lost(history: list[int], item: int, model: str = 'tiger', beams: int = 10)->dict:
        "By level the rank and probability of an item's prefix, where it fell out, the width that keeps it."
        with a.turns: fate = where_lost(generative(a, model), list(history), item, min(int(beams), 200))
        return dict(levels=fate.levels.to_dicts(), lost_at=fate.lost_at, width=fate.width, rank=fate.rank)
    def why(history: list[int], item: int, model: str = 'tiger')->list[dict]:
        "How the rank of an item changes when each item of a history is removed (at most 20 items)."
        with a.turns: return counterfactuals(generative(a, model), list(history)[-20:], item).to_dicts()
    return [recommend, user_history, find_items, find_users, beam, lost, why]

def generative(a, model):
    "A generative model by name; raises `InputError` for another."
    if model in a.generative: return a.models[model]
    raise InputError(f'model {model!r} writes no Semantic IDs or is unknown; take one of '
                     f'{", ".join(a.generative)}')
