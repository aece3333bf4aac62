"""Arrays in the files of a bundle, read and checked before anything is indexed by them.

Compiled loops check no index, and neither does ScaNN: an array of another shape, or a row number beyond the catalogue,
would end the process instead of raising. Whoever reads an array says here what it must be like. A check reads the file
once, at the speed of memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from recsys.core.errors import BundleError

REMEDY = "export the bundle again, or name another version"
LARGEST = 1e12
"""No sensible weight, score or offset is beyond it; products of two such numbers are finite in single precision."""

MAPPED_FROM = 1 << 20
"""Bytes from which an array is mapped, and shared by all processes that do; a smaller one is copied into memory."""

_BLOCK = 1 << 18  # entries that are looked at together, and stay in the processor's cache for the second look
_HALF_SIZE, _HALF_INFINITE = np.uint16(0x7FFF), 0x7C00  # bits of a number of half precision without its sign


def read_array(
    path: Path, kind: DTypeLike, *shape: int | None, nan: bool = False, largest: float = LARGEST
) -> NDArray[Any]:
    """The array in a .npy file, mapped into memory if it is large; what is written to it never reaches the file.

    A small one outlives whatever becomes of the file. Of a large one pages vanish where somebody cuts the file off, and
    a process that reads them is ended.

    Either is a plain array, because small slices of one are taken much faster than slices of a `numpy.memmap`, and it
    is writable, because kernels would be compiled once more for read-only arrays.

    Args:
        path: the file.
        kind: type of its numbers.
        shape: size of each dimension; None: any.
        nan: whether floating-point numbers may be missing.
        largest: of floating-point numbers, whatever their sign; infinite ones are refused in any case.

    Raises:
        BundleError: no such file, no array, or one of another type, shape or layout, or with numbers that are none.
    """
    try:
        array = np.asarray(np.lib.format.open_memmap(path, mode="c"))
    except Exception as error:  # a damaged head meets errors of many kinds in NumPy's reader
        raise BundleError(f"an array in {path}", f"{type(error).__name__}: {error}", REMEDY) from error
    array = array if array.nbytes >= MAPPED_FROM else array.copy(order="K")
    require_array(array, path, kind, *shape, nan=nan, largest=largest)
    return array


def require_array(
    array: NDArray[Any],
    where: object,
    kind: DTypeLike,
    *shape: int | None,
    nan: bool = False,
    largest: float = LARGEST,
) -> None:
    """Refuse an array that is not as described; the arguments as of `read_array`, `where` it was found.

    Raises:
        BundleError: it is of another type, shape or layout, or holds numbers that are none.
    """
    fits = len(shape) == array.ndim and all(
        size in (None, given) for size, given in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype != np.dtype(kind):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise BundleError(
            f"{np.dtype(kind)} of shape ({wanted}) in {where}", f"{array.dtype} of shape {array.shape}", REMEDY
        )
    if not (array.flags.c_contiguous and array.flags.aligned):
        raise BundleError(f"rows one after the other in {where}", "another layout in memory", REMEDY)
    if array.dtype.kind == "f":
        _require_finite(array, where, largest, nan=nan)


def require_range(array: NDArray[Any], where: object, lowest: float, highest: float) -> None:
    """Refuse an array with a number below `lowest` or above `highest`; NaN passes.

    Raises:
        BundleError: names the first such number and its place.
    """
    for start, block in _blocks(array):
        if np.fmin.reduce(block) < lowest or np.fmax.reduce(block) > highest:
            at = int(np.flatnonzero((block < lowest) | (block > highest))[0])
            position = _position(array, start + at)
            raise BundleError(f"numbers from {lowest} to {highest} in {where}", f"{block[at]} at {position}", REMEDY)


def require_offsets(offsets: NDArray[Any], where: object, end: int) -> None:
    """Refuse int64 [B + 1] that are not where B parts of `end` entries begin and end.

    Raises:
        BundleError: there are none, or they do not rise from 0 to `end`.
    """
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != end:
        got = f"from {offsets[0]} to {offsets[-1]}" if len(offsets) else "none"
        raise BundleError(f"offsets from 0 to {end} in {where}", got, REMEDY)
    falls = np.flatnonzero(offsets[1:] < offsets[:-1])
    if len(falls):
        raise BundleError(f"offsets that never fall in {where}", f"a lower one at {falls[0] + 1}", REMEDY)


def _require_finite(array: NDArray[Any], where: object, largest: float, *, nan: bool) -> None:
    for start, block in _blocks(array):
        if block.dtype == np.float16 and not nan:  # several times as fast as what NumPy does with such numbers
            sound = int((block.view(np.uint16) & _HALF_SIZE).max()) < _HALF_INFINITE
        else:
            size = np.abs(block)
            # A number that is missing makes the largest one of `max` missing, and so not small enough.
            sound = bool((np.fmax.reduce(size, initial=0) if nan else size.max()) <= largest)
        if not sound:
            size = np.abs(block.astype(np.float64))
            at = int(np.flatnonzero(size > largest if nan else ~(size <= largest))[0])
            what = f"finite numbers up to {largest:g}"
            raise BundleError(f"{what} in {where}", f"{block[at]} at {_position(array, start + at)}", REMEDY)


def _blocks(array: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Parts of the array, flat, each with the index at which it starts."""
    flat = array.reshape(-1)
    return ((start, flat[start : start + _BLOCK]) for start in range(0, len(flat), _BLOCK))


def _position(array: NDArray[Any], entry: int) -> list[int]:
    return [int(index) for index in np.unravel_index(entry, array.shape)]
