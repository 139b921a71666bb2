"""A thread pool for kernels that release the GIL, as wide as torch's own and safe across fork()."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

_lock = threading.Lock()
_pools: dict[int, ThreadPoolExecutor] = {}


def _forget_pools() -> None:
    """Drop what a forked child inherits: the pools' threads live in the parent only."""
    global _lock
    _lock = threading.Lock()
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pools)


def _pool(helpers: int) -> ThreadPoolExecutor:
    with _lock:
        if helpers not in _pools:
            _pools[helpers] = ThreadPoolExecutor(helpers, thread_name_prefix="retable-boxes")
        return _pools[helpers]


def over_rows(function: Callable[[int, int], None], rows: int, cost: int, least_cost: int = 2_000_000) -> None:
    """Call `function(start, step)` so that all rows are covered, on as many threads as torch uses for one operation.

    Rows are dealt out in turn, which spreads crowded and empty regions evenly, in one share for each thread: every
    further share would be another turn at the GIL, each of which costs a time slice on a busy machine. The calling
    thread works too, and takes the shares of helpers that a busy machine has not started yet.

    Args:
        function: Works on rows start, start + step, ...; must release the GIL to gain anything.
        rows: Number of rows.
        cost: Work units of all rows; below `least_cost` (a few milliseconds) threads gain too little.
        least_cost: The work that is worth waking threads for.
    """
    threads = min(torch.get_num_threads(), rows)
    if threads <= 1 or cost < least_cost:
        function(0, 1)
        return
    shares = iter(range(threads))  # next() on it is atomic

    def work() -> None:
        for share in shares:
            function(share, threads)

    pool = _pool(threads - 1)
    helpers = [pool.submit(work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        # a helper that has started must end before the arrays that it writes to can go
        errors = [helper.exception() for helper in helpers if not helper.cancel()]
    for error in errors:
        if error is not None:
            raise error
