"""Loops of the request path, compiled to machine code by Numba: one pass instead of dozens of NumPy calls.

They live in the `kernels` modules, take arrays alone, hold no lock of the interpreter and check no index: their
callers answer for rows that lie in the catalogue. Compiled code is kept on disk, beside the module (or in
NUMBA_CACHE_DIR), and found again by that module's file alone: a kernel calls no other module's kernels, or it would
go on with their old code after an upgrade. (What this module offers to them has one right result, now and later.)
NUMBA_DISABLE_JIT=1 runs them as plain Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, overload, register_jitable
from numpy.typing import NDArray

from recsys.core.types import UInt16Array

Function = TypeVar("Function", bound=Callable[..., Any])

# Sums may be reordered, so that they use vector instructions. NaN and infinity keep their meaning.
_FAST_MATH = {"reassoc", "contract", "nsz"}


def compiled(function: Function) -> Function:
    """The function, compiled at its first call with arguments of new types."""
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST_MATH)(function))


def prefetch(vector: NDArray[Any], place: int) -> None:
    """In a kernel: ask the processor to read an element of a vector into its cache. In plain Python nothing.

    Rows at random of large arrays are slow to come; asked for a few rounds ahead, they are there when they are used.
    """


def _instruction(_: Any, vector: Any, place: Any) -> Any:
    """LLVM's prefetch: for reading, to stay in all caches, data."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        places = [context.cast(builder, arguments[1], signature.args[1], types.intp)]
        tools: Any = cgutils
        pointer = tools.get_item_pointer(context, builder, signature.args[0], array, places, wraparound=False)
        byte, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, integer, integer, integer])
        function = tools.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [builder.bitcast(pointer, byte), integer(0), integer(3), integer(1)])
        return context.get_dummy_value()

    return types.void(vector, place), generate


_prefetch: Any = intrinsic(_instruction)


@overload(prefetch)
def _compiled_prefetch(vector: Any, place: Any) -> Callable[[Any, Any], None]:  # noqa: ARG001
    def prefetch_element(vector: Any, place: Any) -> None:
        _prefetch(vector, place)

    return prefetch_element


@register_jitable
def prefetch_row(row: NDArray[Any]) -> None:
    """`prefetch` all of a row, a cache line of 64 bytes at a time."""
    for place in range(0, len(row), 64 // row.itemsize):
        prefetch(row, place)


def halves(array: NDArray[np.floating]) -> UInt16Array:
    """Numbers of half precision as kernels take them: their bits. A contiguous float16 array is not copied."""
    return np.ascontiguousarray(array, np.float16).view(np.uint16)


def number(element: Any) -> Any:
    """In a kernel: an element of an array as a number; one of 16 bits is of half precision, see `halves`."""
    return float(element.view(np.float16)) if isinstance(element, np.uint16) else element


def _widening(_: Any, bits: Any) -> Any:
    """The bits of half precision as a number of single precision, exactly.

    Exponent and fraction, moved to their places there, make a number smaller by 2^112; infinity and NaN have all bits
    of the exponent. LLVM's own conversion is a tenth faster, but aborts where the processor has no instruction for it.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        integer, single = ir.IntType(32), ir.FloatType()
        wide = builder.zext(arguments[0], integer)
        moved = builder.shl(builder.and_(wide, integer(0x7FFF)), integer(13))
        grown = builder.fmul(builder.bitcast(moved, single), ir.Constant(single, 2.0**112))
        endless = builder.icmp_unsigned(">=", moved, integer(0x7C00 << 13))
        size = builder.select(endless, builder.or_(moved, integer(0x7F800000)), builder.bitcast(grown, integer))
        sign = builder.shl(builder.and_(wide, integer(0x8000)), integer(16))
        return builder.bitcast(builder.or_(size, sign), single)

    return types.float32(bits), generate


_widened: Any = intrinsic(_widening)


@overload(number)
def _compiled_number(element: Any) -> Callable[[Any], Any]:
    def widened(element: Any) -> Any:
        return _widened(element)

    def as_it_is(element: Any) -> Any:
        return element

    return widened if element == types.uint16 else as_it_is
