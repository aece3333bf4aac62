from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.measure.metrics import Relevant
from recsys.measure.protocol import HeldOut
from recsys.train.steps.calibrate import fit_calibration


def case(count: int, scale: float, offset: float) -> tuple[Candidates, HeldOut]:
    """Ten items shown to each user, chosen with the probability sigmoid(scale * score + offset); two more unseen."""
    random = np.random.default_rng(0)
    items = np.tile(np.arange(12, dtype=np.int32), (count, 1))
    scores = -np.sort(-random.normal(5, 2, (count, 12)), axis=1).astype(np.float32)
    chosen = random.random(scores.shape) < 1 / (1 + np.exp(-(scale * scores + offset)))
    chosen[:, 10:] = True
    items[::7, 8:] = NO_ITEM
    scores[::7, 8:] = -np.inf
    rows, columns = np.nonzero(chosen)
    relevant = Relevant(np.searchsorted(rows, np.arange(count + 1)), columns.astype(np.int32))
    nothing = Histories.from_rows(count, np.zeros(0, int), np.zeros(0, int), np.zeros(0, int))
    queries = Queries(nothing, np.arange(count, dtype=np.int32), np.zeros(count, np.int64))
    return Candidates(items, scores), HeldOut("validation", queries, relevant, pd.DataFrame())


def test_the_rule_by_which_items_were_chosen_is_found() -> None:
    fitted = fit_calibration(*case(20_000, scale=0.7, offset=-5.0))
    assert fitted is not None
    assert fitted.scale == pytest.approx(0.7, rel=0.05)
    assert fitted.offset == pytest.approx(-5.0, rel=0.05)


@pytest.mark.parametrize("offset", [-1e6, 1e6])
def test_nothing_or_everything_chosen_gives_none(offset: float) -> None:
    assert fit_calibration(*case(50, scale=0.0, offset=offset)) is None


def test_scores_that_are_all_the_same_leave_padding_at_no_chance() -> None:
    lists, held = case(50, scale=0.5, offset=-2.5)
    shown = lists.items != NO_ITEM
    fitted = fit_calibration(Candidates(lists.items, np.where(shown, np.float32(0), -np.inf)), held)
    assert fitted is not None
    with np.errstate(over="ignore"):
        chances = 1 / (1 + np.exp(-(fitted.scale * np.array([0.0, -np.inf]) + fitted.offset)))
    assert 0 < chances[0] < 1
    assert chances[1] == 0
