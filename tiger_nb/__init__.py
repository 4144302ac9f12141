"""Generative retrieval in PyTorch: `from tiger_nb import load, Recommender`.
What a name stands for is imported when it is used."""
from importlib import import_module

__version__ = "0.1.0"

_PLACES = dict(
    load='dataset', Dataset='dataset', embed='embeddings', tokenize='tokenizer',
    TokenizerSettings='tokenizer', SemanticIds='semantic_ids', RQKMeans='rqkmeans', RQVAE='rqvae',
    CoVisitation='baselines', SASRec='sasrec', Tiger='tiger', TigerDecoder='tiger_decoder',
    TigerTrie='tiger_trie', train_bundle='bundles', Recommender='recommender')
__all__ = list(_PLACES)

def __getattr__(name):
    if name not in _PLACES: raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.{_PLACES[name]}'), name)

def __dir__(): return [*globals(), *_PLACES]
