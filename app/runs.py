"Runs: training curves, results, settings and protocol cards of a folder, and what is missing here."
import json
from dataclasses import replace

import polars as pl

from tiger_nb.compare import read_runs, results_table, sample_folder
from tiger_nb.plots import curves
from tiger_nb.recommender import InputError

from .render import drawing, esc, figures, header, listed, note, panel, sentence, table

TITLE = 'Runs'
HINT = 'Two numbers are compared only where their protocol cards agree; the cards stand below.'

def view(a, s):
    "Curves, results, cards, settings, and how to read the page."
    runs = read_runs(a.folder) if a.folder else {}
    made, tables, html = {}, {}, ''
    lines = {n: (r['curve']['epoch'].to_list(), r['curve']['ndcg@10'].to_list()) for n, r in runs.items()
             if r['curve'] is not None and {'epoch', 'ndcg@10'} <= set(r['curve'].columns)}
    if lines:
        made['curves'] = curves(lines, title='', x_title='epoch',
                                y_title='NDCG@10 on validation').update_layout(height=320, margin=dict(t=40))
        html += panel(header('Training curves', 'validation NDCG@10'),
                      drawing('curves', 'Training curves', 320))
    html = f'<div class="two even">{html}{results(a, runs, tables)}</div>' if html else results(a, runs,
                                                                                                tables)
    html += cards(runs, tables) + settings(runs, tables)
    html += f'<div class="two even">{about_data(a, tables)}{missing(a)}</div>'
    html += panel(header('How to read this page'), HOW)
    return dict(html=f'<div id="runs-page">{html}</div>', figures=figures(**made), tables=tables, fresh=True)

def results(a, runs, tables):
    "One table for each protocol: rows whose cards disagree are not put together."
    if not runs: return panel(header('Results on the test part'),
                              note('No bundle has a result.json, so there is nothing to report.'))
    groups, out = {}, ''
    for name, r in runs.items():
        card = r['record']['card']
        named = r['record'] | {'card': replace(card, model=name)}   # a row a run, also of the same model
        groups.setdefault((card.dataset, card.order, card.split_sha256, card.filter_seen,
                           card.hit_accounting, card.refit), []).append(named)
    for at, records in enumerate(groups.values()):
        try: shown = results_table(records, ('recall@5', 'ndcg@5', 'recall@10', 'ndcg@10'))
        except InputError as e:
            out += note(sentence(e), 'warn')
            continue
        body, more = table(f'results{at or ""}', shown, esc(records[0]['card'].line(shared=True)))
        tables |= more
        out += body
    why = 'The runs were measured in different ways, so each protocol has a table of its own.'
    why = note(why) if len(groups) > 1 else ''
    return panel(header('Results on the test part'), why, out, oracle(a))

def oracle(a):
    "The best possible metrics, where the data is the generated sample."
    path = a.dataset.folder/'oracle.json'
    if a.dataset.folder != sample_folder() or not path.exists(): return ''
    best = json.loads(path.read_text(encoding='utf-8')).get('test') or {}
    shown = ', '.join(f'{k} {v:.4f}' for k, v in best.items() if k in ('recall@10', 'ndcg@10'))
    return note(f'The sample is generated, so the best possible result is known. The oracle reaches {shown}.')

def shown(v):
    "A value as a cell shows it."
    if v is None: return '–'
    if isinstance(v, bool): return 'yes' if v else 'no'
    if isinstance(v, dict): return ', '.join(f'{k} {x}' for k, x in v.items())
    text = f'{v:,}' if isinstance(v, int) else f'{v:,.4g}' if isinstance(v, float) else str(v)
    return text[:12] + '…' if len(text) >= 40 and set(text) <= set('0123456789abcdef') else text

def beside(name, columns, head, tables):
    "Dictionaries side by side; rows in which they differ are marked."
    if not columns: return ''
    keys = list(dict.fromkeys(k for c in columns.values() for k in c))
    rows = [dict(field=k.replace('_', ' ')) | {n: shown(c.get(k)) for n,
            c in columns.items()} | dict(difference='' if len({shown(c.get(k))
                    for c in columns.values()}) == 1 else 'differs') for k in keys]
    body, more = table(name, pl.DataFrame(rows), head)
    tables |= more
    return panel(body)

def cards(runs, tables):
    return beside('cards', {n: r['record']['card'].to_dict() for n, r in runs.items()}, 'Protocol cards',
                  tables)

def settings(runs, tables):
    flat = lambda d, at='': {k: v for key, x in d.items() for k,
                             v in (flat(x, f'{at}{key}.') if isinstance(x,
                                                                        dict) else {f'{at}{key}': x}).items()}
    return beside('settings', {n: flat(r['settings']) for n, r in runs.items()}, 'Settings', tables)

def about_data(a, tables):
    "Counts and order of the data."
    d = a.dataset
    rows = dict(name=d.name, order=d.order, **d.statistics, split=d.split.sha256)
    sizes = ' · '.join(map(str, a.ids.sizes)) if a.ids else ''
    if a.ids: rows['Semantic IDs'] = f'{a.about.get("source", "")}, sizes {sizes}'
    body, more = table('data', pl.DataFrame([dict(field=k.replace('_', ' '), value=shown(v))
                                             for k, v in rows.items()]), 'Data')
    tables |= more
    return panel(body)

def missing(a):
    nothing = '<p>Nothing: titles, Semantic IDs, codebooks, maps and models are here.</p>'
    body = listed(map(esc, a.missing.values()), 'plain') if a.missing else nothing
    return panel(header('What is missing'), body)

HOW = """<p>An item's <b>Semantic ID</b> is a short tuple of codes, coarse to fine, so that similar items
begin alike. <b>TIGER</b> reads the Semantic IDs of a history and writes the next one, code by code; a trie
keeps it among real items. <b>SASRec</b> scores every item directly and knows nothing of codes. All lists
leave out the items of the history. Codes that stand out in a list are a prefix that an item of the history
has as well. The digit in grey, where there is one, only tells items with the same codes apart. A <b>held-out
item</b> is what a user took last; no model has seen it. One user proves nothing: the results are over
all of them.</p>"""

def api(a):
    def runs()->list[dict]:
        "The runs of the folder: name, test metrics and protocol card."
        found = read_runs(a.folder) if a.folder else {}
        return [dict(name=n, metrics=r['record']['metrics'], card=r['record']['card'].to_dict()) for n,
                r in found.items()]
    def one(name):
        found = read_runs(a.folder) if a.folder else {}
        if name in found: return found[name]
        raise InputError(f'there is no run {name!r}; take one of {", ".join(found) or "none"}')
    def training_curve(run: str)->list[dict]:
        "What was measured after each epoch of a run, a row an epoch."
        curve = one(run)['curve']
        return [] if curve is None else curve.to_dicts()
    def run_settings(run: str)->dict:
        "The settings with which a run was trained."
        return one(run)['settings']
    def missing_parts()->list[str]:
        "What this page cannot show, a sentence each."
        return list(a.missing.values())
    return [runs, training_curve, run_settings, missing_parts]
