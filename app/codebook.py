"Codebook: which codes are used, what they mean, and what each level leaves over."
import numpy as np, polars as pl

from tiger_nb.code_plots import (code_distances, code_margins, code_words, principal_axes, residual_bars,
                                 residual_lengths, use_heatmap)
from tiger_nb.compare import Tokenizer, bought_together, entropy, relative_error, tokenizers_beside
from tiger_nb.plots import COLORS, heatmap, scatter
from tiger_nb.recommender import InputError

from .maps import checked as known_item
from .render import (chips, csv, csv_button, drawing, esc, field, figures, header, item, later, listed,
                     needs_ids, note, panel, sentence, table)

TITLE = 'Codebook'
HINT = ('Each row is a level, each column a code. Click a cell to see its items and to light them on the '
        'map. Choose an item to see its residual shrink level by level.')

LEVELS = ('Top tenth and last half: the shares of items with the commonest tenth and the rarest half of the '
          'codes. Bought together: the share of neighbouring purchases in the training part that have all '
          'codes up to this level in common; by chance: what two purchases drawn at random have.')

@needs_ids
def view(a, s):
    "Use of the codes, the levels as a table, the chosen code, and the vectors later."
    n = a.ids.learned.shape[1]
    mine = a.ids.codes[s['item']][:n].tolist() if s['item'] is not None and not s['prefix'] else s['prefix']
    fig = use_heatmap(a.ids.code_counts(), '', mine)
    fig.update_layout(margin=dict(t=8))
    body, tables = table('levels', levels(a), 'Level by level', form='.3g')
    html = (note(esc(a.missing['codebooks'])) if 'codebooks' in a.missing else '') + tiles(a)
    html += panel(header('Items with each code', 'a click shows the items of a code; framed: the chosen one',
                         go_to(a, s)),
                  drawing('use', 'Level by code, number of items', fig.layout.height, 'cell'))
    html += chosen(a, s) + panel(body, note(LEVELS))
    if a.tokenizer is not None and a.tokenizer.quantizer is not None:
        right = later('codebook.residual', result='select') + later('codebook.far')
        html += f'<div class="two even"><div>{later("codebook.vectors")}</div><div>{right}</div></div>'
    return dict(html=html + later('codebook.report'), figures=figures(use=fig), tables=tables)

def go_to(a, s, most=2000):
    "The codes of a level as a list: the way without a mouse."
    l = s['level'] - 1
    counts = a.ids.code_counts()[l]
    used = np.flatnonzero(counts)[:most].tolist()
    options = {','.join(['-1'] * l + [str(k)]): f'code {k} · {counts[k]:,} items' for k in used}
    levels = {n: str(n) for n in range(1, a.ids.n_levels + 1)}
    now = ','.join(map(str, s['prefix']))
    return (field('level', 'Level', levels, s['level'])
            + field('prefix', 'Code', {'': 'choose one', **options}, now))

def tiles(a):
    "Collisions in four tiles."
    r = a.ids.report()
    alone = 1 - r['collision_rate']
    def tile(name, value, more):
        return f'<div class="tile"><small>{name}</small><b>{value}</b><small>{more}</small></div>'
    shown = [('items', f'{r["n_items"]:,}', ''), ('levels', len(r['levels']),
            'and a collision digit' if a.ids.collision else 'no collision digit'),
             ('share their codes', f'{r["collision_rate"]:.1%}', f'{alone:.1%} have codes of their own'),
             ('largest bucket', r['largest_bucket'], 'items with the same codes')]
    return '<div class="tiles">' + ''.join(tile(*t) for t in shown) + '</div>'

def levels(a):
    "Use, perplexity, dead codes, head and tail of each level, and what its codes leave over."
    left = residual_energy(a)
    same, chance = bought_together(a.dataset, a.ids)
    rows = []
    for l, c in enumerate(a.ids.code_counts()[:a.ids.learned.shape[1]]):
        c, tenth = np.sort(c)[::-1], max(len(c) // 10, 1)
        rows.append(dict(level=l + 1, codes=len(c), used=int((c > 0).sum()), dead=int((c == 0).sum()),
                         perplexity=2 ** entropy(c), head=float(c[:tenth].sum() / c.sum()),
                         tail=float(c[len(c) // 2:].sum() / c.sum()), left=left[l] if left else None,
                         same=float(same[l]), chance=float(chance[l])))
    names = {'head': 'top tenth', 'tail': 'last half', 'left': 'variance left', 'same': 'bought together',
             'chance': 'by chance'}
    return pl.DataFrame(rows).rename(names)

def residual_energy(a):
    "Share of the variance left after each level, or None."
    if a.tokenizer is None or a.tokenizer.quantizer is None or a.vectors is None: return None
    q, codes = a.tokenizer.quantizer, a.ids.learned
    return [relative_error(a.vectors, q.decode(codes[:, :l])) for l in range(1, codes.shape[1] + 1)]

def chosen(a, s, limit=40):
    "The items of the cell that was clicked."
    if not s['prefix']: return panel(header('A code'), note('Click a cell of the heat map, or a prefix of '
                                                            'the tree.'))
    items = a.with_prefix(s['prefix'])
    rows = [item(a, i, len(s['prefix'])) for i in items[:limit].tolist()]
    name = 'have' if -1 in s['prefix'] else 'begin with'
    head = header(f'{len(items):,} {name} {chips(s["prefix"])}', 'they are lit on the map',
                  csv_button('lit', 'maps.lit'))
    return panel(head, f'<div class="scroll">{listed(rows, "list")}</div>',
                 note(f'{len(items) - limit:,} more.') if len(items) > limit else '', result='cell prefix')

def quantizer(a):
    "The fitted quantizer; raises `InputError` where there is none."
    if a.tokenizer and a.tokenizer.quantizer and a.vectors is not None: return a.tokenizer.quantizer
    raise InputError(a.missing.get('codebooks') or 'the tokenizer folder has no codebooks or vectors')

def of_level(a, s):
    "The chosen level from 0, its codebook (K, d) and the codes that items have; raises as `quantizer`."
    books = quantizer(a).codebooks
    l = min(s['level'], a.ids.learned.shape[1]) - 1
    return l, np.asarray(books[l]), np.flatnonzero(a.ids.code_counts()[l])

def vectors(a, s):
    "The vectors of one level in a plane, and which items each code word looks like."
    l, book, used = of_level(a, s)
    places, like = principal_axes(book[used]), code_words(quantizer(a), a.vectors, a.ids.learned, l)
    looks = [f'code {k}: ' + ' · '.join(a.titles[i][:40] for i in like[k]) for k in used.tolist()]
    fig = scatter(places[:, 0], places[:, 1], None, looks, title='',
                  square=True).update_layout(height=460, margin=dict(t=12))
    fig.data[0].customdata = [[l, int(k)] for k in used]
    code = s['prefix'][l] if len(s['prefix']) > l else -1
    if s['item'] is not None and code < 0: code = int(a.ids.learned[s['item'], l])
    at = np.flatnonzero(used == code)
    fig.add_scatter(x=places[at, 0], y=places[at, 1], mode='markers', hoverinfo='skip', showlegend=False,
                    marker=dict(symbol='circle-open', size=18, color=COLORS[5], line_width=3))
    head = header(f'The vectors of level {l + 1}', 'principal plane; a click chooses a code')
    words, tables = '', {}
    if len(at):
        near = like[int(code)].tolist()
        words = (f'<h4>What code {code} looks like: the items nearest to it {csv_button("words")}</h4>'
                 + listed([item(a, i, before='') for i in near], 'list'))
        tables = dict(words=csv(a.named(near)))
    return dict(html=panel(head, drawing('codes', 'Codebook vectors in a plane', 460, 'cell'), words),
                figures=figures(codes=fig), tables=tables)

def far(a, s):
    "How far the code words of one level are from each other."
    l, book, used = of_level(a, s)
    shown, names, block = code_distances(book, used[np.argsort(principal_axes(book[used], 1)[:, 0])])
    fig = heatmap(shown.round(4), names, names, title='').update_layout(height=360, margin=dict(t=12))
    for axis in (fig.update_xaxes, fig.update_yaxes): axis(type='category', showticklabels=len(names) < 65)
    averaged = f', means over blocks of {block} neighbours' if block > 1 else ''
    return dict(html=panel(header(f'Distances on level {l + 1}', f'code words in the order of their first '
                                                               f'principal axis{averaged}'),
                           drawing('far', 'Distances between codebook vectors', 360)),
                figures=figures(far=fig))

def residual(a, s):
    "One item's residual, shrinking."
    if s['item'] is None: return dict(html=panel(header('One item, level by level'),
                                                 note('Select an item to see what each code leaves of it.')))
    i, q = s['item'], quantizer(a)
    x, codes = a.vectors[[i]], a.ids.learned[i]
    found = code_margins(q, x, codes)
    margins = (found['margin'] / found['distance'].clip(1e-9)).fill_null(0).to_list()
    fig = residual_bars(residual_lengths(q, x, codes), codes, margins, '').update_layout(margin=dict(t=24))
    return dict(html=panel(header('One item, level by level', esc(a.titles[i])),
                           drawing('residual', 'Length of the residual', 260),
                           note('The rest of the vector that each code leaves over.')),
                figures=figures(residual=fig))

AGAINST = ('Kept together: of the pairs of items that share all codes up to a level here, the share that the '
           'other tokenizer keeps together.')

def against(a, s, other):
    "Another tokenizer of the same catalogue: its levels, the use of its codes, and the selected item there."
    shown = tokenizers_beside(a.dataset, a.ids, other.ids, s['other'])
    body, tables = table('against', shown, 'Two tokenizers, level by level', form='.3g')
    codes = [] if s['item'] is None else other.ids.learned[s['item']].tolist()
    fig = use_heatmap(other.ids.code_counts(), '', codes).update_layout(margin=dict(t=8))
    html = panel(body, note(AGAINST)) + panel(
        header(f'Items with each code of {esc(s["other"])}', 'framed: the codes of the selected item'),
        drawing('against', 'Level by code of the other tokenizer, number of items', fig.layout.height),
        beside_it(a, s['item'], other.ids) if codes else '')
    return html, figures(against=fig), tables

def beside_it(a, i, other, most=8):
    "What shares most codes with an item here, and what does with the other tokenizer."
    def nearest(ids):
        shared = (ids.learned == ids.learned[i]).cumprod(1).sum(1)
        shared[i] = -1
        order = np.argsort(-shared, kind='stable')[:most].tolist()
        return listed([item(a, j, before=f'<span class="score">{shared[j]}</span>') for j in order], 'list')
    return (f'<h4>Most codes in common with {esc(a.titles[i])}, here and there</h4>'
            f'<div class="two even"><div>{nearest(a.ids)}</div><div>{nearest(other)}</div></div>')

def report(a, s):
    "The report card, beside that of another tokenizer."
    if a.tokenizer is None: return dict(html='')
    mine = a.tokenizer.card.table().select('line', 'value', 'chance', 'meaning')
    tools = field('other', 'Compare with', {'': 'no other', **{n: n for n in a.tokenizers}},
                  s['other']) if a.tokenizers else note('Another tokenizer folder beside this one could be '
                                                        'compared here.')
    html, made, more = '', {}, {}
    if s['other']:
        try:
            other = Tokenizer.load(a.tokenizers[s['other']])
            html, made, more = against(a, s, other)
            card = other.card.table().select('line', pl.col('value').alias(s['other']))
            mine = mine.join(card, on='line', how='left', maintain_order='left').select('line', 'value',
                    s['other'], 'chance', 'meaning')
        except InputError as e: html = panel(note(sentence(e), 'warn'))   # the choice can be undone
    body, tables = table('report', mine, 'Report card', tools, '.4g')
    return dict(html=panel(body) + html, figures=made, tables=tables | more)

PARTS = dict(vectors=vectors, far=far, residual=residual, report=report)

def api(a):
    def codebook()->list[dict]:
        "Each level: codes, used and dead ones, perplexity, shares of head and tail, variance left."
        return levels(a).to_dicts()
    def items_with_code(level: int, code: int)->list[int]:
        "The items that have a code at a level (from 1)."
        if not 1 <= level <= a.ids.n_levels: raise InputError(f'level {level} is unknown; levels run from 1 '
                                                              f'to {a.ids.n_levels}')
        if not 0 <= code < a.ids.sizes[level - 1]:
            raise InputError(f'code {code} is unknown; codes of level {level} run from 0 to '
                             f'{a.ids.sizes[level - 1] - 1}')
        return np.flatnonzero(a.ids.codes[:, level - 1] == code).tolist()
    def report_card()->list[dict]:
        "The report card of the tokenizer: line, value, chance, meaning."
        if a.tokenizer is None: raise InputError('the tokenizer folder cannot be read')
        return a.tokenizer.card.table().to_dicts()
    def code_vectors(level: int)->dict:
        "Code words of a level (from 1) on two principal axes, their distances, the items nearest to each."
        if not 1 <= level <= a.ids.learned.shape[1]:
            raise InputError(f'level {level} has no code words; levels run from 1 to '
                             f'{a.ids.learned.shape[1]}')
        l, book, used = of_level(a, dict(level=level))
        like = code_words(quantizer(a), a.vectors, a.ids.learned, l)
        apart, first, block = code_distances(book, used)
        return dict(codes=used.tolist(), places=principal_axes(book[used]).tolist(),
                    nearest_items=[like[k].tolist() for k in used.tolist()], distances=apart.tolist(),
                    first_codes=first.tolist(), codes_a_row=block)
    def item_residual(item: int)->list[float]:
        "Length of what is left of an item's vector: before the first code, after one code, after two, …"
        known_item(a, item)
        return np.asarray(residual_lengths(quantizer(a), a.vectors[[item]], a.ids.learned[item])).tolist()
    def compare_tokenizers(other: str)->list[dict]:
        "Level by level: perplexity, what is bought together, and the pairs that another tokenizer keeps."
        if other not in a.tokenizers:
            known = ', '.join(a.tokenizers) or 'none'
            raise InputError(f'there is no tokenizer {other!r} beside this one; take one of {known}')
        return tokenizers_beside(a.dataset, a.ids, Tokenizer.load(a.tokenizers[other]).ids, other).to_dicts()
    return [codebook, items_with_code, code_vectors, item_residual, compare_tokenizers,
            report_card] if a.ids else []
