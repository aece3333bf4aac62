"""The order of everything that is sorted by a score, in compiled loops and in NumPy.

Each entry is sorted by one unsigned number of 64 bits, ascending from the highest score: the upper half is made of the
bits of the score, the lower half decides between equal scores. Plain numbers sort fastest.

Equal scores of items are ordered by a fixed scrambling of the item rows, the tie key: the same everywhere and always,
yet without meaning. Ordering them by row would favour whatever order the raw file had.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.core.compiled import compiled
from recsys.core.types import Float32Array, Int32Array, UInt32Array, UInt64Array

# Knuth's multiplicative hash of item rows, a bijection on 32 bits, and its inverse.
_HASH, _UNHASH = np.uint64(2654435761), np.uint64(pow(2654435761, -1, 1 << 32))
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_SIGN, _ALL_BUT_SIGN = np.uint64(0x80000000), np.uint64(0x7FFFFFFF)
_DIGIT, _DIGITS = np.uint64(255), 256


@compiled
def tie_key(item: np.int32) -> np.uint64:
    """In a kernel: a number of 32 bits for an item row, distinct and without order."""
    return np.uint64(np.uint32(item)) * _HASH & _LOW


@compiled
def item_of(key: np.uint64) -> np.int32:
    """In a kernel: the item row whose tie key is the lower half of the key."""
    return np.int32((key & _LOW) * _UNHASH & _LOW)


@compiled
def sort_key(score: np.float32, low: np.uint64) -> np.uint64:
    """In a kernel: the key of a score, with what orders equal ones in its lower half."""
    bits = np.uint64(np.float32(score).view(np.uint32))
    if bits == _SIGN:  # -0 is 0
        bits = np.uint64(0)
    # The bits of floats above zero sort as the floats do, those of floats below zero the other way round.
    return (bits if bits >= _SIGN else _ALL_BUT_SIGN - bits) << _HALF | low


@compiled
def score_of(key: np.uint64) -> np.float32:
    """In a kernel: the score that the key was made from."""
    bits = key >> _HALF
    return np.uint32(bits if bits >= _SIGN else _ALL_BUT_SIGN - bits).view(np.float32)


@compiled
def sort(keys: UInt64Array) -> UInt64Array:
    """In a kernel: the keys in ascending order; `keys` are moved about.

    Radix sort: a pass for every byte in which the keys differ. At a few hundred keys four times as fast as quicksort.
    """
    count = len(keys)
    other, ends = np.empty(count, np.uint64), np.empty(_DIGITS, np.int64)
    for byte in range(8):
        shift = np.uint64(8 * byte)
        for digit in range(_DIGITS):
            ends[digit] = 0
        for index in range(count):
            ends[keys[index] >> shift & _DIGIT] += 1
        if count == 0 or ends[keys[0] >> shift & _DIGIT] == count:
            continue
        for digit in range(1, _DIGITS):
            ends[digit] += ends[digit - 1]
        for index in range(count - 1, -1, -1):
            digit_of_key = keys[index] >> shift & _DIGIT
            ends[digit_of_key] -= 1
            other[ends[digit_of_key]] = keys[index]
        keys, other = other, keys
    return keys


@compiled
def lowest(keys: UInt64Array, k: int) -> UInt64Array:
    """In a kernel: the k lowest of the keys in ascending order; `keys` are moved about."""
    if len(keys) > k:
        for node in range(k // 2 - 1, -1, -1):
            sink(keys, k, node)
        for index in range(k, len(keys) if k > 0 else 0):
            if keys[index] < keys[0]:
                keys[0] = keys[index]
                sink(keys, k, np.int64(0))
    return sort(keys[:k])


@compiled
def sink(heap: UInt64Array, size: int, node: int | np.int64) -> None:
    """In a kernel: move a key of a heap, where no node is lower than its children, down to where no child is higher."""
    key = heap[node]
    while 2 * node + 1 < size:
        child = 2 * node + 1
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= key:
            break
        heap[node] = heap[child]
        node = child
    heap[node] = key


def tie_keys(items: NDArray[np.integer]) -> UInt32Array:
    """As `tie_key`, of an array."""
    return (items.astype(np.uint32).astype(np.uint64) * _HASH).astype(np.uint32)


def sort_keys(scores: Float32Array, items: NDArray[np.integer]) -> UInt64Array:
    """As `sort_key`, of arrays, with the tie keys of the items in the lower halves."""
    bits = (scores.astype(np.float32) + np.float32(0)).view(np.uint32).astype(np.uint64)  # -0 becomes 0
    return _flipped(bits) << _HALF | tie_keys(items)


def of_sort_keys(keys: UInt64Array) -> tuple[Int32Array, Float32Array]:
    """Items and scores of `sort_keys`."""
    items = ((keys & _LOW) * _UNHASH).astype(np.uint32).view(np.int32)
    return items, _flipped(keys >> _HALF).astype(np.uint32).view(np.float32)


def _flipped(bits: UInt64Array) -> UInt64Array:
    return np.where(bits >= _SIGN, bits, _ALL_BUT_SIGN - bits)
