"""The state of a visit. It lives in the visitor's address and nowhere else: the server keeps no sessions.
What comes back from a browser may be forged, so every field is read with its limits."""
from .limits import ITEMS, LETTERS

MOST_BEAMS = 200

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

def choice(x, options, usual): return x if isinstance(x, str) and x in options else usual

def clean(
    a,   # `Artefacts`
    raw, # what a browser sent, as it is
)->dict:
    "A state whose every field is within its limits."
    raw = raw if isinstance(raw, dict) else {}
    top, users = a.n_items - 1, len(a.split.users) - 1
    levels = a.ids.n_levels if a.ids else 0
    ids = [i for i in (number(x, 0, top) for x in listed(raw.get('history'), ITEMS)) if i is not None]
    user = number(raw.get('user'), -1, users)
    if user == -1: user = a.any_user() if users >= 0 else None
    if user is not None and raw.get('history') is None: ids = a.history(user)[-ITEMS:]
    prefix = [number(x, 0, 2**31) for x in listed(raw.get('prefix'), levels)]
    prefix = prefix[:prefix.index(None)] if None in prefix else prefix
    if prefix and not len(a.with_prefix(prefix)): prefix = []
    named = lambda key, options, usual: choice(raw.get(key), options, usual)
    return dict(user=user, history=ids, item=number(raw.get('item'), 0, top), prefix=prefix,
                model=named('model', a.generative, next(iter(a.generative), '')),
                beams=number(raw.get('beams'), 1, MOST_BEAMS, 10), k=number(raw.get('k'), 1, 50, 10),
                color=named('color', a.colours, next(iter(a.colours), '')),
                by=named('by', a.divisions, next(iter(a.divisions))),
                shape=named('shape', ('icicle', 'treemap'), 'icicle'), q=text(raw.get('q')),
                level=number(raw.get('level'), 1, max(levels, 1), 1),
                temperature=[real(t, .05, 10, 1.) for t in listed(raw.get('temperature'), levels)],
                title=text(raw.get('title'), 300), about=text(raw.get('about'), 2000),
                other=named('other', a.tokenizers, ''))

def address(a, s):
    "What of a state an address must say: all that is not as usual."
    usual = clean(a, {'user': s['user']})
    if s['user'] is None: usual['history'] = None
    return {k: v for k, v in s.items() if k not in ('q', 'user') and v != usual[k]} | {'user': s['user']}
