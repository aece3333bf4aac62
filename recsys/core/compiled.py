"""Loops of the request path, compiled to machine code by Numba: one pass instead of dozens of NumPy calls.

They live in the `kernels` modules, take arrays, numbers and named tuples of these alone, hold no lock of the
interpreter and check no index: their callers answer for rows that lie in the catalogue. NUMBA_DISABLE_JIT=1 runs them
as plain Python.

A fresh installation compiles every loop that a server uses before its first answer, so a loop is written to be cheap to
compile: scalars are read and written one by one, and the caller provides the arrays for results. Assigning an array to
a row, sorting with NumPy, sets and dictionaries each compile more code than the loop around them (see
`benchmarks/cold_start.py`, which shows what every function costs).

A row of an array is an array of its own, of whose users Numba keeps count: in loops of a few hundred steps that take
named tuples of arrays, `table[row, column]` takes a twentieth of the time of `table[row]` and then `[column]`.

Compiled code is kept on disk, beside the module or in NUMBA_CACHE_DIR, and is read from there also where nothing can be
written, as in an image of a container. It is for one kind of processor: an image is compiled for the kind that
NUMBA_CPU_NAME and NUMBA_CPU_FEATURES name, or every machine of another kind would compile it anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core.caching import CompileResultCacheImpl, FunctionCache, InTreeCacheLocator, UserProvidedCacheLocator

Function = TypeVar("Function", bound=Callable[..., Any])

_compiled_loops: list[Any] = []

# Sums may be reordered, so that they use vector instructions. NaN and infinity keep their meaning.
_FAST_MATH = {"reassoc", "contract", "nsz"}


def compiled(function: Function) -> Function:
    """The function, compiled at its first call with arguments of new types."""
    return _compiled(function, _FAST_MATH)


def compiled_as_written(function: Function) -> Function:
    """As `compiled`, with the operations on floating-point numbers in the order in which they are written."""
    return _compiled(function, set())


def compiled_in_place(function: Function) -> Function:
    """As `compiled`, always as a part of the loop that calls it.

    For small loops that take named tuples of many arrays: a call copies all that is known of each, which takes longer
    than a pass over a hundred numbers.
    """
    return _compiled(function, _FAST_MATH, in_place=True)


def _compiled(function: Function, fast_math: set[str], *, in_place: bool = False) -> Function:
    njit: Any = numba.njit
    options = {"nogil": True, "error_model": "numpy", "fastmath": fast_math, "no_cfunc_wrapper": True}
    dispatcher = njit(**options, forceinline=in_place)(function)
    if hasattr(dispatcher, "py_func"):  # not so where NUMBA_DISABLE_JIT is set
        dispatcher._cache = _Cache(function)  # type: ignore[no-untyped-call]  # Numba's class has no types
        _compiled_loops.append(dispatcher)
    return cast(Function, dispatcher)


def read_compiled() -> int:
    """Read what is kept on disk of all loops that have been imported, before anybody calls them; how many it were."""
    read = 0
    for dispatcher in _compiled_loops:
        for signature in dispatcher._cache.kept(dispatcher.targetctx.codegen()):
            dispatcher.compile(signature)
            read += 1
    return read


class _GivenFolder(UserProvidedCacheLocator):
    """NUMBA_CACHE_DIR, also where it can only be read."""

    def ensure_cache_path(self) -> None:
        with suppress(OSError):
            super().ensure_cache_path()  # type: ignore[no-untyped-call]  # Numba's class has no types


class _FolderBeside(InTreeCacheLocator):
    """The folder beside the module, also where it can only be read."""

    def ensure_cache_path(self) -> None:
        """Nothing need be written."""


class _Places(CompileResultCacheImpl):
    """Where compiled code is looked for. Numba passes by what cannot be written, and ends where nothing can."""

    _locator_classes = [_GivenFolder, *CompileResultCacheImpl._locator_classes[1:], _FolderBeside]  # noqa: RUF012  # as Numba has it


class _Cache(FunctionCache):
    """Compiled code on disk, which is used again only while all that it was compiled from is the same.

    Numba looks at the function's own file. What the function calls or reads from other modules is part of its machine
    code, too. Code that cannot be kept, on a full or read-only disk, is used all the same.
    """

    _impl_class = _Places

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(OSError):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]

    def kept(self, codegen: Any) -> list[Any]:
        """Signatures of which compiled code is on disk that may still be used."""
        keys = self._cache_file._load_index()  # type: ignore[no-untyped-call]
        return [key[0] for key in keys if key == self._index_key(key[0], codegen)]

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        own: tuple[Any, ...] = super()._index_key(sig, codegen)  # type: ignore[no-untyped-call]
        compiled_in = repr(list(_compiled_in(self._py_func, set())))
        return *own, hashlib.sha256(compiled_in.encode()).hexdigest()


def _compiled_in(function: Callable[..., Any], visited: set[object]) -> Iterator[object]:
    """Numbers that the function reads from its module, and the code of the functions that it calls, theirs included."""
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, (int, float, np.generic)):
            yield name, value
        called = getattr(value, "py_func", None)
        if called is not None and called not in visited:
            visited.add(called)
            yield name, called.__code__.co_code, called.__code__.co_consts
            yield from _compiled_in(called, visited)
