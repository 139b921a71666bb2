"""How this package's Numba functions are compiled. Imported on first use: importing numba takes half a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def helper(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that only compiled functions of its own module call."""
    compiled: Callable[..., Any] = numba.njit(nogil=True, error_model="numpy")(function)
    return compiled


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function on its first call, and keep it on disk where there is a writable place for it.

    Numba looks for changes in the file of the kernel only, so that helpers have to stand beside their kernel.
    """
    compiled: Callable[..., Any]
    try:
        compiled = numba.njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # no writable cache folder: compile in memory
        compiled = numba.njit(nogil=True, error_model="numpy")(function)
    return compiled
