from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recsys.core.half import halves, number, widen


@pytest.mark.parametrize("plain", [False, True])
def test_every_finite_number_of_half_precision_is_read_as_numpy_reads_it(plain: bool) -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    bits = bits[np.isfinite(bits.view(np.float16))]
    assert len(bits) == 2 * 31 * 1024
    numbers = np.empty((1, len(bits)), np.float32)
    if plain:
        function: Any = getattr(number, "py_func", number)
        numbers[0] = [function(element) for element in bits]
    else:
        widen(bits[None], numbers)
    np.testing.assert_array_equal(numbers[0], bits.view(np.float16).astype(np.float32))


def test_halves_share_an_array_of_half_precision_and_round_others() -> None:
    exact = np.array([1.0, -0.333], np.float32)
    rounded = exact.astype(np.float16)
    assert np.shares_memory(halves(rounded), rounded)
    assert halves(exact).tolist() == rounded.view(np.uint16).tolist()
