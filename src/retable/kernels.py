"""How Numba functions are compiled. Imported on first use: importing numba takes half a second.

Numba looks for changes in the file of a kernel only, so that helpers have to stand beside the kernel that calls them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba import types

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def helper(function: Function) -> Function:
    """Compile a function that only compiled functions of its own module call."""
    return cast(Function, numba.njit(**_OPTIONS)(function))


def inlined(function: Function) -> Function:
    """Make a helper that LLVM merges into the kernels' loops, without which they are not vectorised."""
    return cast(Function, numba.njit(**_OPTIONS, forceinline=True)(function))


def kernel(function: Function) -> Function:
    """Compile a function on its first call, and keep it on disk where there is a writable place for it."""
    try:
        return cast(Function, numba.njit(**_OPTIONS, cache=True)(function))
    except RuntimeError:  # no writable cache folder: compile in memory
        return helper(function)


def compiled(function: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """Compile at once for one signature, kept on disk where there is a writable place for it.

    Args:
        function: It returns nothing.
        arguments: Numba types of its arguments.
    """
    signature = types.void(*arguments)
    made: Callable[..., Any]
    try:
        made = numba.njit(signature, **_OPTIONS, cache=True)(function)
    except (RuntimeError, OSError):  # no writable cache folder, or a full disk: compile in memory
        made = numba.njit(signature, **_OPTIONS)(function)
    return made
