from __future__ import annotations

import numpy as np
import pytest

from recsys.sources.two_tower.plans import plan_blocks, plan_searches

LENGTHS = [[], [0], [3], [0, 0], [5, 1, 0, 12, 30, 7, 0, 24, 13, 6], [4, 2, 9, 1]]


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("size", [2, 100])
def test_blocks_hold_every_history_that_is_not_empty_and_pad_little(lengths: list[int], size: int) -> None:
    planned = plan_blocks(lengths, 8, size)
    assert sorted(row for block in planned for row in block) == [row for row, length in enumerate(lengths) if length]
    for block in planned:
        of_block = [lengths[row] for row in block]
        assert len(block) <= size
        assert max(of_block) <= max(8, 2 * min(of_block))


def test_histories_by_length_fill_as_few_blocks_as_they_can() -> None:
    assert plan_blocks([5, 1, 0, 12, 30, 7, 24, 13, 6], 8, 3) == [[1, 0, 8], [5, 3, 7], [6, 4]]


def test_one_block_keeps_the_order() -> None:
    assert plan_blocks([4, 2, 8, 1], 8, 4) == [[0, 1, 2, 3]]


@pytest.mark.parametrize("spare", [0, 1, 5])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_searches_are_grouped_by_what_is_spare_or_the_power_of_two_above_the_length(
    lengths: list[int], spare: int
) -> None:
    expected: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        if length:
            expected.setdefault(spare if length <= spare else 2 ** int(np.ceil(np.log2(length))), []).append(row)
    assert plan_searches(lengths, spare) == expected


def test_searches_that_leave_nothing_out_are_one() -> None:
    assert plan_searches([3, 0, 20], None) == {0: [0, 2]}
