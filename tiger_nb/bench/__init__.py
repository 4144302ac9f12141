"""What is fast, against whom, and why: the tools are here, the rows of `tiger_bench` in `rows`."""
from .bench import *
