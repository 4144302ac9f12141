"What the page shows: a data set, its Semantic IDs, its map and its bundles. Any but the data set may be absent; then `missing` says what that costs."
import json, re
from collections import Counter
from functools import cached_property
from pathlib import Path

import numpy as np, polars as pl

from tiger_nb.dataset import Dataset
from tiger_nb.files import InputError
from tiger_nb.embeddings import load_vectors
from tiger_nb.recommender import Recommender, load_ids

MODELS = {'tiger': 'TIGER', 'sasrec': 'SASRec'}   # in the order of the page

class Artefacts:
    "Read once when the page is built; the page's sessions hold ids only."
    def __init__(self,
        dataset:Dataset, # catalogue and histories
        paths:dict,      # {'tokenizer': folder, 'tiger': bundle, 'sasrec': bundle}, any of them may be absent
    ):
        self.dataset, self.split, self.n_items, self.missing = dataset, dataset.split, dataset.n_items, {}
        self._random = np.random.default_rng()   # for "any user" only
        folder = lambda name: Path(paths[name])
        self.models = {name: m for name in MODELS if (m := self._get(name, lambda: self._bundle(folder(name))))}
        tiger = self.models.get('tiger')
        self.ids = tiger.semantic_ids if tiger else self._get('semantic_ids', lambda: load_ids(folder('tokenizer'), self.n_items))
        self.xy = self._get('map', lambda: load_vectors(folder('tokenizer')/'map.npz', self.n_items))   # (N, 2)
        self.tokenizer = self._get('tokenizer', lambda: json.loads((folder('tokenizer')/'tokenizer.json').read_text())) or {}
        self.titles, self.keys = dataset.items['title'].to_list(), dataset.items['key'].to_list()
        self._say_what_is_missing('tokenizer' in paths and (folder('tokenizer')/'codebooks.safetensors').exists())

    def _get(self, what, make):
        "What `make` gives, or None and a sentence in `missing`."
        try: return make()
        except (InputError, OSError, ValueError) as e: self.missing[what] = str(e)
        except KeyError: self.missing[what] = 'no folder was given for it'

    def _bundle(self, folder):
        model = Recommender.load(folder)
        if len(model.items) != self.n_items: raise InputError(f'{folder} knows {len(model.items)} items, the data set {self.n_items}; train on this data set')
        return model

    def _say_what_is_missing(self, codebooks):
        say, why = self.missing, lambda what: self.missing.pop(what)
        for name in MODELS:
            if name in say: say[name] = f'There is no {MODELS[name]} to recommend: {why(name)}.'
        for name, m in self.models.items():
            if m.card and m.card.split_sha256 != self.split.sha256:
                say[f'{name} split'] = f'{MODELS[name]} was trained on another split of the data: what is held out here may be what it learned from.'
        if 'semantic_ids' in say: say['semantic_ids'] = f'There are no Semantic IDs, hence nothing to see of the codes: {why("semantic_ids")}.'
        if 'map' in say: say['map'] = f'There is no map of the items: {why("map")}.'
        if not self.dataset.has_text: say['titles'] = 'This data folder has no titles (items.jsonl), so item keys such as ASINs are shown, and search finds those only.'
        source = self.tokenizer.get('source', '')
        if source.endswith('.json'): say['codebooks'] = f'There are no codebooks: the index {source} came with the data, and the vectors behind its codes did not.'
        elif self.ids and not codebooks: say['codebooks'] = 'There are no codebooks: codebooks.safetensors is not in the tokenizer folder. The codes themselves are all here.'
        say.pop('tokenizer', None)

    # ---- users -------------------------------------------------------------------------------------------
    def history(self, e): return self.split.test.row(e).tolist()   # train + validation items of evaluated user e, the oldest first

    def held_out(self, e, history):
        "The test item of evaluated user `e`, or None for nobody and for a history that was edited."
        return int(self.split.test_targets[e]) if e is not None and history == self.history(e) else None

    def any_user(self): return int(self._random.integers(len(self.split.users)))

    def user_name(self, e):
        "'user 12', with the key where it says more than the number."
        u = int(self.split.users[e]); key = str(self.dataset.interactions.user_keys[u])
        return f'user {u}' + (f' · {key}' if key != str(u) else '')

    @cached_property
    def _user_texts(self):
        keys = self.dataset.interactions.user_keys[self.split.users]
        return self.split.users.astype(str), np.char.lower(keys)

    def find_users(self, query, limit=20):
        "Evaluated users whose number or key holds the query: exact ones first, then those that begin with it."
        q, (numbers, keys) = query.strip().lower(), self._user_texts
        if not q: return []
        at = np.minimum(np.char.find(numbers, q) % 999, np.char.find(keys, q) % 999)   # not found: -1 becomes 998
        exact = (numbers == q) | (keys == q)
        order = np.lexsort((np.arange(len(at)), np.minimum(at, 1), ~exact))
        return order[at[order] < 998][:limit].tolist()

    # ---- items -------------------------------------------------------------------------------------------
    @cached_property
    def _item_texts(self):
        columns = [self.dataset.items[c].fill_null('').to_list() for c in ('title', 'key', 'brand') if c in self.dataset.items.columns]
        return [' '.join(map(str, row)).lower() for row in zip(*columns)]

    def find_items(self, query, limit=20):
        "Items with all words of the query in title, key or brand; the item of that number or key comes first."
        q = query.strip().lower()
        if not q: return []
        first = [i for i in ([int(q)] if q.isdecimal() and len(q) < 10 else []) if i < self.n_items]
        words, starts, rest = q.split(), [], []
        for i, text in enumerate(self._item_texts):
            if all(w in text for w in words): (starts if re.search(rf'\b{re.escape(words[0])}', text) else rest).append(i)
        return list(dict.fromkeys(first + starts + rest))[:limit]

    def field(self, i, name):
        "A field of an item that not every catalogue has, else ''."
        if name not in self.dataset.items.columns: return ''
        value = self.dataset.items[name][int(i)]
        return ' › '.join(map(str, value)) if isinstance(value, pl.Series) else value or ''

    # ---- Semantic IDs ------------------------------------------------------------------------------------
    def shared(self, items, others):
        "(n,) learned codes that each item shares from the front with the nearest of the others."
        if self.ids is None or not len(items) or not len(others): return [0] * len(items)
        same = self.ids.learned[items][:, None] == self.ids.learned[others]   # (n, m, L)
        return same.cumprod(2).sum(2).max(1).tolist()

    def neighbours(self, i, limit=6):
        "Items with the longest common prefix; among equals the nearest on the map. As (item, shared codes)."
        shared = (self.ids.learned == self.ids.learned[i]).cumprod(1).sum(1)   # (N,)
        far = np.zeros(self.n_items) if self.xy is None else ((self.xy - self.xy[i])**2).sum(1)
        return [(int(j), int(shared[j])) for j in np.lexsort((far, -shared)) if j != i and shared[j]][:limit]

    def with_prefix(self, prefix):
        "Items whose Semantic ID begins with these codes."
        return np.flatnonzero((self.ids.codes[:, :len(prefix)] == np.array(prefix, int)).all(1))

    @cached_property
    def _words(self):
        "Per item the words of title and brand, and in how many items each word is."
        per_item = [set(re.findall(r'[^\W\d_]{3,}', text)) for text in self._item_texts] if self.dataset.has_text else [set()] * self.n_items
        return per_item, Counter(w for words in per_item for w in words)

    def typical_words(self, items, limit=6):
        "Words that these items have more often than the catalogue, as (word, how many of them)."
        per_item, everywhere = self._words
        here = Counter(w for i in items for w in per_item[i])
        lift = {w: n * np.log(n / len(items) / (everywhere[w] / self.n_items)) for w, n in here.items() if n > 1}
        return [(w, here[w]) for w in sorted(lift, key=lift.get, reverse=True)[:limit] if lift[w] > 0]
