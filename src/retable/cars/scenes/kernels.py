"""How this package's Numba functions are compiled. Imported on first use: importing numba takes half a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])


def helper(function: Function) -> Function:
    """Compile a function that only compiled functions of its own module call."""
    return cast(Function, numba.njit(nogil=True, error_model="numpy")(function))


def kernel(function: Function) -> Function:
    """Compile a function on its first call, and keep it on disk where there is a writable place for it.

    Numba looks for changes in the file of the kernel only, so that helpers have to stand beside their kernel.
    """
    try:
        return cast(Function, numba.njit(nogil=True, error_model="numpy", cache=True)(function))
    except RuntimeError:  # no writable cache folder: compile in memory
        return helper(function)


def record(values: Any) -> Any:
    """Pack a named tuple of floats for compiled functions, which then pass it on by reference instead of by value."""
    return np.array([values], [(name, np.float64) for name in values._fields])[0]
