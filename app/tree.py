"Code tree: all Semantic IDs as an icicle or treemap, down to the items and their collision buckets."
from tiger_nb.code_plots import most_of, prefix_icicle, prefix_table
from tiger_nb.recommender import InputError

from .render import (add, button, chips, csv, csv_button, drawing, esc, field, figures, header, item,
                     needs_ids, note, panel)

TITLE = 'Code tree'
HINT = ('Each box is a prefix: its size the number of items, its colour how pure it is. A click goes down, '
        'the breadcrumb goes up. The prefixes of the selected item have an orange border.')

@needs_ids
def view(a, s):
    "The tree below the chosen prefix, and the items in it."
    prefix, items = s['prefix'], a.with_prefix(s['prefix'])
    prefix = known(prefix)
    shape = field('shape', 'Drawn as', dict(icicle='icicle', treemap='treemap'), s['shape'])
    kind, labels = a.main_label
    under = above(a, prefix)
    rows = prefix_table(a.ids, a.titles, labels, under, 2)
    most, within = (100, 8) if s['shape'] == 'treemap' else (12, 3)   # more boxes are too thin for a name
    name = ' '.join(map(str, under)) or 'all items'
    marked = a.ids.codes[s['item']].tolist() if s['item'] is not None else ()
    fig = prefix_icicle(most_of(rows, most, within), under, name, '', s['shape'] == 'treemap', marked)
    purity = (f'darker is purer: the share of a box’s items with its commonest {kind}' if kind else
              'the size is the number of items; the rest of the codes is drawn smaller')
    if any(rows['bucket']): purity += '; hatched: all its items share every learned code'
    head = header('The prefix tree', purity,
                  shape + go_to(under, rows) + csv_button('prefixes', 'tree.prefixes'))
    picture = (drawing('tree', 'Tree of prefixes', 700, 'prefix') if len(rows) else
               note('Nothing is below this prefix.'))
    html = f'<div class="three"><div>{panel(head, picture)}</div><div>{below(a, s, items)}</div></div>'
    fig.update_layout(margin=dict(l=4, r=4, t=8, b=4), height=700)
    return dict(html=crumbs(prefix) + html, figures=figures(tree=fig))

def go_to(under, rows):
    "All codes below a prefix as a list: those without a box too, and the way without a mouse."
    here = rows.filter(rows['level'] == len(under) + 1)
    options = {','.join(map(str, p)): f'{c} · {n:,} items · {e[:30]}'
               for p, c, n, e in here.select('prefix', 'code', 'items', 'example').iter_rows()}
    return field('prefix', 'Go to', {'': 'a code …', **options}, '')

def known(prefix):
    "The prefix up to the first code that may be any: the tree knows none."
    return prefix[:prefix.index(-1)] if -1 in prefix else prefix

def above(a, prefix):
    "The prefix whose children are drawn; an item has none."
    return prefix[:a.ids.n_levels - 1]

def prefixes(a, s):
    "The prefixes two levels below the chosen one, all of them."
    rows = prefix_table(a.ids, a.titles, a.main_label[1], above(a, known(s['prefix'])), 2)
    return dict(html='', tables={'prefixes': csv(rows)})

PARTS = dict(prefixes=prefixes)

def crumbs(prefix):
    "The way down, each step a button."
    step = lambda n: button('prefix', f'Go to {" ".join(map(str, prefix[:n])) or "all items"}',
                            esc(prefix[n - 1]) if n else 'all items', 'text',
                            prefix=','.join(map(str, prefix[:n])))
    way = ' › '.join(step(n) for n in range(len(prefix) + 1))
    return f'<nav class="crumbs" aria-label="Prefix">{way}</nav>'

def below(a, s, items, limit=60):
    "The items of a prefix; those that share all learned codes stand together."
    n = a.ids.learned.shape[1]
    order = sorted(items.tolist(), key=lambda i: (i != s['item'], a.ids.codes[i].tolist()))
    groups, rows = {}, []
    for i in order[:limit]: groups.setdefault(tuple(a.ids.learned[i].tolist()), []).append(i)
    for codes, same in groups.items():
        if len(same) > 1: rows.append(f'<div class="bucket">{len(same)} share {chips(codes)}</div>')
        on = {s['item']: ' picked'}
        rows += [f'<div class="row{on.get(i, "")}">{item(a, i, len(s["prefix"]))}{add(a, i)}</div>'
                 for i in same]
    more = note(f'{len(items) - limit:,} more are not listed; go further down.') if len(items) > limit else ''
    name = f'{len(items):,} begin with {chips(s["prefix"])}' if s['prefix'] else f'All {len(items):,} items'
    shared = int((a.ids.learned[items] == a.ids.learned[items][:1]).all()) if len(items) > 1 else 0
    hint = ('all of them share every learned code' if shared and len(s['prefix']) >= n else
            'items with the same learned codes stand together')
    return panel(header(name, hint, csv_button('lit', 'maps.lit')),
                 f'<div class="list scroll tall">{"".join(rows)}</div>', more, result='prefix select')

def api(a):
    def with_prefix(prefix: list[int])->list[dict]:
        "The items whose Semantic ID begins with these codes."
        return [dict(item=i, key=a.keys[i], title=a.titles[i], codes=a.ids.codes[i].tolist())
                for i in a.with_prefix(prefix).tolist()]
    def code_tree(prefix: list[int], depth: int = 2)->list[dict]:
        "The prefixes below one: number of items, purity, a title, and whether all share every learned code."
        if len(prefix) >= a.ids.n_levels: raise InputError(f'the prefix has {len(prefix)} codes; give fewer '
                                                           f'than {a.ids.n_levels}')
        return prefix_table(a.ids, a.titles, a.main_label[1], tuple(prefix),
                            min(depth, a.ids.n_levels)).to_dicts()
    return [with_prefix, code_tree] if a.ids else []
