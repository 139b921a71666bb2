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


def over_row_chunks(function: Callable[[int, int], None], rows: int, cost: int, least_cost: int = 100_000) -> None:
    """Call `function(start, stop)` on ranges that cover `rows`, on as many threads as torch uses for one operation.

    Args:
        function: Works on rows start to stop; must release the GIL to gain anything.
        rows: Number of rows.
        cost: Work units of all rows; below `least_cost` starting threads costs more than it gains.
        least_cost: The work that is worth threads.
    """
    threads = min(torch.get_num_threads(), rows)
    if threads <= 1 or cost < least_cost:
        function(0, rows)
        return
    with _lock:
        if threads not in _pools:
            _pools[threads] = ThreadPoolExecutor(threads, thread_name_prefix="retable-boxes")
        pool = _pools[threads]
    chunks = min(4 * threads, rows)  # more chunks than threads, since boxes crowd in some rows
    edges = [rows * k // chunks for k in range(chunks + 1)]
    # list() waits for all and raises the first error
    list(pool.map(function, edges[:-1], edges[1:]))
