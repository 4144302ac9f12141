"Arrays that several tabs show: vectors, maps, labels, colours; each is made when it is first wanted."
import os, threading
from functools import cached_property
from multiprocessing import get_context, parent_process
from pathlib import Path

import numpy as np

from tiger_nb.compare import (Tokenizer, item_labels, kept_maps, kept_predictions, lists_path, load_vectors,
                              prepare_views, views_are_kept)
from tiger_nb.maps import label_places
from tiger_nb.recommender import InputError

from .artefacts import Artefacts
from .limits import TOLD

def make(dataset, folder):
    "What `Views.prepare` starts; it ends with the process that started it."
    def watch():
        parent_process().join()
        os._exit(1)
    threading.Thread(target=watch, daemon=True).start()
    if hasattr(os, 'nice'): os.nice(10)   # visitors come first
    prepare_views(dataset, folder)

class Views(Artefacts):
    "Artefacts with what is drawn of them."
    maker = None   # the process that makes what is not kept yet

    def __init__(self, dataset, paths):
        super().__init__(dataset, paths)
        self._told = {}    # by number of users
        self._homes = {}   # of the largest kinds, by map

    def prepare(self):
        "Make maps and lists that are not kept yet in a process of its own: the page answers meanwhile."
        if not self.folder or all(self.kept(len(self.split.users))): return
        self.maker = get_context('spawn').Process(target=make, args=(self.dataset, self.folder), daemon=True)
        self.maker.start()

    def kept(self, most=TOLD):
        models = {n: m for n, m in self.models.items() if n != 'counter'}
        return views_are_kept(self.dataset, self.folder, models, most)

    def wait_for(self, what):
        "Whether maps (0) or lists (1) are being made just now."
        return self.making and not self.kept()[what]

    @property
    def maps_are_there(self):
        "Whether the maps can be shown without laying them out."
        return 'maps' in vars(self) or bool(self.folder) and not self.making and self.kept(0)[0]

    @property
    def making(self): return self.maker is not None and self.maker.is_alive()

    @property
    def all_told(self):
        "{bundle: stored lists}: of all test users as soon as every bundle has them, before that of `TOLD`."
        most, users = min(TOLD, len(self.split.users)), len(self.split.users)
        if users in self._told: return self._told[users]
        if self.folder and self.kept(users)[1]: most = users
        if most not in self._told: self._told[most] = {n: self._lists_of(n, most) for n in self.models}
        return self._told[most]

    def _lists_of(self, name, users):
        path = lists_path(self.folder, name, users) if self.folder and name != 'counter' else None
        with self.turns: return kept_predictions(self.models[name], self.dataset, path, most=users)

    def _folder(self):
        if 'tokenizer' in self.paths: return self.paths['tokenizer']
        raise InputError('no tokenizer folder was given')

    @cached_property
    def vectors(self):
        "(N, d) of the items, or None."
        return self._get('vectors', lambda: load_vectors(self._folder()/'vectors.npz', self.n_items))

    @cached_property
    def tokenizer(self): return self._get('tokenizer', lambda: Tokenizer.load(self._folder()))

    @cached_property
    def maps(self):
        "Two (N, 2) arrays, either may be None."
        try: return kept_maps(self._folder(), self.folder/'demo/maps.npz', self.n_items)
        except (InputError, OSError) as e:
            old = self.paths.get('tokenizer', Path())/'map.npz'   # without vectors there is one map at best
            if old.exists(): return load_vectors(old, self.n_items), None
            self.missing['map'] = f'There is no map of the items: {e}.'
            return None, None

    @cached_property
    def bought(self):
        "(N,) purchases in the training part."
        train = self.split.train
        some = [train.items[a:b] for a, b in zip(train.starts, train.ends)]
        return np.bincount(np.concatenate(some), minlength=self.n_items) if some else np.zeros(self.n_items,
                                                                                               int)

    @cached_property
    def labels(self): return item_labels(self.dataset.items)

    @cached_property
    def label_names(self):
        "Name of each label of each kind."
        columns = {'brand': lambda i: self.field(i, 'brand'), 'category': lambda i: self._category(i, 0),
                   'subcategory': lambda i: self._category(i, -1)}
        out = {}
        for kind, label in self.labels.items():
            first = {int(l): i for i, l in reversed(list(enumerate(label))) if l >= 0}
            out[kind] = {l: str(columns[kind](i)) for l, i in first.items()}
        return out

    def _category(self, i, at):
        value = self.dataset.items['categories'][int(i)]
        return value[at] if value is not None and len(value) else ''

    @property
    def main_label(self):
        "The label that purity and clusters speak of: (kind, (N,) labels), or (None, None)."
        for kind in ('category', 'brand'):
            if kind in self.labels: return kind, self.labels[kind]
        return None, None

    @property
    def finest_label(self):
        "The label that names the parts of a map."
        if 'subcategory' in self.labels: return 'subcategory', self.labels['subcategory']
        return self.main_label

    def named_on(self, which, most=8):
        "(name, item) of the largest kinds where they are at home on the first map (0) or the second."
        kind, label = self.finest_label
        if kind is None: return []
        if which not in self._homes: self._homes[which] = label_places(self.maps[which], label)[:most]
        return [(self.label_names[kind][l], i) for l, i, _ in self._homes[which]]

    @cached_property
    def colours(self):
        "{what a map can be coloured by: (N,) whole numbers}."
        learned = self.ids.learned if self.ids else np.zeros((self.n_items, 0), int)
        out = {}
        for kind, label in self.labels.items():
            top = np.argsort(-np.bincount(label[label >= 0]))[:7]       # the others share a colour
            out[kind] = np.where(np.isin(label, top), label, -1)
        out |= {f'code of level {l + 1}': learned[:, l] for l in range(learned.shape[1])}
        out['popularity'] = np.digitize(self.bought, [1, 5, 20, 100])
        if self.ids:
            size = np.bincount(self.ids.buckets)[self.ids.buckets]
            out['collision'] = np.digitize(size, [2, 3, 5])
        return out

    def colour_name(self, kind, value):
        "What a number of `colours` means."
        if kind == 'popularity':
            return ['never bought', '1 to 4 times', '5 to 19 times', '20 to 99 times', '100 and more'][value]
        if kind == 'collision':
            return ['alone', 'two share the codes', '3 or 4 share', '5 and more share'][value]
        if kind in self.label_names: return self.label_names[kind].get(value, 'others')
        return f'code {value}'

    @cached_property
    def tokenizers(self):
        "Other tokenizer folders beside this one: {name: path}."
        if not self.folder or not self.folder.is_dir(): return {}
        mine = self.paths.get('tokenizer')
        return {p.name: p for p in sorted(self.folder.iterdir()) if p != mine
                and (p/'tokenizer.json').exists()}

    def inside(self, lasso):
        "Items within a lasso: 1 or 2 for the map, then x, y of each corner."
        xy = self.maps[int(lasso[0]) - 1]
        if xy is None: return np.empty(0, int)
        (x1, y1), x, y = np.array(lasso[1:]).reshape(-1, 2).T, xy[:, :1], xy[:, 1:]
        x2, y2 = np.roll(x1, -1), np.roll(y1, -1)
        rise = np.where(y2 == y1, 1, y2 - y1)
        crossed = ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / rise + x1)   # (N, corners)
        return np.flatnonzero(crossed.sum(1) % 2)

    def lit(self, s):
        "Items of the prefix and the lasso of a state, or None where there is neither."
        if not s['prefix'] and not s['lasso']: return None
        items = self.with_prefix(s['prefix']) if s['prefix'] else np.arange(self.n_items)
        return np.intersect1d(items, self.inside(s['lasso'])) if s['lasso'] else items

    @cached_property
    def _unit(self): return self.vectors / np.linalg.norm(self.vectors, axis=1, keepdims=True).clip(min=1e-12)

    def beside(self, i, limit=10):
        "The nearest items of an item, as (item, cosine)."
        return [] if self.vectors is None else self.near(self.vectors[i], limit, i)

    def near(self, vector, limit=10, skip=None):
        "Nearest items by cosine to a vector, as (item, cosine)."
        cosine = self._unit @ (vector / max(float(np.linalg.norm(vector)), 1e-12))
        order = [int(i) for i in np.argsort(-cosine, kind='stable')[:limit + 1] if i != skip]
        return [(i, float(cosine[i])) for i in order[:limit]]
