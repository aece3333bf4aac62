"""Loops of the request path, compiled to machine code by Numba: one pass instead of dozens of NumPy calls.

They live in the `kernels` modules, take arrays alone, hold no lock of the interpreter and check no index: their
callers answer for rows that lie in the catalogue. Compiled code is kept on disk, beside the module (or in
NUMBA_CACHE_DIR), and found again by that module's file alone: a kernel calls no other module's kernels, or it would
go on with their old code after an upgrade. NUMBA_DISABLE_JIT=1 runs them as plain Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

# Sums may be reordered, so that they use vector instructions. NaN and infinity keep their meaning.
_FAST_MATH = {"reassoc", "contract", "nsz"}


def compiled(function: Function) -> Function:
    """The function, compiled at its first call with arguments of new types."""
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST_MATH)(function))
