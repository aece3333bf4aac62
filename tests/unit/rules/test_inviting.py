"""Whom rules invite."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.core.types import BoolArray, Int32Array
from recsys.rules import rule_set
from recsys.rules.base import RuleBase
from recsys.rules.inviting import MOST_COMPARED, MOST_OF_QUERY, Guests, chosen_guests, placed, wanted
from tests.support.rule_sets import SmallShop, rule


def test_the_best_by_inner_product_come_first_and_seen_ones_last(shop: SmallShop) -> None:
    random = np.random.default_rng(0)
    rows = np.array([0, 4, 7, 29])
    histories = shop.queries.histories
    vectors = shop.base.user_vectors(shop.queries)
    for most in (1, 3, 20, 200):
        items = random.permutation(120)[: random.integers(1, 60)].astype(np.int32)
        best = Guests.of(items, shop.base).best(histories, rows, vectors, most)
        assert best.shape == (4, min(most, len(items)))
        for row, user in enumerate(rows.tolist()):
            seen = set(shop.person(user, {}).items)
            scores = shop.bundle.item_embeddings[items].astype(np.float64) @ vectors[user].astype(np.float64)
            order = sorted(range(len(items)), key=lambda n: (items[n] in seen, -scores[n], n))
            assert best[row].tolist() == items[order][: best.shape[1]].tolist()


def test_only_the_most_popular_are_compared(shop: SmallShop) -> None:
    counts = np.bincount(shop.bundle.histories.items, minlength=120)
    chosen = chosen_guests(np.ones(120, np.bool_), shop.base)
    assert sorted(chosen.tolist()) == list(range(120))
    assert (np.diff(counts[chosen]) <= 0).all()
    assert MOST_COMPARED == 1000
    assert chosen_guests(np.zeros(120, np.bool_), shop.base).tolist() == []


@pytest.mark.parametrize(
    ("kind", "numbers", "k", "count"),
    [
        ("pin", {"slot": 10}, 10, 3),
        ("pin", {"slot": 11}, 10, 0),
        ("promote", {"share": 0.05}, 10, 0),
        ("promote", {"share": 0.1}, 10, 5),
        ("promote", {"share": 0.4}, 10, 8),
        ("promote", {"share": 1 / 49}, 49, 5),  # a 49th of 49 is less than 1 in binary numbers
        ("promote", {"share": 1}, 50, 20),
        ("boost", {"by": 1}, 10, 0),
    ],
)
def test_how_many_are_invited(kind: str, numbers: dict[str, float], k: int, count: int) -> None:
    assert wanted(rule("r", kind, "item.price > 0", **numbers).action, k) == count


def test_what_several_rules_invite_stands_side_by_side() -> None:
    parts = [
        (np.array([0, 2]), np.array([[1, 2], [3, -1]], np.int32)),
        (np.array([2]), np.array([[4]], np.int32)),
    ]
    assert placed(parts, 3).tolist() == [[1, 2, -1], [-1, -1, -1], [3, -1, 4]]
    assert placed([], 2).shape == (2, 0)
    many = [(np.array([0]), np.arange(20, dtype=np.int32)[None] + 20 * n) for n in range(3)]
    assert placed(many, 1).tolist() == [list(range(MOST_OF_QUERY))]


def test_guests_of_any_number_of_rules_are_kept_between_requests(
    shop: SmallShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def counted(mask: BoolArray, base: RuleBase) -> Int32Array:
        made.append(int(mask.sum()))
        return chosen_guests(mask, base)

    monkeypatch.setattr(rule_set, "chosen_guests", counted)
    pins = [rule(f"p{row}", "pin", f'item.id == "item{row}"', slot=1 + row) for row in range(100)]
    bound = shop.compiled(*pins).bound()
    assert bound is not None
    invited = [bound.plan(shop.queries.select([user]), 100) for user in (1, 1, 4)]
    assert made == [1] * 100
    assert invited[0] is not None
    assert invited[1] is not None
    np.testing.assert_array_equal(invited[0].invited, invited[1].invited)
