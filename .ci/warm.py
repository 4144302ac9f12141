"""What most notebooks import, imported once: `check.py` tests each notebook in a fork of that process.
Only libraries stand here: the package itself is imported by every notebook anew."""
import os, sys
from contextlib import suppress
from pathlib import Path

import accelerate, faiss, nbclient, nbconvert, numpy, plotly.graph_objects, torch, umap  # noqa: F401
import torch.utils.tensorboard  # noqa: F401
from nbdev.test import nbdev_test
# Not polars: it starts a thread when it is imported, and threads don't fork.

with suppress(ImportError): import torch._dynamo  # noqa: F401  # private: only to save each fork its import

def test(
    path,  # of the notebook
    flags, # of the cells to run although they are flagged
    log,   # file that takes what the notebook prints
    env,   # its environment variables
):
    "One notebook from top to bottom, in a process group of its own; ends with 1 if a cell fails."
    os.setsid()
    os.environ.clear()
    os.environ.update(env)
    here = str(Path(__file__).parent)
    sys.path[:] = [p for p in sys.path if p != here]  # a notebook can't import from .ci
    sys.argv = ['nbdev_test']
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    nbdev_test(path=path, flags=flags)
