"""Prefetching: random rows of large arrays load slowly, so loops ask for them a few rounds before they read them.

It is the only instruction of compiled loops that Numba does not offer. docs/performance.md says what it earns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic
from numpy.typing import NDArray

_LINE = 64  # bytes that the processor fetches at once


def _nothing(array: NDArray[Any], index: int) -> None:
    """In plain Python."""


def _instruction(_: Any, array: Any, index: Any) -> Any:
    """LLVM's prefetch of every cache line of `array[index]`: for reading, to stay in all caches, data."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tools: Any = cgutils
        contents = context.make_array(signature.args[0])(context, builder, arguments[0])
        size = builder.extract_value(contents.strides, 0)
        offset = builder.mul(context.cast(builder, arguments[1], signature.args[1], types.intp), size)
        byte, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
        start = builder.gep(builder.bitcast(contents.data, byte), [offset])
        kind = ir.FunctionType(ir.VoidType(), [byte, integer, integer, integer])
        function = tools.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        line = context.get_constant(types.intp, _LINE)
        with tools.for_range_slice(builder, context.get_constant(types.intp, 0), size, line) as (position, _):
            builder.call(function, [builder.gep(start, [position]), integer(0), integer(3), integer(1)])
        return context.get_dummy_value()

    return types.void(array, index), generate


_compiled: Any = intrinsic(_instruction)
_disabled: bool = getattr(config, "DISABLE_JIT")  # noqa: B009  # mypy does not see it
prefetch: Callable[[NDArray[Any], Any], None] = _nothing if _disabled else _compiled
"""In a kernel: ask the processor to read `array[index]`, a number or a row of a contiguous array, into its cache."""
