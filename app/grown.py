"The catalogue of one visit: with the item that was typed on the tab New item, for this visitor alone."
from collections import OrderedDict
from functools import cached_property

import numpy as np, polars as pl

from tiger_nb.catalogue import nearest
from tiger_nb.code_plots import code_margins
from tiger_nb.explain import certified_lists, with_item
from tiger_nb.recommender import InputError

from .artefacts import Artefacts

KEPT = 50   # new items whose models are kept

def encoded(a, title, about):
    "Vector (1, d), codes (l,), margins and neighbours of a text. Raises `InputError` if nothing encodes it."
    t = a.tokenizer
    if t is None or a.vectors is None: raise InputError(a.missing.get('codebooks',
                                                                      'the tokenizer folder cannot be read'))
    if t.encoder is None: raise InputError('the vectors came from a file or from histories, so a text has '
                                           'no vector; tokenize with a text encoder')
    if not f'{title}{about}'.strip(): raise InputError('the new item has no text; give a title')
    row = {c: '' for c in a.dataset.items.columns} | dict(item=a.n_items, key='new', title=title,
                                                          description=about)
    if 'categories' in row: row['categories'] = []
    with a.turns: vector = t.encoder.transform(pl.DataFrame([row]))
    codes = t.encode(vector)[0]
    return dict(vector=vector, codes=codes, levels=code_margins(t.quantizer, vector, codes),
                near=a.near(vector[0], 10))

class Grown:
    "Artefacts with one item more, whose number is the last. What it does not know, the others know."
    def __init__(self, a, title, about):
        self.all, self.title, self.found = a, title, encoded(a, title, about)
        self.titles, self.keys = [*a.titles, title], [*a.keys, 'new']
        near = nearest(self.found['vector'], a.vectors)
        self.models, self.why = dict(a.models), {}
        for name, rec in a.models.items():
            try: self.models[name] = with_item(rec, self.found['codes'], title, near)
            except InputError as e: self.why[name] = str(e)

    def __getattr__(self, name): return getattr(self.all, name)

    @property
    def new(self): return self.all.n_items

    def find_items(self, query, limit=20):
        "As `Artefacts.find_items`; the new item is found by the words of its title."
        q = query.strip().lower()
        own = [self.new] if q and all(w in self.title.lower() for w in q.split()) else []
        return (own + self.all.find_items(query, limit))[:limit]

    @cached_property
    def ids(self): return next((self.models[n].semantic_ids for n in self.all.generative), None)

    def field(self, i, name): return '' if i == self.all.n_items else self.all.field(i, name)

    def shared(self, items, others): return Artefacts.shared(self, items, others)

    def ask(self, name, history, k=10):
        "As `Artefacts.ask`, over the catalogue with the new item; not answered together with others."
        if name not in self.models: raise InputError(self.all.missing.get(name, f'there is no model {name}'))
        history = self.models[name].check_history(history).tolist()
        with self.all.turns: items, scores, exact = certified_lists(self.models[name], [history], k)
        real = (items[0] >= 0) & (scores[0] > -np.inf)
        return items[0][real].tolist(), scores[0][real].tolist(), bool(exact[0])

def grown(a, s):
    "The artefacts with the typed item, made once."
    kept = vars(a).setdefault('grown', OrderedDict())
    key = s['title'], s['about']
    own = kept.get(key) or Grown(a, *key)
    kept[key] = own
    while len(kept) > KEPT: kept.popitem(last=False)
    return own

def own_catalogue(view):
    "A view that shows the visitor's own catalogue, if an item was added to it."
    def shown(a, s):
        if not s['added'] or not s['title'].strip(): return view(a, s)
        try: own = grown(a, s)
        except InputError: own = a   # nothing encodes it here; the tab New item says why
        return view(own, s)
    return shown
