"""The demo: a page over a data set, its Semantic IDs and two trained bundles. It shows what the library does and holds no model code.

`launch(dataset, paths)` serves it; `build(dataset, paths)` gives the `gr.Blocks`, whose `.launch()` shows it inside a notebook.
"""
from .page import build, launch

__all__ = ['build', 'launch']
