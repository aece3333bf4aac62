from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from recsys.core.histories import Histories
from recsys.measure.metrics import Relevant
from recsys.measure.rules.outcomes import OUTCOMES, Judge, Outcomes

ITEMS = pd.DataFrame(
    {
        "price": np.array([10, 20, np.nan, 0, 40], np.float32),
        "categories": [["all", "hair"], ["all", "hair"], ["all", "skin"], ["all", "skin"], []],
        "brand": ["a", "b", "a", None, None],
    }
)
KNOWN = Histories.from_rows(3, np.array([0, 0, 1]), np.array([2, 1, 2]), np.arange(3))
CHOSEN = Relevant(np.array([0, 2, 3, 3]), np.array([0, 4, 3], np.int32))
LISTS = np.array([[0, 3, -1], [3, 2, 0], [-1, -1, -1]], np.int32)


def test_by_hand() -> None:
    found = Judge.of_items(ITEMS).outcomes(LISTS, KNOWN, CHOSEN)
    assert tuple(sorted(found)) == tuple(sorted(OUTCOMES))
    # The first user finds one of two choices in the first place, the second one the only choice there.
    assert found["ndcg"][:2] == pytest.approx([1 / (1 + 1 / math.log2(3)), 1])
    assert found["recall"][:2] == pytest.approx([0.5, 1])
    # Items 2 and 3 have no price; of the choices that were listed item 0 costs 10, item 3 nothing that is known.
    assert found["price"][:2] == pytest.approx([10, 10])
    assert found["revenue"][:2] == pytest.approx([10, 0])
    assert found["filled"] == pytest.approx([2 / 3, 1, 0])
    # Item 0 (all, hair, a) and item 3 (all, skin) have one of four in common; item 2 is (all, skin, a).
    assert found["diversity"][:2] == pytest.approx([3 / 4, ((1 - 2 / 3) + 3 / 4 + 2 / 4) / 3])
    assert found["of_last"][:2] == pytest.approx([1 / 2, 2 / 3])
    assert found["covered"][:2] == pytest.approx([1, 1])
    for name in ("ndcg", "recall", "price", "revenue", "diversity", "of_last", "covered", "divergence"):
        assert np.isnan(found[name][2]), name


def test_several_blocks_make_one() -> None:
    judge, outcomes = Judge.of_items(ITEMS), Outcomes(3, len(ITEMS))
    own = judge.outcomes(LISTS, KNOWN, CHOSEN)
    unruled = np.array([[0, 3, -1], [3, 0, 2], [-1, -1, -1]], np.int32)
    outcomes.add(slice(0, 2), LISTS[:2], {name: figure[:2] for name, figure in own.items()}, unruled[:2])
    outcomes.add(slice(2, 3), LISTS[2:], {name: figure[2:] for name, figure in own.items()}, unruled[2:])
    for name in OUTCOMES:
        np.testing.assert_array_equal(outcomes.figures[name], own[name])
    assert outcomes.shown.tolist() == [True, False, True, True, False]
    assert outcomes.changed.tolist() == [False, True, False]
