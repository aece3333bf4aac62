"""What another order would have been worth: against a simulator that knows, and refusals without support."""

from random import Random

import numpy as np
import pytest

from recsys.experiments.drawn_order import draw_order
from recsys.experiments.off_policy.drawn_lists import DrawnList
from recsys.experiments.off_policy.estimate import other_order

ITEMS = 4
LOOKED_AT = np.array([1.0, 0.7, 0.5, 0.3])


def drawn_lists(users=500, per_user=3, temperature=3.0, seed=0, agreement=0.1):
    """Lists drawn by an old model's scores, a better one's scores, and the clicks a list that its order would get."""
    rng, coins, lists, truth = np.random.default_rng(seed), Random(seed), [], []
    for user in range(users):
        activity = rng.gamma(4, 0.25)
        for _ in range(per_user):
            attraction = rng.uniform(0, 0.4, ITEMS)
            old, new = (attraction + rng.normal(0, noise, ITEMS) for noise in (0.3, agreement))
            order, chances = draw_order(((old - old.mean()) / old.std()).tolist(), temperature, coins)
            clicked = rng.random(ITEMS) < np.minimum(attraction[order] * LOOKED_AT * activity, 1)
            lists.append(DrawnList(f"u{user}", chances, clicked.tolist(), new[order].tolist()))
            truth.append(np.minimum(attraction[np.argsort(-new)] * LOOKED_AT * activity, 1).sum())
    return lists, float(np.mean(truth))


def test_one_place_by_hand():
    # Two items, drawn as 3 to 1. Where the other order's first item stands first, its clicks count 4 / 3 or 4.
    likely, unlikely = [0.75, 1.0], [0.25, 1.0]
    lists = []
    for user in range(600):
        as_wanted = user % 4 != 0
        clicked = user % 3 == 0
        # The other order wants the likely item first.
        lists.append(
            DrawnList(
                f"u{user}",
                likely if as_wanted else unlikely,
                [clicked, False],
                [1.0, 0.0] if as_wanted else [0.0, 1.0],
            )
        )
    found = other_order(lists)
    assert found.refusals == ()
    # Of the 450 lists as wanted 150 were clicked, all weighted alike; without a model that is all there is to it.
    assert found.weighted.clicks == pytest.approx(150 / 450)
    assert found.drawn.clicks == pytest.approx(200 / 600)
    assert found.effective == pytest.approx(450)


def test_estimates_are_right_on_average_and_their_intervals_hold_what_is_true():
    errors, covered, gains = [], 0, []
    runs = 30
    for seed in range(runs):
        lists, truth = drawn_lists(users=250, seed=seed)
        found = other_order(lists)
        assert found.refusals == ()
        errors.append((found.weighted.clicks - truth, found.doubly_robust.clicks - truth))
        covered += found.doubly_robust.interval.low <= truth <= found.doubly_robust.interval.high
        gains.append(found.gain.clicks)
    mean, error = np.mean(errors, axis=0), np.std(errors, axis=0, ddof=1) / np.sqrt(runs)
    assert (np.abs(mean) < 3.5 * error).all()
    assert covered >= 25  # of 30; a coverage of .95 gives fewer in one of two hundred such tests
    assert np.mean(gains) > 0.02  # the better order is found to be better


def test_the_order_that_was_drawn_by_most_is_itself():
    # Where the other order is the one that was drawn, and hardly any other could have been, nothing is gained.
    rng = np.random.default_rng(1)
    lists = [DrawnList(f"u{user}", [1 - 1e-9, 1.0], (rng.random(2) < 0.3).tolist(), [1.0, 0.0]) for user in range(300)]
    found = other_order(lists)
    assert found.gain.clicks == pytest.approx(0, abs=1e-9)
    assert found.doubly_robust.clicks == pytest.approx(found.drawn.clicks)


def test_lists_of_one_user_are_no_further_evidence():
    lists, _ = drawn_lists(users=600, per_user=1)
    once = other_order(lists).doubly_robust.interval
    thrice = other_order(lists * 3).doubly_robust.interval
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=1e-6)


def codes(found):
    return {refusal.code for refusal in found.refusals}


def test_no_drawn_list_is_no_estimate():
    found = other_order([])
    assert codes(found) == {"no_drawn_lists"}
    assert (found.drawn, found.weighted, found.doubly_robust, found.gain) == (None, None, None, None)


def test_few_users_are_refused():
    lists, _ = drawn_lists(users=99, per_user=10)
    found = other_order(lists)
    assert codes(found) == {"few_users"}
    assert (found.refusals[0].got, found.refusals[0].allowed) == (99, 100)
    assert found.doubly_robust is None


def test_an_order_that_the_drawing_hardly_ever_makes_is_refused():
    # Scores far apart: the drawing follows the old model, and the other order is its reverse.
    coins = Random(0)
    lists = []
    for user in range(500):
        order, chances = draw_order([3.0, 2.0, 1.0, 0.0], 0.1, coins)
        lists.append(DrawnList(f"u{user}", chances, [False] * ITEMS, [float(item) for item in order]))
    found = other_order(lists)
    assert "unsupported" in codes(found)
    assert found.left_out["unsupported"] == 500
    assert found.doubly_robust is None


def test_weights_that_leave_too_few_lists_are_refused():
    lists, _ = drawn_lists(users=110, per_user=1)
    found = other_order(lists)
    assert "few_effective" in codes(found)
    assert min(refusal.got for refusal in found.refusals if refusal.code == "few_effective") == found.effective < 100


def test_lists_that_were_not_drawn_as_they_say_are_refused():
    # All of them show what the other order wants first, although each says that this had a chance of a half.
    lists = [DrawnList(f"u{user}", [0.5, 1.0], [False, False], [1.0, 0.0]) for user in range(400)]
    found = other_order(lists)
    assert codes(found) == {"weights_off"}
    assert found.refusals[0].got == pytest.approx(20)  # 400 too much, with a standard error of sqrt(400 x (2 - 1)) = 20


def test_parts_of_a_drawn_order_and_long_lists_are_left_out_and_counted():
    lists, _ = drawn_lists(users=300)
    cut = DrawnList("cut", [0.5, 0.5], [False, False], [1.0, 0.0])
    long = DrawnList("long", [1 / (13 - place) for place in range(13)], [False] * 13, list(range(13)))
    found = other_order([*lists, cut, cut, long])
    assert found.left_out == {"cut": 2, "long": 1, "unsupported": other_order(lists).left_out["unsupported"]}
    assert found.doubly_robust == other_order(lists).doubly_robust


def test_what_stands_behind_the_drawn_places_says_nothing():
    lists, _ = drawn_lists(users=300)
    filled = [
        DrawnList(user, [*chances, 1.0, 1.0], [*clicked, True, True], [*scores, 8.0, 9.0])
        for user, chances, clicked, scores in lists
    ]
    assert other_order(filled) == other_order(lists)


def test_lists_of_several_lengths_are_judged_together():
    lists, _ = drawn_lists(users=600)
    shorter = [DrawnList(f"s{place}", [0.5, 1.0], [place % 2 == 0, False], [1.5, place % 3]) for place in range(300)]
    found = other_order([*lists, *shorter])
    assert found.refusals == ()
    assert found.lists == len(lists) + 300 - found.left_out["unsupported"]


@pytest.mark.parametrize(
    "wrong",
    [
        DrawnList("u", [1.0], [True, False], [1.0]),
        DrawnList("u", [0.0, 1.0], [True, False], [1.0, 2.0]),
        DrawnList("u", [1.5, 1.0], [True, False], [1.0, 2.0]),
        DrawnList("u", [0.5, 1.0], [True, False], [float("nan"), 2.0]),
        DrawnList("u", [0.5, 1.0], [True, False], [2.0, 2.0]),
    ],
)
def test_what_is_no_drawn_list_is_an_error(wrong):
    with pytest.raises(ValueError, match="expected"):
        other_order([wrong])
