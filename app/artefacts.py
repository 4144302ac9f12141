"What the page shows. Any part but the data set may be absent; then `missing` says what that costs."
import json, re
from functools import cached_property
from html import unescape
from pathlib import Path

import numpy as np, polars as pl

from tiger_nb.bundles import check_catalogue
from tiger_nb.compare import GROUPS, Counter, open_bundles
from tiger_nb.explain import certified_lists
from tiger_nb.presets import MODELS, OTHERS
from tiger_nb.recommender import Dataset, InputError, Recommender, load_ids

from .limits import Batcher, Turns
from .state import Memo

class Artefacts:
    "Read once when the page is built; visitors bring their own state."
    divisions = GROUPS
    new = None   # the number of a visitor's own item, see grown.py

    def __init__(self,
        dataset:Dataset, # catalogue and histories
        paths:dict,      # {'tokenizer': folder, 'tiger': bundle, …}, any of them may be absent
    ):
        self.dataset, self.split, self.n_items, self.missing = dataset, dataset.split, dataset.n_items, {}
        self._random = np.random.default_rng()   # for "any user" only
        self.paths = {name: Path(p) for name, p in paths.items()}
        self.folder = next((p.parent for name, p in self.paths.items()), None)
        others, _ = open_bundles(self.folder, dataset) if self.folder else ({}, {})
        named = [n for n in MODELS if n in self.paths or n in ('tiger', 'sasrec')]
        named.sort(key=lambda n: not MODELS[n].generative)   # the page is about those that write Semantic IDs
        own = {n: self._get(n, lambda: others.get(n) or self._bundle(n)) for n in named}
        self.models = {n: m for n, m in (own | others).items() if m}
        if len(self.split.users): self.models['counter'] = Counter(dataset)
        self.generative = [n for n, m in self.models.items() if m.semantic_ids is not None]
        self.first = next(iter([*self.generative, *self.models]), '')   # is asked where no model is named
        first = self.models[self.generative[0]] if self.generative else None
        tokenizer = self.paths.get('tokenizer')
        self.ids = first.semantic_ids if first else self._get(
            'semantic_ids', lambda: load_ids(self._path('tokenizer'), self.n_items,
                                             dataset.items['key'].to_list()))
        self.about = self._get('about', lambda: json.loads((tokenizer/'tokenizer.json').read_text())) or {}
        self.titles = [unescape(t) for t in dataset.items['title'].to_list()]   # shops write 20&#39; for 20'
        self.keys = dataset.items['key'].to_list()
        self.turns, self.batcher, self._lists = Turns(), Batcher(self._answer), {}
        self.memo = Memo()
        self._say(tokenizer is not None and (tokenizer/'codebooks.safetensors').exists())

    def _path(self, name): return self.paths[name]

    def _get(self, what, make):
        "What `make` gives, or None and a sentence in `missing`."
        try: return make()
        except (InputError, OSError, ValueError) as e: self.missing[what] = str(e)
        except (KeyError, TypeError): self.missing[what] = 'no folder was given for it'

    def _bundle(self, name):
        check_catalogue(self._path(name), self.dataset)
        return Recommender.load(self._path(name), trained=True)

    def _say(self, codebooks):
        "Sentences about what is not there."
        say = self.missing
        for name in MODELS:
            if name == 'tiger' and self.generative: say.pop(name, None)
            if name in say: say[name] = f'There is no {self.name(name)} to recommend: {say[name]}.'
        for name, m in self.models.items():
            if m.card and m.card.split_sha256 != self.split.sha256:
                say[f'{name} split'] = (f'{self.name(name)} was trained on another split of the data: what '
                                        f'is '
                                        'held out here may be what it learned from.')
        if self.ids is None:
            say['semantic_ids'] = ('There are no Semantic IDs, hence nothing to see of the codes: '
                                   f'{say.get("semantic_ids", "none were made")}.')
        if not self.dataset.has_text:
            say['titles'] = ('This data folder has no titles (items.jsonl), so item keys such as ASINs are '
                             'shown, and search finds those only.')
        source = self.about.get('source', '')
        if source.endswith('.json'):
            say['codebooks'] = (f'There are no codebooks: the index {source} came with the data, and the '
                                'vectors behind its codes did not.')
        elif self.ids and not codebooks:
            say['codebooks'] = ('There are no codebooks: codebooks.safetensors is not in the tokenizer '
                                'folder. '
                                'The codes themselves are all here.')
        say.pop('about', None)

    # ---- models ------------------------------------------------------------------------------------------
    def name(self, name):
        "How a bundle is called on the page."
        rec = self.models.get(name)
        if rec is None: return MODELS[name].title if name in MODELS else OTHERS.get(name, name)
        return rec.title if name == rec.name else f'{rec.title} ({name})'

    def _answer(self, kind, histories):
        name, k = kind
        with self.turns: return list(zip(*certified_lists(self.models[name], histories, k)))

    def ask(self, name, history, k=10):
        "Items, scores and certificate of one list; answered together with what others ask."
        if name not in self.models: raise InputError(self.missing.get(name, f'there is no model {name}'))
        history = self.models[name].check_history(history).tolist()
        key = name, k, tuple(history)   # the tabs ask for the same lists
        if len(self._lists) > 2000: self._lists.clear()
        if key not in self._lists: self._lists[key] = self.batcher.ask((name, k), history)
        items, scores, exact = self._lists[key]
        real = (items >= 0) & (scores > -np.inf)
        return items[real].tolist(), scores[real].tolist(), bool(exact)

    @cached_property
    def examples(self):
        "Two evaluated users: one whose held-out item the first model finds, one whose it does not."
        name = next(iter(self.models), None)
        if name is None or not len(self.split.users): return None, None
        hit = miss = None
        for first in range(0, min(480, len(self.split.users)), 48):   # a weak model finds few
            rows = range(first, min(first + 48, len(self.split.users)))
            lists = certified_lists(self.models[name], [self.history(e) for e in rows], 10)[0].tolist()
            rank = {e: x.index(t) for e, x in zip(rows, lists) if (t := int(self.split.test_targets[e])) in x}
            hit = min(rank, key=lambda e: (rank[e] > 3, e), default=None)
            if miss is None: miss = next((e for e in rows if e not in rank), None)
            if hit is not None: break
        return hit, miss

    # ---- users -------------------------------------------------------------------------------------------
    def history(self, e): return self.split.test.row(e).tolist()   # train + validation items, oldest first

    def held_out(self, e, history):
        "The test item of evaluated user `e`, or None for nobody and for a history that was edited."
        return int(self.split.test_targets[e]) if e is not None and history == self.history(e) else None

    def any_user(self): return int(self._random.integers(len(self.split.users)))

    def user_name(self, e):
        "'user 12', with the key where it says more than the number."
        u = int(self.split.users[e])
        key = str(self.dataset.interactions.user_keys[u])
        return f'user {u}' + (f' · {key}' if key != str(u) else '')

    @cached_property
    def _user_texts(self):
        keys = np.array([str(k) for k in self.dataset.interactions.user_keys[self.split.users]], np.str_)
        return self.split.users.astype(str), np.char.lower(keys)

    def find_users(self, query, limit=20):
        "Evaluated users whose number or key holds the query: exact ones first, then those that begin so."
        q, (numbers, keys) = query.strip().lower(), self._user_texts
        if not q: return []
        at = np.minimum(np.char.find(numbers, q) % 999, np.char.find(keys, q) % 999)   # -1 becomes 998
        exact = (numbers == q) | (keys == q)
        order = np.lexsort((np.arange(len(at)), np.minimum(at, 1), ~exact))
        return order[at[order] < 998][:limit].tolist()

    # ---- items -------------------------------------------------------------------------------------------
    @cached_property
    def _item_texts(self):
        items = self.dataset.items
        columns = [items[c].fill_null('').to_list() for c in ('title', 'key', 'brand') if c in items.columns]
        return [' '.join(map(str, row)).lower() for row in zip(*columns)]

    def prefix_of(self, query):
        "Codes of a query such as '12, 200, *', -1 for '*'; [] where it is none."
        if self.ids is None or not re.fullmatch(r'\s*(\d+|\*)([\s,]+(\d+|\*))+\s*', query): return []
        codes = [-1 if x == '*' else int(x[:9]) for x in re.findall(r'\d+|\*', query)][:self.ids.n_levels]
        while codes and codes[-1] == -1: codes.pop()
        return codes

    def find_items(self, query, limit=20):
        "Items with all words of the query in title, key or brand, or with a prefix such as '12, 200, *'."
        q = query.strip().lower()
        if not q: return []
        if prefix := self.prefix_of(q): return self.with_prefix(prefix)[:limit].tolist()
        first = [i for i in ([int(q)] if q.isdecimal() and len(q) < 10 else []) if i < self.n_items]
        words, starts, rest = q.split(), [], []
        for i, text in enumerate(self._item_texts):
            if all(w in text for w in words):
                (starts if re.search(rf'\b{re.escape(words[0])}', text) else rest).append(i)
        return list(dict.fromkeys(first + starts + rest))[:limit]

    def field(self, i, name):
        "A field of an item that not every catalogue has, else ''."
        if name not in self.dataset.items.columns: return ''
        value = self.dataset.items[name][int(i)]
        return ' › '.join(map(str, value)) if isinstance(value, pl.Series) else value or ''

    def named(self, items):
        "Items with their keys and titles, as a table."
        columns = dict(item=items, key=[self.keys[i] for i in items], title=[self.titles[i] for i in items])
        return pl.DataFrame(columns, schema_overrides=dict(item=pl.Int64))

    # ---- Semantic IDs ------------------------------------------------------------------------------------
    def shared(self, items, others):
        "(n,) learned codes that each item shares from the front with the nearest of the others."
        if self.ids is None or not len(items) or not len(others): return [0] * len(items)
        same = self.ids.learned[items][:, None] == self.ids.learned[others]   # (n, m, L)
        return same.cumprod(2).sum(2).max(1).tolist()

    def with_prefix(self, prefix):
        "Items whose Semantic ID begins with these codes; -1 stands for any."
        if self.ids is None: return np.empty(0, int)
        prefix = np.array(prefix, int)
        return np.flatnonzero(((self.ids.codes[:, :len(prefix)] == prefix) | (prefix < 0)).all(1))
