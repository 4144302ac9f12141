"""The demo: a page over a data set, its Semantic IDs and its trained bundles. It holds no model code.

`launch(dataset, paths)` serves it; `build(dataset, paths)` gives the `gr.Blocks`, whose `.launch()` shows it
inside a notebook. One module a tab; each has `view(a, s)`, what the tab shows for a state, and `api(a)`, the
typed functions behind it.
"""
from .page import build, launch

__all__ = ['build', 'launch']
