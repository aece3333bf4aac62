from __future__ import annotations

import copy
from typing import Any

import pytest

from recsys.measure.explanations.fidelity import CHEAP, EXPLANATION, RANDOM, RECENCY
from recsys.measure.ratings import HEAD
from recsys.measure.systems import ANN, BLEND, POPULARITY, SYSTEM
from recsys.report.caveats import seed_warnings, warnings


def row(other: str, mean: float, low: float, high: float) -> dict[str, Any]:
    return {"system": SYSTEM, "other": other, "metric": "ndcg@10", "mean": mean, "low": low, "high": high}


def rmse(value: float) -> dict[str, Any]:
    return {"rmse": {"mean": value}}


GOOD: dict[str, Any] = {
    "protocol": {"main_cutoff": 10},
    "best_baseline": {"name": BLEND, "highest_here": "als"},
    "comparisons": [row(name, 0.01, 0.005, 0.015) for name in (ANN, BLEND, POPULARITY, "als")],
    "ann": {"depth": 100, "recall": 0.995},
    "ratings": {
        "models": {HEAD: rmse(0.9), "user_item_bias": rmse(0.92), "svd_refit": rmse(0.91), "svdpp": rmse(0.905)},
        "head_minus_bias": {"bias": "user_item_bias"},
        "head_minus_svd": {"svd": "svd_refit"},
        "head_minus_svdpp": {"svdpp": "svdpp"},
    },
    "explanations": {
        "fidelity": {
            "differences": [
                {
                    "order": EXPLANATION,
                    "other": other,
                    "metric": metric,
                    "mean": mean,
                    "low": mean - 0.01,
                    "high": mean + 0.01,
                }
                for other in (CHEAP, RECENCY, RANDOM)
                for metric, mean in (("deletion", -0.2), ("insertion", 0.1))
            ]
        },
        "additivity": {"items": 9, "largest": 3e-6, "median": 1e-7},
    },
}


def test_nothing_to_warn_of() -> None:
    assert warnings(GOOD) == []


@pytest.mark.parametrize(
    ("rival", "words"),
    [(POPULARITY, "Popularity"), (BLEND, "Blend of baselines"), ("als", "ALS")],
)
def test_every_rival_is_watched(rival: str, words: str) -> None:
    results = copy.deepcopy(GOOD)
    index = [entry["other"] for entry in results["comparisons"]].index(rival)
    results["comparisons"][index] = row(rival, 0.001, -0.002, 0.004)
    (warning,) = warnings(results)
    assert f"not clearly better than {words}: its NDCG@10 differs by +0.0010" in warning
    results["comparisons"][index] = row(rival, -0.003, -0.006, -0.001)
    (warning,) = warnings(results)
    assert f"does not beat {words}" in warning
    assert "−0.0060 to −0.0010" in warning


def test_a_ranker_that_harms() -> None:
    results = copy.deepcopy(GOOD)
    results["comparisons"][0] = row(ANN, -0.002, -0.003, -0.001)
    (warning,) = warnings(results)
    assert "lowers the NDCG@10 of the two-tower alone by 0.0020" in warning
    results["comparisons"][0] = row(ANN, -0.002, -0.005, 0.001)
    assert warnings(results) == []


def test_an_index_that_loses_too_much() -> None:
    results = copy.deepcopy(GOOD)
    results["ann"]["recall"] = 0.985
    assert "loses 1.5% of the exact top 100" in warnings(results)[0]


@pytest.mark.parametrize(("model", "words"), [("user_item_bias", "biases"), ("svd_refit", "SVD:"), ("svdpp", "SVD++:")])
def test_a_rating_head_worse_than_a_plain_model(model: str, words: str) -> None:
    results = copy.deepcopy(GOOD)
    results["ratings"]["models"][model] = rmse(0.89)
    (warning,) = warnings(results)
    assert "no better than" in warning
    assert words in warning
    assert "0.9000 against 0.8900" in warning


def test_no_ratings_no_users_no_warning() -> None:
    assert warnings({**GOOD, "ratings": None, "best_baseline": None, "comparisons": []}) == []


def test_equal_seeds_and_other_settings_are_warned_of() -> None:
    entries: list[dict[str, Any]] = [
        {"version": "v1", "seed": 1, "changed_settings": {}},
        {"version": "v2", "seed": 1, "changed_settings": {"model.dim": [64, 32]}},
    ]
    share, changed = seed_warnings({"bundles": entries})
    assert "share a seed" in share
    assert "v2" in changed
    assert "model.dim" in changed
    entries[1] = {"version": "v2", "seed": 2, "changed_settings": {}}
    assert seed_warnings({"bundles": entries}) == []


@pytest.mark.parametrize(("other", "words"), [(RECENCY, "most recent first"), (RANDOM, "random")])
def test_explanations_that_are_no_truer_than_a_guess(other: str, words: str) -> None:
    results = copy.deepcopy(GOOD)
    rows = results["explanations"]["fidelity"]["differences"]
    row = next(row for row in rows if row["other"] == other and row["metric"] == "deletion")
    row |= {"mean": -0.004, "high": 0.001}
    (warning,) = warnings(results)
    assert f"({words}): the area below the deletion curve differs by −0.0040" in warning


def test_another_order_that_explains_and_insertion_are_no_matter() -> None:
    results = copy.deepcopy(GOOD)
    for row in results["explanations"]["fidelity"]["differences"]:
        if row["other"] == CHEAP or row["metric"] == "insertion":
            row |= {"mean": 0.0, "low": -0.1, "high": 0.1}
    assert warnings(results) == []


def test_contributions_that_do_not_add_up() -> None:
    results = copy.deepcopy(GOOD)
    results["explanations"]["additivity"]["largest"] = 2e-4
    (warning,) = warnings(results)
    assert "by up to 2.0e-04" in warning


@pytest.mark.parametrize("nothing", [None, {"fidelity": None, "additivity": None}])
def test_explanations_that_were_not_measured(nothing: dict[str, Any] | None) -> None:
    assert warnings(GOOD | {"explanations": nothing}) == []
