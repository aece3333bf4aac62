"""Which order is served: by hand, and over many shops in which nothing is better than anything else."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.train.choice import FEW_USERS, Margin, choose, cross_fitted, fold_count, folds_of


def test_each_fold_gets_the_variant_that_is_best_for_the_others() -> None:
    folds = np.array([0, 0, 1, 1])
    figures = np.array([[1.0, 1.0, 0.0, 0.2], [0.0, 0.4, 0.6, 0.8]])
    # The users of fold 0 get what is best for those of fold 1, the second; those of fold 1 the first.
    np.testing.assert_array_equal(cross_fitted([figures, figures], folds), [0.0, 0.4, 0.0, 0.2])
    others = np.array([[0.5, 0.5, 0.5, 0.5]])
    np.testing.assert_array_equal(cross_fitted([figures, others], folds), [0.0, 0.4, 0.5, 0.5])


def test_a_fold_without_others_takes_what_is_best_for_itself() -> None:
    figures = np.array([[0.1, 0.2], [0.3, 0.4]])
    np.testing.assert_array_equal(cross_fitted([figures], np.zeros(2, int)), [0.3, 0.4])


def test_a_lead_by_hand() -> None:
    margin = Margin.of("hybrid", "als", np.array([0.0, 0.2, 0.4, 0.2]))
    assert margin.mean == pytest.approx(0.2)
    assert margin.error == pytest.approx((0.08 / 3) ** 0.5 / 2)
    assert margin.taken
    assert margin.report()["low"] == pytest.approx(0.2 - 1.96 * margin.error)
    # An error of .0816: ahead by .05 is enough, by .03 it is not.
    assert Margin.of("hybrid", "als", np.array([0.0, 0.2, 0.4, 0.2]) - 0.15).taken
    assert not Margin.of("hybrid", "als", np.array([0.0, 0.2, 0.4, 0.2]) - 0.17).taken
    one = Margin.of("hybrid", "als", np.array([0.9]))
    assert not one.taken, "a single user tells nothing"
    assert (one.report()["low"], one.report()["high"]) == (None, None)
    assert not Margin.of("hybrid", "als", np.zeros(0)).taken


def test_the_simplest_is_left_only_for_what_is_ahead() -> None:
    als, ease = np.array([0.1, 0.3, 0.2, 0.2]), np.array([0.0, 0.3, 0.2, 0.2])
    blend, hybrid = als + np.array([0.1, -0.1, 0.0, 0.01]), als + np.array([0.2, 0.1, 0.2, 0.1])
    chosen = choose({"als": als, "ease": ease}, [("blend", blend), ("hybrid", hybrid), ("ranker", hybrid - 0.01)])
    assert chosen.order == "hybrid"
    assert [(margin.order, margin.over, margin.taken) for margin in chosen.margins] == [
        ("blend", "als", False),
        ("hybrid", "als", True),
        ("ranker", "hybrid", False),
    ]
    report = chosen.report("ndcg@10")
    assert (report["chosen"], report["users"]) == ("hybrid", 4)
    assert report["figures"]["ease"] == pytest.approx(0.175)


def test_settings_that_were_lucky_do_not_win() -> None:
    """Two hundred variants of noise: the best of them looks ahead by far, and is not once cross-fitted."""
    chosen_by_luck, chosen = 0, 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        variants, simple = random.random((200, 150)), random.random(150)
        best = variants[variants.mean(axis=1).argmax()]
        chosen_by_luck += choose({"als": simple}, [("hybrid", best)]).order == "hybrid"
        fitted = cross_fitted([variants] * 5, folds_of(150, 5, seed))
        chosen += choose({"als": simple}, [("hybrid", fitted)]).order == "hybrid"
    assert chosen_by_luck >= 55
    assert chosen <= 28  # a margin of more than half its error has a chance of .31: 19 of 60


def test_folds_are_the_same_for_every_sample_and_about_as_large() -> None:
    folds = folds_of(10_000, 5, 3)
    np.testing.assert_array_equal(folds, folds_of(10_000, 5, 3))
    assert (folds != folds_of(10_000, 5, 4)).any()
    counts = np.bincount(folds)
    assert len(counts) == 5
    assert counts.min() > 1800
    assert (fold_count(FEW_USERS), fold_count(FEW_USERS + 1)) == (5, 2)
