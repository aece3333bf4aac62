from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from recsys.core.compiled import halves, number
from recsys.core.types import Float64Array


@numba.njit  # not kept on disk, where a change of `number` would not be noticed
def write_numbers(elements: NDArray[Any], numbers: Float64Array) -> None:
    for place in range(len(elements)):
        numbers[place] = number(elements[place])


@pytest.mark.parametrize("plain", [False, True])
def test_every_number_of_half_precision_is_read_as_numpy_reads_it(plain: bool) -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    expected = bits.view(np.float16).astype(np.float64)
    found = np.empty(len(bits))
    (getattr(write_numbers, "py_func", write_numbers) if plain else write_numbers)(bits, found)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_other_numbers_are_read_as_they_are(kind: type) -> None:
    elements, found = np.array([0.1, -3e9, np.inf], kind), np.empty(3)
    write_numbers(elements, found)
    np.testing.assert_array_equal(found, elements)


def test_halves_share_an_array_of_half_precision_and_round_others() -> None:
    exact = np.array([1.0, -0.333], np.float32)
    rounded = exact.astype(np.float16)
    assert np.shares_memory(halves(rounded), rounded)
    assert halves(exact).tolist() == rounded.view(np.uint16).tolist()
