"The typed endpoints: arguments are checked in one place, and what is wrong comes back as one sentence."
import inspect, traceback
from functools import wraps
from typing import get_args, get_origin, get_type_hints

import gradio as gr

from tiger_nb.recommender import InputError

from .limits import ITEMS, LETTERS

# from, to of a number, or of each number of a list
RANGES = dict(k=(1, 50), beams=(1, 200), users=(1, 200), depth=(1, 8), prefix=(-1, 2**31),
              temperature=(.05, 10), corners=(-1e6, 1e6), item=(0, 2**53), user=(0, 2**53),
              history=(0, 2**53))
LENGTHS = dict(history=ITEMS, corners=2 * 60, title=300, description=2000)   # at most; others: `LETTERS`
NAMES = {int: 'a whole number', float: 'a number', str: 'a text', bool: 'true or false'}

def is_a(value, kind):
    "Whether a value from JSON is of a type."
    if kind is float: kind = (int, float)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))

def check(a, name, value, kind, needed):
    "Raises `InputError` unless an argument is what its annotation and its limits say."
    if get_origin(kind) is list:
        if not isinstance(value, (list, tuple)): raise InputError(f'{name} is {value!r:.40}; give a list')
        longest = a.ids.n_levels if name in ('prefix', 'temperature') and a.ids else LENGTHS.get(name, ITEMS)
        if len(value) > longest:
            raise InputError(f'{name} has {len(value)} values; at most {longest} are taken')
        for x in value: check(a, name, x, get_args(kind)[0], needed)
        return list(value)
    if not is_a(value, kind): raise InputError(f'{name} has the value {value!r:.40}; give {NAMES[kind]}')
    if kind is str:
        most = LENGTHS.get(name, LETTERS)
        if len(value) > most: raise InputError(f'{name} has {len(value)} letters; at most {most} are taken')
        try: value.encode()
        except UnicodeEncodeError: raise InputError(f'{name} holds half a letter; correct it') from None
        if needed and not value.strip(): raise InputError(f'{name} is empty; write something')
    elif kind is not bool and name in RANGES:
        low, high = RANGES[name]
        if not low <= value <= high:   # nor NaN
            raise InputError(f'{name} has the value {value!r:.40}; it may be {low:,} to {high:,}')
    return value

def endpoint(a, f):
    "A function whose bad input is one sentence for the client."
    kinds, parameters = get_type_hints(f), inspect.signature(f).parameters
    @wraps(f)
    def call(*args, **kw):
        given = dict(zip(parameters, args)) | kw
        try:
            checked = {n: check(a, n, v, kinds[n], parameters[n].default is parameters[n].empty)
                       for n, v in given.items()}
            return f(**checked)
        except InputError as e: raise gr.Error(str(e), print_exception=False) from None
        except (ValueError, TypeError, IndexError, OverflowError, KeyError):
            traceback.print_exc()   # the log has what happened
            raise gr.Error(f'{f.__name__} cannot work with these arguments', print_exception=False) from None
    return call

def publish(a, functions):
    "Endpoints of the page that is being built, one a function; parameters are labelled by their names."
    page = gr.context.Context.root_block
    for f in functions:
        made = gr.api(endpoint(a, f), api_name=f.__name__, concurrency_limit=4)
        inputs, outputs = page.fns[made['id']].inputs, page.fns[made['id']].outputs
        for block, name in zip(inputs, inspect.signature(f).parameters): block.label = name
        for block in outputs: block.label = f.__name__
