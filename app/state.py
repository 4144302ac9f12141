"""The state of a visit. It lives in the visitor's address and nowhere else: the server keeps no sessions.
What comes back from a browser may be forged, so every field is read with its limits."""
import hashlib, json, threading
from collections import OrderedDict

from .limits import ITEMS, LETTERS

MOST_BEAMS = 200
CORNERS = 60   # of a lasso

def number(x, low, high, usual=None):
    "A whole number within its limits, else `usual`."
    try: n = int(x)
    except (TypeError, ValueError, OverflowError): return usual
    return n if low <= n <= high else usual

def real(x, low, high, usual):
    "A number within its limits, else `usual`."
    try: v = float(x)
    except (TypeError, ValueError, OverflowError): return usual
    return v if low <= v <= high else usual

def listed(x, limit):
    "A list, or what stands between commas, at most `limit` long."
    if isinstance(x, str): x = x[:limit * 12].split(',') if x else []
    return list(x)[:limit] if isinstance(x, (list, tuple)) else []

def text(x, limit=LETTERS): return x[:limit] if isinstance(x, str) else ''

def whole(x):
    "The same without half letters, which no answer could hold."
    if isinstance(x, str): return x.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')
    if isinstance(x, dict): return {k: whole(v) for k, v in x.items()}
    return [whole(v) for v in x] if isinstance(x, list) else x

def choice(x, options, usual): return x if isinstance(x, str) and x in options else usual

def divisions(a):
    "What test users can be divided by here: categories only where some are known."
    return [g for g in a.divisions if g != 'category' or 'category' in a.labels]

def clean(
    a,   # `Artefacts`
    raw, # what a browser sent, as it is
    dropped:list|None=None, # gets a sentence for each thing that is unknown here
)->dict:
    "A state whose every field is within its limits."
    raw, say = whole(raw) if isinstance(raw, dict) else {}, [] if dropped is None else dropped
    top, users = a.n_items - 1, len(a.split.users) - 1
    levels = a.ids.n_levels if a.ids else 0
    asked = listed(raw.get('history'), ITEMS)
    ids = [i for i in (number(x, 0, top) for x in asked) if i is not None]
    if len(ids) < len(asked):
        say.append(f'{len(asked) - len(ids)} of {len(asked)} items of this history are unknown here and were '
                   'left out.')
    def known(key, n, low=0):
        value = number(raw.get(key), low, n)
        if value is None and raw.get(key) not in (None, ''):
            say.append(f'The {key} {str(raw[key])[:20]} is unknown here: numbers run from 0 to {n:,}.')
        return value
    user = known('user', users, -1)
    if user == -1: user = a.any_user() if users >= 0 else None
    if user is not None and raw.get('history') is None: ids = a.history(user)[-ITEMS:]
    prefix = [number(x, -1, 2**31) for x in listed(raw.get('prefix'), levels)]   # -1: any code
    prefix = prefix[:prefix.index(None)] if None in prefix else prefix
    while prefix and prefix[-1] == -1: prefix.pop()
    lasso = [real(x, -1e6, 1e6, None) for x in listed(raw.get('lasso'), 2 * CORNERS + 1)]
    if len(lasso) < 7 or len(lasso) % 2 == 0 or None in lasso or lasso[0] not in (1, 2): lasso = []
    if prefix and not len(a.with_prefix(prefix)): prefix = []
    if not prefix and listed(raw.get('prefix'), levels):
        codes = ' '.join('*' if str(c) == '-1' else str(c)[:12] for c in listed(raw['prefix'], levels))
        say.append(f'No item here begins with the codes {codes}.')
    def named(key, options, usual):
        if raw.get(key) not in (None, '') and not (isinstance(raw[key], str) and raw[key] in options):
            say.append(f'The {key} {str(raw[key])[:20]} is unknown here.')
        return choice(raw.get(key), options, usual)
    return dict(user=user, history=ids, item=known('item', top), prefix=prefix, lasso=lasso,
                model=named('model', a.generative, next(iter(a.generative), '')),
                beams=number(raw.get('beams'), 1, MOST_BEAMS, 10), k=number(raw.get('k'), 1, 50, 10),
                color=named('color', a.colours, next(iter(a.colours), '')),
                by=named('by', divisions(a), divisions(a)[0]),
                shape=named('shape', ('icicle', 'treemap'), 'icicle'), q=text(raw.get('q')),
                level=number(raw.get('level'), 1, max(levels, 1), 1),
                temperature=[real(t, .05, 10, 1.) for t in listed(raw.get('temperature'), levels)],
                title=text(raw.get('title'), 300), about=text(raw.get('about'), 2000),
                other=named('other', a.tokenizers, ''),
                added=number(raw.get('added'), 0, 1, 0),   # whether the new item stands in the catalogue
                shown=[n for n in listed(raw.get('shown'), 50) if n in list(a.models)],
                **seen_only(a, raw))

def seen_only(a, raw):
    "What only the browser uses: the list that a phone shows, the tool and the zoom of the maps, a search."
    zoom = [real(x, -1e6, 1e6, None) for x in listed(raw.get('zoom'), 10)]   # map, x from, to, y from, to
    if len(zoom) % 5 or None in zoom or any(n not in (1, 2) for n in zoom[::5]): zoom = []
    return dict(side=choice(raw.get('side'), a.models, ''), zoom=zoom,
                tool=choice(raw.get('tool'), ('lasso', 'pan'), ''),
                find=choice(raw.get('find'), ('items', 'users', 'add'), ''))

def address(a, s):
    "What of a state an address must say: all that is not as usual."
    usual = clean(a, {'user': s['user']})
    if s['user'] is None: usual['history'] = None
    return {k: v for k, v in s.items() if k != 'user' and v != usual[k]} | {'user': s['user']}

# ---- what was made before ----------------------------------------------------------------------------------
class Seen(dict):
    "A state that notes which of its fields are read."
    def __init__(self, s):
        super().__init__(s)
        self.read = set()

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)

class Memo:
    """Answers by the fields of the state that they were made from: where those are as before, nothing is made
    again. An answer with a true `fresh` is not kept."""
    def __init__(self,
        most:int=64_000_000, # letters that are kept; the oldest answers go first
    ):
        self.most, self.size, self.lock = most, 0, threading.Lock()
        self.kept, self.fields = OrderedDict(), {}

    def __call__(self, part, make, s):
        keys = [(part, names, json.dumps([s[n] for n in names])) for names in self.fields.get(part, ())]
        with self.lock:
            for key in keys:
                if key in self.kept:
                    self.kept.move_to_end(key)
                    return self.kept[key]
        seen = Seen(s)
        shown = make(seen)
        if shown.pop('fresh', False): return shown
        names = tuple(sorted(seen.read))
        made = [x for kind in ('figures', 'tables') for x in shown.get(kind, {}).values()]
        text = ''.join([shown['html'], *made])
        shown['mark'] = hashlib.sha256(text.encode()).hexdigest()[:16]
        self._keep((part, names, json.dumps([s[n] for n in names])), shown, len(text))
        return shown

    def _keep(self, key, shown, size):
        with self.lock:
            part, names, _ = key
            if names not in self.fields.get(part, ()): self.fields[part] = *self.fields.get(part, ()), names
            if key not in self.kept: self.size += size
            self.kept[key] = shown | {'size': size}
            while self.size > self.most: self.size -= self.kept.popitem(last=False)[1]['size']
