"""HTML of the page's panels. Titles and keys are data from strangers: every text goes through `esc` on its way into HTML.

A panel's buttons carry `data-do`, and what else the action needs as `data-*`; actions.js hands that to `page.act`.
"""
from html import escape

from tiger_nb.embeddings import clean_text

from .artefacts import MODELS

def esc(x): return escape(str(x))

def join(make, *things): return ''.join(map(make, *things))

def count(n, thing='item'): return f'{n:,} {thing}' + ('' if n == 1 else 's')

def listed(rows, kind, tag='ul'): return f'<{tag} class="{kind}">' + join('<li>{}</li>'.format, rows) + f'</{tag}>'

def panel(head, *body): return '<section class="panel">' + (f'<h3>{head}</h3>' if head else '') + ''.join(body) + '</section>'

def header(head, small='', tools=''): return f'<header><div><h3>{head}</h3><small>{small}</small></div><div>{tools}</div></header>'

def note(text, kind=''): return f'<p class="note {kind}" role="status">{text}</p>'

def sentence(e):
    "An InputError as a sentence of the page."
    text = str(e).strip()
    return esc(text[:1].upper() + text[1:].rstrip('.') + '.')

def button(do, label, text, kind='', **data):
    extra = join(lambda k: f' data-{k}="{esc(data[k])}"', data)
    return f'<button type="button" class="do {kind}" data-do="{do}"{extra} aria-label="{esc(label)}" title="{esc(label)}">{text}</button>'

# ---- items ---------------------------------------------------------------------------------------------------
def semantic_id(a, i, shared=0):
    "The codes of an item; the first `shared` stand out, the collision digit stands back."
    if a.ids is None: return ''
    n = a.ids.learned.shape[1]
    kind = lambda l: 'digit' if l >= n else 'shared' if l < shared else ''
    return chips(a.ids.codes[i].tolist(), kind)

def chips(codes, kind=lambda l: 'shared'):
    return '<span class="sid">' + join(lambda l, c: f'<span class="{kind(l)}">{c}</span>', range(len(codes)), codes) + '</span>'

def item(a, i, shared=0, before='', after=''):
    "Title over key, brand and Semantic ID."
    key, brand = a.keys[i] if a.keys[i] != a.titles[i] else '', clean_text(a.field(i, 'brand'))
    if key == str(i): key = f'#{i}'
    facts = join(lambda t: f'<span>{esc(t)}</span>', filter(None, (brand, key)))
    return f'<div class="item">{before}<span class="title">{esc(a.titles[i])}</span>{after}<div class="facts">{semantic_id(a, i, shared)}{facts}</div></div>'

def add(a, i): return button('add', f'Add to the history: {a.titles[i]}', '+', item=i)

def found_items(a, query):
    "What an item search found."
    if not query.strip(): return ''
    hits = a.find_items(query)
    if not hits: return note(f'No item has “{esc(query.strip())}” in its {"title, key or brand" if a.dataset.has_text else "key; this data folder has no titles"}.')
    return listed([button('pick', f'Take {a.titles[i]}', item(a, i), 'row', item=i) for i in hits], 'found')

def found_users(a, query):
    "What a user search found."
    if not query.strip(): return ''
    hits = a.find_users(query)
    if not hits: return note(f'No user with three or more interactions has “{esc(query.strip())}” as number or key.')
    row = lambda e: f'<span>{esc(a.user_name(e))}</span><span class="count">{count(len(a.history(e)))}</span>'
    return listed([button('user', f'Show {a.user_name(e)}', row(e), 'row', user=e) for e in hits], 'found')

# ---- Recommend -----------------------------------------------------------------------------------------------
def history(a, user, items):
    "The history, the newest item on top."
    real = user is not None and items == a.history(user)
    name = 'Your own history' if user is None else esc(a.user_name(user)).replace('user', 'User', 1)
    tools = button('any', 'Another user, drawn by chance', 'Any user', 'text') + (button('restore', 'Back to the real history of this user', 'Restore', 'text') if user is not None and not real else '') \
          + (button('clear', 'Remove all items', 'Clear', 'text') if items else '')
    head = header(name + ('' if real or user is None else ' <em>edited</em>'), f'{count(len(items))}, the newest first', tools)
    def row(at):
        title = a.titles[items[at]]
        newest = button('newest', f'Make it the newest: {title}', '↑', at=at) if at < len(items) - 1 else ''
        return f'<span class="rank">{at + 1}</span>{item(a, items[at])}<span class="tools">{newest}{button("remove", f"Remove {title}", "×", at=at)}</span>'
    body = listed(map(row, reversed(range(len(items)))), 'list scroll', 'ol') if items else note('Nothing here yet: search for an item above, or choose a user.')
    return panel('', head, body)

def held_out(a, user, items):
    "What the user really took next, or why nothing is held out."
    target = a.held_out(user, items)
    if target is None: return note('An edited history has no held-out item: nobody knows what would come next.') if items else ''
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
    made_of = ','.join(map(str, items))
    return verdict(target, ranked, items) + f'<ol class="list" data-history="{made_of}">' + ''.join(rows) + '</ol>', ranked

SCORES = {'tiger': 'log-probability, by beam search', 'sasrec': 'logit, every item scored'}

def model_panel(name, body): return panel('', header(MODELS[name], f'score: {SCORES[name]}'), body)

# ---- Codebooks -----------------------------------------------------------------------------------------------
def code_report(a):
    "Collisions and the use of each learned level."
    r = a.ids.report()
    tiles = [('items', f'{r["n_items"]:,}', ''), ('levels', len(r['levels']), 'and a collision digit' if a.ids.collision else 'no collision digit'),
             ('share their codes', f'{r["collision_rate"]:.1%}', 'collision rate'), ('largest bucket', r['largest_bucket'], 'items with the same codes')]
    tile = lambda name, value, more: f'<div class="tile"><small>{name}</small><b>{value}</b><small>{more}</small></div>'
    level = lambda l, x: tile(f'level {l}', f'{x["used"]} of {x["size"]}', f'codes used, perplexity {x["perplexity"]:.0f}')
    return '<div class="tiles">' + ''.join([tile(*t) for t in tiles] + [level(l, x) for l, x in enumerate(r['levels'], 1)]) + '</div>'

def code_grid(a, level, prefix):
    "All codes of one level as a heat map of buttons: how many items have each, given the codes before it."
    items = a.with_prefix(prefix[:level])
    counts = [0] * a.ids.sizes[level]
    for c in a.ids.codes[items, level].tolist(): counts[c] += 1
    top, chosen = max(counts), prefix[level] if level < len(prefix) else None
    def cell(c, n):
        if not n: return f'<span class="cell none" title="code {c}: no item">{c}</span>'
        kind = 'cell' + (' full' if n > .65 * top else '') + (' chosen' if c == chosen else '')
        name = f'level {level + 1}, code {c}: {count(n)}'
        return f'<button type="button" class="{kind}" style="--n:{n / top:.3f}" data-do="code" data-level="{level}" data-code="{c}" title="{name}" aria-label="{name}" aria-pressed="{str(c == chosen).lower()}">{c}</button>'
    given = f'after {chips(prefix[:level])}' if level else 'of all items'
    used = sum(n > 0 for n in counts)
    head = f'<h4>Level {level + 1} <small>{given}: {count(used, "code")}, at most {count(top)} each</small></h4>'
    return f'<div class="level">{head}<div class="grid">{join(cell, range(len(counts)), counts)}</div></div>'

def code_browser(a, prefix, limit=60):
    "Heat maps of the levels down to the chosen prefix, and the items that share it."
    grids = join(lambda level: code_grid(a, level, prefix), range(min(len(prefix) + 1, a.ids.learned.shape[1])))
    grids = f'<div class="levels">{grids}</div>'
    if not prefix: return grids + note('Choose a code to see which items share it, and how the next level divides them.')
    items = a.with_prefix(prefix); n = len(items)
    words = [f'{esc(w)} <small>{c} of {n}</small>' for w, c in a.typical_words(items)]
    rows = [item(a, i, len(prefix)) + add(a, i) for i in items[:limit].tolist()]
    head = header(f'{count(n)} begin{"s" if n == 1 else ""} with {chips(prefix)}', '', button('up', 'Take the last code away', 'Back', 'text'))
    return grids + panel('', head, listed(['typical words', *words], 'words') if words else '', listed(rows, 'list columns'),
                         note(f'{n - limit:,} more are not listed; choose a further code.') if n > limit else '')

# ---- Map -----------------------------------------------------------------------------------------------------
def card(a, i):
    "An item's card: what is known of it, and its nearest by shared prefix."
    if i is None: return panel('An item', note('Click a point of the map, or search for an item, to see it here.'))
    facts = [(name, clean_text(a.field(i, field))) for name, field in (('Brand', 'brand'), ('Categories', 'categories'))]
    facts = ''.join(f'<dt>{name}</dt><dd>{esc(text)}</dd>' for name, text in [*facts, ('Key', a.keys[i] if a.keys[i] != str(i) else ''), ('Number', i)] if text != '')
    sid = f'<dt>Semantic ID</dt><dd>{semantic_id(a, i)}</dd>' if a.ids else ''
    text = clean_text(a.field(i, 'description'))
    about = f'<p class="about">{esc(text)}</p>' if text else ''
    near = a.neighbours(i) if a.ids else []
    rows = [button('show', f'Show {a.titles[j]}', item(a, j, shared), 'row', item=j) for j, shared in near]
    near = '<h4>Nearest by shared prefix</h4>' + listed(rows, 'found flat') if near else note('No other item begins with the same code.') if a.ids else ''
    tools = button('add', f'Add to the history: {a.titles[i]}', 'Add to the history', 'main', item=i)
    return f'<section class="panel card" data-item="{i}"><h3>{esc(a.titles[i])}</h3><dl>{sid}{facts}</dl>{about}{tools}{near}</section>'

# ---- About ---------------------------------------------------------------------------------------------------
def number(x): return f'{x:,.4f}' if isinstance(x, float) and abs(x) < 1 else f'{x:,.10g}' if isinstance(x, (int, float)) and not isinstance(x, bool) else str(x)

def short(text):
    "A hash by its beginning, anything else as it is."
    return text[:12] + '…' if len(text) >= 40 and set(text) <= set('0123456789abcdef') else text

def grid_table(head, rows):
    "A table whose first column names the rows; everything is escaped."
    row = lambda r: f'<tr><th scope="row">{esc(r[0])}</th>' + join(lambda x: f'<td>{esc(x)}</td>', r[1:]) + '</tr>'
    head = '<thead><tr>' + join(lambda h: f'<th scope="col">{esc(h)}</th>', head) + '</tr></thead>' if any(head) else ''
    return f'<div class="wide"><table>{head}<tbody>{join(row, rows)}</tbody></table></div>'

def about_data(a):
    d = a.dataset
    order = {True: 'the split is the one that published tables use', False: 'the split is NOT the one that published tables use'}.get(d.known_split, '')
    rows = [('name', d.name), ('order', d.order + (f'; {order}' if order else '')), *((k.replace('_', ' '), number(v)) for k, v in d.statistics.items()), ('split (SHA-256)', short(d.split.sha256))]
    source = a.tokenizer.get('source', '')
    made = {'rqkmeans': 'residual k-means', 'rqvae': 'RQ-VAE'}.get(source, f'the index {source} of the data' if source else '')
    if a.ids and made: rows.append(('Semantic IDs', f'{made}, sizes {" · ".join(map(str, a.ids.sizes))}'))
    return panel('Data', grid_table(('', ''), rows))

def about_missing(a):
    body = listed(map(esc, a.missing.values()), '') if a.missing else '<p>Nothing: titles, Semantic IDs, codebooks, map and both models are here.</p>'
    return panel('What is missing', body)

METRICS = 'recall@5 ndcg@5 recall@10 ndcg@10 recall@20 ndcg@20'.split()

def about_results(a, oracle, disagree):
    "Test metrics of the bundles, with the oracle's where the data has one; `disagree` says why rows must not be compared."
    records = {MODELS[name]: m.metrics for name, m in a.models.items() if m.metrics}
    if not records: return panel('Results on the test part', note('No bundle has a result.json, so there is nothing to report.'))
    share = lambda m, v: f'{v:.4f}' + (f' ({v / oracle[m]:.0%})' if oracle and oracle.get(m) else '')
    rows = [(name, *(share(m, r[m]) if m in r else '–' for m in METRICS)) for name, r in records.items()]
    if oracle: rows.append(('oracle', *(f'{oracle[m]:.4f}' if m in oracle else '–' for m in METRICS)))
    more = '<p>The sample is generated, so the best possible result is known: the oracle’s. In brackets the share of it.</p>' if oracle else ''
    return panel('Results on the test part', note(sentence(disagree), 'warn') if disagree else '', grid_table(('model', *METRICS), rows), more)

def about_cards(a):
    "Protocol cards side by side; fields in which they differ are marked by standing in their own columns."
    cards = {MODELS[name]: m.card.to_dict() for name, m in a.models.items() if m.card}
    if not cards: return ''
    def show(v):
        if v is None: return '–'
        if isinstance(v, bool): return 'yes' if v else 'no'
        return ', '.join(f'{k} {x}' for k, x in v.items()) if isinstance(v, dict) else short(number(v))
    names = list(next(iter(cards.values())))
    return panel('Protocol cards', '<p>How each number was measured. Two numbers are comparable only where the protocol agrees.</p>',
                 grid_table(('', *cards), [(f.replace('_', ' '), *(show(c.get(f)) for c in cards.values())) for f in names]))

HOW = """<p>An item's <b>Semantic ID</b> is a short tuple of codes, coarse to fine, so that similar items begin alike. <b>TIGER</b> reads the
Semantic IDs of a history and writes the next one, code by code; a trie keeps it among real items. <b>SASRec</b> scores every item
directly and knows nothing of codes. Both lists leave out the items of the history. Codes that stand out in a list are a prefix that an
item of the history has as well. The digit in grey, where there is one, only tells items with the same codes apart.</p>
<p>A <b>held-out item</b> is what a user took last; no model has seen it. One user proves nothing: the table below is over all of them.</p>"""
