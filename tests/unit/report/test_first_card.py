"""What the report says first, in words."""

from __future__ import annotations

from typing import Any

import pytest

from recsys.report.first_card import earned, order_in_words


def results(gain: dict[str, float] | None) -> Any:
    return {
        "best_baseline": {"name": "blend", "gain": gain},
        "systems": {"blend": {"label": "Blend of baselines"}},
        "ranking": {"seen_removed": {"systems": {"system": {}}}},
        "protocol": {"headline_protocol": "seen_removed", "main_cutoff": 10},
    }


@pytest.mark.parametrize(
    ("low", "mean", "high", "words"),
    [
        (0.08, 0.123, 0.16, "earn their cost in this shop: NDCG@10 is 12.3% (95% interval 8.0% to 16.0%) above"),
        (-0.3, -0.2, -0.1, "do not earn their cost in this shop: NDCG@10 is 20.0% (95% interval 10.0% to 30.0%) below"),
        (-0.02, 0.01, 0.04, "is open: NDCG@10 differs by +1.0% (95% interval −2.0% to +4.0%)"),
    ],
)
def test_whether_the_learned_parts_earned_their_cost(low: float, mean: float, high: float, words: str) -> None:
    said = earned(results({"low": low, "mean": mean, "high": high}))
    assert said is not None
    assert words in said
    assert "Blend of baselines" in said


def test_nothing_is_said_of_what_was_not_measured() -> None:
    assert "nothing to compare" in str(earned(results(None)))
    assert earned(results(None) | {"best_baseline": None}) is None
    nobody = results(None) | {"ranking": {"seen_removed": {"systems": {}}}}
    assert earned(nobody) is None
    assert order_in_words({"ranker": None}) is None
    assert order_in_words({"ranker": {"curve": []}}) is None


def order(served: str, chosen: str) -> dict[str, Any]:
    margins = [
        {"order": "blend", "over": "als", "mean": 0.01, "low": 0.005, "high": 0.015, "taken": True},
        {"order": "hybrid", "over": "blend", "mean": -0.001, "low": -0.004, "high": 0.002, "taken": False},
        {"order": "ranker", "over": "blend", "mean": 0.5, "low": None, "high": None, "taken": False},
    ]
    return {"ranker": {"order": {"chosen": chosen, "served": served, "users": 1234, "margins": margins}}}


def test_a_lead_that_may_be_chance_is_told_as_such() -> None:
    told = order("blend", "blend")
    told["ranker"]["order"]["margins"] = [
        {"order": "blend", "over": "als", "mean": 0.01, "low": -0.005, "high": 0.025, "taken": True}
    ]
    assert "the blend of baselines is ahead of ALS alone, though not beyond doubt (+0.0100, " in str(
        order_in_words(told)
    )


def test_the_order_and_why() -> None:
    assert order_in_words(order("blend", "blend")) == (
        "Lists are put in order by the blend of baselines. On 1,234 validation users, each judged with settings chosen "
        "without that user: the blend of baselines is ahead of ALS alone (+0.0100, 95% interval +0.0050 to +0.0150); "
        "the hybrid is not clearly ahead of the blend of baselines (−0.0010, 95% interval −0.0040 to +0.0020); "
        "nothing is known of the ranker against the blend of baselines."
    )
    assert order_in_words(order("ranker", "als")) == (
        "Lists are put in order by the ranker, as the config says; validation would have chosen ALS alone."
    )
