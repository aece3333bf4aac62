from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.core.queries import NO_ITEM
from recsys.explain.cheap import Reasons
from recsys.explain.fact import Kind
from recsys.measure.explanations.agreement import Named
from recsys.measure.explanations.reasons import kinds_of, named_by, reason_figures
from tests.support.fixed_scores import FixedScores

NOTHING = -1
# Two sources of the same kind and one of another. The first user's list: two reasons that are the same though of
# different sources, one of the other kind, a taste. The second's: a popular item alone. The third has no list.
FOUND = Reasons(
    kinds=(Kind.CO_PURCHASE, Kind.CO_PURCHASE, Kind.SIMILAR_TEXT),
    sources=np.array([[0, 1, 2, NOTHING], [NOTHING] * 4, [NOTHING] * 4]),
    positions=np.array([[1, 1, 1, NOTHING], [NOTHING] * 4, [NOTHING] * 4]),
    items=np.array([[7, 7, 7, NO_ITEM], [NO_ITEM] * 4, [NO_ITEM] * 4], np.int32),
    counts=np.array([[3, 5, 1, 0], [0] * 4, [0] * 4]),
    parts=np.zeros((3, 4)),
    taste=np.array([[False, False, False, True], [False] * 4, [False] * 4]),
)
LISTS = np.array([[1, 2, 3, 4], [5, NO_ITEM, NO_ITEM, NO_ITEM], [NO_ITEM] * 4], np.int32)


def test_figures_by_hand() -> None:
    found = reason_figures(FOUND, LISTS, samples=100, seed=0)
    assert found is not None
    assert (found["users"], found["entries"]) == (2, 5)
    # All of the first list, nothing of the second.
    assert found["personal"] == {"mean": 0.5, "low": 0, "high": 1}
    # Of four reasons three are distinct, of three kinds.
    assert found["distinct"] is not None
    assert found["kinds"] is not None
    assert found["distinct"]["mean"] == pytest.approx(3 / 4)
    assert found["kinds"]["mean"] == 3


def test_a_transition_that_nobody_took_this_way_is_a_co_purchase() -> None:
    kinds = Kind.CO_PURCHASE, Kind.NEXT_PURCHASE, Kind.NEXT_PURCHASE
    first, second, third, _ = kinds_of(replace(FOUND, kinds=kinds, counts=np.array([[3, 0, 2, 0]] * 3)))[0].tolist()
    assert first == second != third


def test_without_a_personal_reason_nothing_is_said_of_how_different_they_are() -> None:
    nothing = Reasons(
        FOUND.kinds,
        *(part[1:2] for part in (FOUND.sources, FOUND.positions)),
        FOUND.items[1:2],
        FOUND.counts[1:2],
        FOUND.parts[1:2],
        FOUND.taste[1:2],
    )
    found = reason_figures(nothing, LISTS[1:2], samples=10, seed=0)
    assert found is not None
    assert found["personal"]["mean"] == 0
    assert found["distinct"] is None
    assert reason_figures(nothing, LISTS[2:], samples=10, seed=0) is None


def test_what_reasons_name() -> None:
    sources = [FixedScores(np.zeros((1, 1), np.float32), name) for name in "abc"]
    assert named_by(FOUND, sources) == [Named(0, 0, 7, "a"), Named(0, 1, 7, "b"), Named(0, 2, 7, "c")]
