"Recommend: a history and two lists; the explanations below them are in beam.py."
import polars as pl

from tiger_nb.presets import MODELS
from tiger_nb.recommender import InputError

from . import beam
from .render import (add, button, capital, count, csv, csv_button, esc, header, item, join, note, panel,
                     search, sentence)

TITLE = 'Recommend'
HINT = ('Pick a user or build a history. Drag or use the arrows to reorder it. The tree below shows every '
        'code that stayed in the beam and the best of those that were pruned.')
PARTS = beam.PARTS

def pair(a):
    "The two models that are shown side by side."
    return [n for n in ([*a.generative[:1], 'sasrec'] if 'sasrec' in a.models else list(a.models)[:2])
            if n in a.models]

def view(a, s):
    "The history on the left, the lists on the right, the explanations below."
    hint = 'words of its title, or 12, 200, *' if a.dataset.has_text else 'its key or number, or 12, 200, *'
    missing = join(lambda k: note(esc(a.missing[k])), [k for k in ('titles', *MODELS) if k in a.missing])
    left = search('users', 'Choose a user', 'number or key') + search('add', 'Add an item',
                                                                      hint) + history(a, s)
    shown = pair(a)
    tables = {}
    lists = join(lambda name: model_list(a, s, name, tables), shown)
    switch = join(lambda n: button('side', f'Show the list of {a.name(n)}', esc(a.name(n)), 'text', side=n),
                  shown)
    side = f'<div class="sides" data-side="{shown[0] if shown else ""}">{lists}</div>'
    right = f'{held_out(a, s)}<div class="switch">{switch}</div>{side}'
    more = beam.explanations(a, s) if a.generative and s['history'] else ''
    return dict(html=f'{missing}<div class="two"><div>{left}</div><div>{right}</div></div>{more}',
                tables=tables)

def history(a, s):
    "The history, the newest item on top; rows can be dragged."
    user, items = s['user'], s['history']
    real = user is not None and items == a.history(user)
    hit, miss = a.examples
    chosen = {hit: 'chosen: its held-out item is found',
              miss: 'chosen: its held-out item is missed'}.get(user, '')
    name = 'Your own history' if user is None else esc(capital(a.user_name(user)))
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
        on = ' class="picked"' if items[at] == s['item'] else ''
        up = button('move', f'Make it newer: {a.titles[items[at]]}', '↑', at=at,
                    to=at + 1) if at < len(items) - 1 else ''
        down = button('move', f'Make it older: {a.titles[items[at]]}', '↓', at=at, to=at - 1) if at else ''
        gone = button('remove', f'Remove {a.titles[items[at]]}', '×', at=at)
        return (f'<li draggable="true" data-at="{at}"{on}><span class="rank">{at + 1}</span>'
                f'{item(a, items[at])}<span class="tools">{up}{down}{gone}</span></li>')
    rows = join(row, reversed(range(len(items))))
    body = f'<ol class="list scroll" id="history">{rows}</ol>' if items else note(
        'Nothing here yet: search for an item above, or choose a user.')
    return panel(head, body, result='user restore add')

def held_out(a, s):
    "What the user really took next, or why nothing is held out."
    target = a.held_out(s['user'], s['history'])
    if target is None:
        if not s['history']: return note('The lists appear as soon as the history has an item.')
        return note('An edited history has no held-out item: nobody knows what would come next.')
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

def scored_by(rec):
    "What the numbers of a list are."
    if not rec.scorer: return 'log-probability, by beam search'
    return f'{"log-probability" if rec.has_log_probabilities else "score"} of every item'

def model_list(a, s, name, tables):
    "One model's list with scores and certificate."
    if not s['history']: return ''
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
    head = header(esc(a.name(name)), scored_by(a.models[name]), csv_button(name))
    body = f'{seal}{verdict(target, ranked, s["history"])}<ol class="list" data-history="{made}">{rows}</ol>'
    return f'<div class="side" data-name="{name}" id="{name}-list">{panel(head, body)}</div>'

# ---- the same as functions --------
def api(a):
    def recommend(history: list[int], model: str = a.first, k: int = 10)->list[dict]:
        "The k best next items after item ids (oldest first): rank, item, key, title, score, exact."
        ranked, scores, exact = a.ask(model, history, k)
        return [dict(rank=r, item=i, key=a.keys[i], title=a.titles[i], score=v, exact=exact)
                for r, (i, v) in enumerate(zip(ranked, scores), 1)]
    def user_history(user: int)->dict:
        "An evaluated user by row (0, 1, …): name, item ids oldest first, and the held-out item."
        if not 0 <= user < len(a.split.users): raise InputError(f'user {user} is unknown; rows run from 0 '
                                                                f'to {len(a.split.users) - 1}')
        return dict(name=a.user_name(user), history=a.history(user), held_out=int(a.split.test_targets[user]))
    def find_items(query: str)->list[dict]:
        "Items with all words of the query, or whose Semantic ID begins with codes such as '12, 200, *'."
        return [dict(item=i, key=a.keys[i], title=a.titles[i]) for i in a.find_items(query)]
    def find_users(query: str)->list[dict]:
        "Evaluated users whose number or key holds the query."
        return [dict(user=e, name=a.user_name(e)) for e in a.find_users(query)]
    def examples()->dict:
        "Rows of two users: one whose held-out item the first model finds, one whose it misses (or null)."
        return dict(zip(('hit', 'miss'), a.examples))
    return [recommend, user_history, find_items, find_users, examples, *beam.api(a)]
