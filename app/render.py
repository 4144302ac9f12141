"""HTML of the page's panels. Titles and keys are data from strangers: every text goes through `esc` on its way into HTML.

A panel's buttons carry `data-do`, and what else the action needs as `data-*`; actions.js hands that to `page.act`.
"""
from html import escape

from tiger_nb.embeddings import clean_text

from .artefacts import MODELS

def esc(x): return escape(str(x))

def panel(head, *body): return f'<section class="panel">{f"<h3>{head}</h3>" if head else ""}{"".join(body)}</section>'

def note(text, kind=''): return f'<p class="note {kind}" role="status">{text}</p>'

def sentence(e):
    "An InputError as a sentence of the page."
    text = str(e).strip()
    return esc(text[:1].upper() + text[1:].rstrip('.') + '.')

def button(do, label, text, kind='', **data):
    extra = ''.join(f' data-{k}="{esc(v)}"' for k, v in data.items())
    return f'<button type="button" class="do {kind}" data-do="{do}"{extra} aria-label="{esc(label)}" title="{esc(label)}">{text}</button>'

# ---- items ---------------------------------------------------------------------------------------------------
def semantic_id(a, i, shared=0):
    "The codes of an item; the first `shared` stand out, the collision digit stands back."
    if a.ids is None: return ''
    n = a.ids.learned.shape[1]
    kind = lambda l: 'digit' if l >= n else 'shared' if l < shared else ''
    codes = ''.join(f'<span class="{kind(l)}">{c}</span>' for l, c in enumerate(a.ids.codes[i].tolist()))
    return f'<span class="sid" aria-label="Semantic ID">{codes}</span>'

def item(a, i, shared=0, before='', after=''):
    "Title over key, brand and Semantic ID."
    key, brand = a.keys[i] if a.keys[i] != a.titles[i] else '', clean_text(a.field(i, 'brand'))
    facts = ''.join(f'<span>{esc(t)}</span>' for t in (brand, key) if t)
    return f'<div class="item">{before}<span class="title">{esc(a.titles[i])}</span>{after}<div class="facts">{semantic_id(a, i, shared)}{facts}</div></div>'

def add(a, i): return button('add', f'Add to the history: {a.titles[i]}', '+', item=i)

def found_items(a, query):
    "What an item search found."
    if not query.strip(): return ''
    hits = a.find_items(query)
    if not hits: return note(f'No item has “{esc(query.strip())}” in its {"title, key or brand" if a.dataset.has_text else "key; this data folder has no titles"}.')
    rows = ''.join(f'<li>{button("pick", f"Take {a.titles[i]}", item(a, i), "row", item=i)}</li>' for i in hits)
    return f'<ul class="found">{rows}</ul>'

def found_users(a, query):
    "What a user search found."
    if not query.strip(): return ''
    hits = a.find_users(query)
    if not hits: return note(f'No user with three or more interactions has “{esc(query.strip())}” as number or key.')
    row = lambda e: f'<span class="title">{esc(a.user_name(e))}</span><span class="count">{len(a.history(e))} items</span>'
    return f'<ul class="found">{"".join(f"<li>{button("user", f"Show {a.user_name(e)}", row(e), "row", user=e)}</li>" for e in hits)}</ul>'

# ---- Recommend -----------------------------------------------------------------------------------------------
def history(a, user, items):
    "The history, the newest item on top."
    real = user is not None and items == a.history(user)
    who = 'Your own history' if user is None else esc(a.user_name(user)[:1].upper() + a.user_name(user)[1:]) + ('' if real else ' <em>edited</em>')
    tools = (button('restore', 'Back to the real history of this user', 'Restore', 'text') if user is not None and not real else '') \
          + (button('clear', 'Remove all items', 'Clear', 'text') if items else '')
    head = f'<header><div><h3>{who}</h3><small>{len(items)} item{"s"[:len(items) != 1]}, the newest first</small></div><div>{tools}</div></header>'
    def row(at, i):
        newest = button('newest', f'Make it the newest: {a.titles[i]}', '↑', at=at) if at < len(items) - 1 else ''
        return f'<li><span class="rank">{at + 1}</span>{item(a, i)}<span class="tools">{newest}{button("remove", f"Remove {a.titles[i]}", "×", at=at)}</span></li>'
    rows = ''.join(row(at, i) for at, i in reversed(list(enumerate(items))))
    return panel('', head, f'<ol class="list scroll">{rows}</ol>' if items else note('Nothing here yet: search for an item below, or choose a user.'))

def held_out(a, user, items):
    "What the user really took next, or why nothing is held out."
    target = a.held_out(user, items)
    if target is None: return note('An edited history has no held-out item: nobody knows what would come next.' if user is not None or items else '')
    return f'<div class="held"><span class="star" aria-hidden="true">★</span><div><small>Held out: what this user took next</small>{item(a, target)}</div></div>'

def verdict(target, ranked, items):
    "The place of the held-out item in a list, as a sentence."
    if target is None: return ''
    if target in ranked: return f'<p class="verdict hit">★ held-out item: rank {ranked.index(target) + 1}</p>'
    if target in items: return '<p class="verdict">held-out item: already in the history, whose items are left out</p>'
    return f'<p class="verdict">held-out item: not in the top {len(ranked)}</p>'

def recommendations(a, name, items, target, k=10):
    "A model's list, and the ids in it. Raises `InputError` for a history that cannot be used."
    table = a.models[name].recommend(items, k)
    ranked = table['item'].to_list()
    def row(rank, i, score, shared):
        star = '<span class="star" aria-hidden="true">★</span> ' if i == target else ''
        badge = '<span class="badge">held out</span>' if i == target else ''
        return f'<li class="{"hit" if i == target else ""}" data-item="{i}"><span class="rank">{rank}</span>{item(a, i, shared, star, badge)}<span class="score">{score:.2f}</span>{add(a, i)}</li>'
    rows = map(row, table['rank'].to_list(), ranked, table['score'].to_list(), a.shared(ranked, items))
    return verdict(target, ranked, items) + f'<ol class="list">{"".join(rows)}</ol>', ranked

SCORES = {'tiger': 'log-probability of the Semantic ID, found by beam search over the trie', 'sasrec': 'logit, all items scored'}

def model_panel(name, body): return f'<section class="panel model {name}"><header><div><h3>{MODELS[name]}</h3><small>score: {SCORES[name]}</small></div></header>{body}</section>'

# ---- Codebooks -----------------------------------------------------------------------------------------------
def code_report(a):
    "Collisions and the use of each learned level."
    r = a.ids.report()
    tiles = [('items', f'{r["n_items"]:,}', ''), ('levels', len(r['levels']), 'and a collision digit' if a.ids.collision else 'no collision digit'),
             ('share their codes', f'{r["collision_rate"]:.1%}', 'collision rate'), ('largest bucket', r['largest_bucket'], 'items with the same codes')]
    tile = lambda name, value, more: f'<div class="tile"><small>{name}</small><b>{value}</b><small>{more}</small></div>'
    level = lambda l, x: tile(f'level {l}', f'{x["used"]} of {x["size"]}', f'codes used, perplexity {x["perplexity"]:.0f}')
    return f'<div class="tiles">{"".join(tile(*t) for t in tiles)}{"".join(level(l, x) for l, x in enumerate(r["levels"], 1))}</div>'

def code_grid(a, level, prefix):
    "All codes of one level as a heat map of buttons: how many items have each, given the codes before it."
    items = a.with_prefix(prefix[:level])
    counts = [0] * a.ids.sizes[level]
    for c in a.ids.codes[items, level].tolist(): counts[c] += 1
    top, chosen = max(counts), prefix[level] if level < len(prefix) else None
    def cell(c, n):
        if not n: return f'<span class="cell none" title="code {c}: no item">{c}</span>'
        kind = f'cell{" dark" if n > top / 2 else ""}{" chosen" if c == chosen else ""}'
        return f'<button type="button" class="{kind}" style="--n:{n / top:.3f}" data-do="code" data-level="{level}" data-code="{c}" title="code {c}: {n} items" aria-label="Level {level + 1}, code {c}: {n} items" aria-pressed="{str(c == chosen).lower()}">{c}</button>'
    given = f'after {semantic_prefix(prefix[:level])}' if level else 'all items'
    used = sum(n > 0 for n in counts)
    return f'<div class="level"><h4>Level {level + 1} <small>{given}: {used} code{"s"[:used != 1]}, at most {top} item{"s"[:top != 1]} each</small></h4><div class="grid">{"".join(map(cell, range(len(counts)), counts))}</div></div>'

def semantic_prefix(prefix): return f'<span class="sid">{"".join(f"<span class=shared>{c}</span>" for c in prefix)}</span>'

def code_browser(a, prefix, limit=60):
    "Heat maps of the levels down to the chosen prefix, and the items that share it."
    learned = a.ids.learned.shape[1]
    grids = ''.join(code_grid(a, level, prefix) for level in range(min(len(prefix) + 1, learned)))
    if not prefix: return f'<div class="levels">{grids}</div>' + note('Choose a code to see which items share it, and how the next level divides them.')
    items = a.with_prefix(prefix); n = len(items)
    words = ''.join(f'<li>{esc(w)} <small>{c} of {n}</small></li>' for w, c in a.typical_words(items))
    rows = ''.join(f'<li>{item(a, i, len(prefix))}{add(a, i)}</li>' for i in items[:limit].tolist())
    more = note(f'{n - limit} more are not listed; choose a further code.') if n > limit else ''
    head = f'<header><div><h3>{n} item{"s"[:n != 1]} begin{"s"[n != 1:]} with {semantic_prefix(prefix)}</h3></div>{button("up", "Take the last code away", "Back", "text")}</header>'
    return f'<div class="levels">{grids}</div>' + panel('', head, f'<ul class="words"><li class="lead">typical words</li>{words}</ul>' if words else '', f'<ul class="list columns">{rows}</ul>', more)

# ---- Map -----------------------------------------------------------------------------------------------------
def card(a, i):
    "An item's card: what is known of it, and its nearest by shared prefix."
    if i is None: return panel('An item', note('Click a point of the map, or search for an item, to see it here.'))
    facts = [(name, clean_text(a.field(i, field))) for name, field in (('Brand', 'brand'), ('Categories', 'categories'))]
    facts = ''.join(f'<dt>{name}</dt><dd>{esc(text)}</dd>' for name, text in [*facts, ('Key', a.keys[i]), ('Item', i)] if text != '')
    sid = f'<dt>Semantic ID</dt><dd>{semantic_id(a, i)}</dd>' if a.ids else ''
    text = clean_text(a.field(i, 'description'))
    about = f'<p class="about">{esc(text)}</p>' if text else ''
    near = a.neighbours(i) if a.ids else []
    rows = ''.join(f'<li>{button("show", f"Show {a.titles[j]}", item(a, j, shared), "row", item=j)}</li>' for j, shared in near)
    near = f'<h4>Nearest by shared prefix</h4><ul class="found flat">{rows}</ul>' if near else note('No other item begins with the same code.') if a.ids else ''
    tools = button('add', f'Add to the history: {a.titles[i]}', 'Add to the history', 'main', item=i)
    return f'<section class="panel card" data-item="{i}"><h3>{esc(a.titles[i])}</h3><dl>{sid}{facts}</dl>{about}{tools}{near}</section>'

# ---- About ---------------------------------------------------------------------------------------------------
def number(x): return f'{x:,.4f}' if isinstance(x, float) and abs(x) < 1 else f'{x:,.10g}' if isinstance(x, (int, float)) and not isinstance(x, bool) else str(x)

def grid_table(head, rows, first='th'):
    cells = lambda row: f'<{first} scope="row">{esc(row[0])}</{first}>' + ''.join(f'<td>{esc(x)}</td>' for x in row[1:])
    return f'<div class="wide"><table><thead><tr>{"".join(f"<th>{esc(h)}</th>" for h in head)}</tr></thead><tbody>{"".join(f"<tr>{cells(r)}</tr>" for r in rows)}</tbody></table></div>'

def about_data(a):
    d = a.dataset
    order = {True: 'the split is the one that published tables use', False: 'the split is NOT the one that published tables use'}.get(d.known_split, '')
    rows = [('name', d.name), ('order', d.order + (f'; {order}' if order else '')), *((k.replace('_', ' '), number(v)) for k, v in d.statistics.items()), ('split (SHA-256)', d.split.sha256[:16] + '…')]
    source = a.tokenizer.get('source', '')
    made = {'rqkmeans': 'residual k-means', 'rqvae': 'RQ-VAE'}.get(source, f'the index {source} of the data' if source else '')
    if a.ids and made: rows.append(('Semantic IDs', f'{made}, sizes {" · ".join(map(str, a.ids.sizes))}'))
    return panel('Data', grid_table(('', ''), rows))

def about_missing(a):
    body = f'<ul>{"".join(f"<li>{esc(s)}</li>" for s in a.missing.values())}</ul>' if a.missing else '<p>Nothing: titles, Semantic IDs, codebooks, map and both models are here.</p>'
    return panel('What is missing', body)

METRICS = 'recall@5 ndcg@5 recall@10 ndcg@10 recall@20 ndcg@20'.split()

def about_results(a, oracle, disagree):
    "Test metrics of the bundles, with the oracle's where the data has one; `disagree` says why rows must not be compared."
    records = {MODELS[name]: m.metrics for name, m in a.models.items() if m.metrics}
    if not records: return panel('Results on the test part', note('No bundle has a result.json, so there is nothing to report.'))
    share = lambda m, v: f'{v:.4f}' + (f' ({v / oracle[m]:.0%})' if oracle.get(m) else '')
    rows = [(name, *(share(m, r[m]) if m in r else '–' for m in METRICS)) for name, r in records.items()]
    if oracle: rows.append(('oracle', *(f'{oracle[m]:.4f}' if m in oracle else '–' for m in METRICS)))
    more = '<p>The sample is generated, so the best possible result is known: the oracle’s. In brackets the share of it.</p>' if oracle else ''
    return panel('Results on the test part', note(sentence(disagree), 'warn') if disagree else '', grid_table(('model', *METRICS), rows), more)

def about_cards(a):
    "Protocol cards side by side; fields in which they differ are marked by standing in their own columns."
    cards = {MODELS[name]: m.card if isinstance(m.card, dict) else m.card.to_dict() for name, m in a.models.items() if m.card}
    if not cards: return ''
    show = lambda v: '–' if v is None else ', '.join(f'{k} {x}' for k, x in v.items()) if isinstance(v, dict) else ('yes' if v else 'no') if isinstance(v, bool) else number(v)
    names = list(next(iter(cards.values())))
    return panel('Protocol cards', '<p>How each number was measured. Two numbers are comparable only where the protocol agrees.</p>',
                 grid_table(('', *cards), [(f.replace('_', ' '), *(show(c.get(f)) for c in cards.values())) for f in names]))

HOW = """<p>An item's <b>Semantic ID</b> is a short tuple of codes, coarse to fine, so that similar items begin alike. <b>TIGER</b> reads the
Semantic IDs of a history and writes the next one, code by code; a trie keeps it among real items. <b>SASRec</b> scores every item
directly and knows nothing of codes. Both lists leave out the items of the history. Codes that stand out in a list are a prefix that an
item of the history has as well. The digit in grey, where there is one, only tells items with the same codes apart.</p>
<p>A <b>held-out item</b> is what a user took last; no model has seen it. One user proves nothing: the table below is over all of them.</p>"""
