"""What is held back, what is due, and lists of nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.core.events import SECONDS_PER_DAY
from recsys.core.histories import Histories
from recsys.core.queries import Queries
from recsys.rules.repurchase import MOST_DUE, repurchases
from recsys.rules.rule import Repurchase

NOW = 100 * SECONDS_PER_DAY
COFFEE, SOAP, LAMP = 0, 1, 2  # bought every 10 days, every 40, by nobody twice
CYCLES = np.array([10, 40, np.nan, 10, 10], np.float32)


def bought(*purchases: tuple[int, int, float]) -> Histories:
    """Of user, item and days ago, oldest first."""
    users, items, days = zip(*purchases, strict=True)
    times = NOW - (np.array(days) * SECONDS_PER_DAY).astype(np.int64)
    return Histories.from_rows(2, np.array(users), np.array(items), times)


def queries_of(*purchases: tuple[int, int, float]) -> Queries:
    histories = bought(*purchases)
    return Queries(histories, np.array([4, 7], np.int32), np.full(2, NOW), histories)


def days(items: np.ndarray) -> list[list[int]]:
    return [[item for item in row if item >= 0] for row in items.tolist()]


def test_items_are_due_when_their_cycle_has_passed_since_the_last_purchase() -> None:
    queries = queries_of((0, SOAP, 39), (0, LAMP, 31), (0, COFFEE, 10), (1, SOAP, 40), (1, LAMP, 29), (1, COFFEE, 9.99))
    found = repurchases(queries, CYCLES)
    # Shares of the cycle: lamp 31/30 by default, coffee 10/10; those that came due last first.
    assert days(found.due) == [[COFFEE, LAMP], [SOAP]]
    assert days(found.held_back) == [[SOAP], [LAMP, COFFEE]]


def test_the_latest_of_several_purchases_counts() -> None:
    queries = queries_of((0, COFFEE, 60), (0, SOAP, 50), (0, COFFEE, 3), (1, COFFEE, 60), (1, COFFEE, 20))
    found = repurchases(queries, CYCLES)
    assert days(found.due) == [[SOAP], [COFFEE]]
    assert days(found.held_back) == [[COFFEE], []]


@pytest.mark.parametrize(("share", "due"), [(0.5, [COFFEE, SOAP]), (0.51, [COFFEE]), (0.8, [COFFEE]), (0.81, [])])
def test_a_rule_may_let_items_come_sooner_or_later(share: float, due: list[int]) -> None:
    queries = queries_of((0, SOAP, 20), (0, COFFEE, 8), (1, LAMP, 1))
    found = repurchases(queries, CYCLES, Repurchase(type="repurchase", from_share=share))
    assert sorted(days(found.due)[0]) == due


def test_the_default_is_for_items_without_a_cycle_alone() -> None:
    queries = queries_of((0, SOAP, 12), (0, LAMP, 12), (1, COFFEE, 12))
    found = repurchases(queries, CYCLES, Repurchase(type="repurchase", default_days=12))
    assert days(found.due) == [[LAMP], [COFFEE]]


def test_views_neither_make_an_item_due_nor_move_its_clock() -> None:
    purchased = bought((0, COFFEE, 10), (1, SOAP, 60))
    # Coffee was looked at again yesterday, the lamp was only ever looked at.
    seen = bought((0, LAMP, 90), (0, COFFEE, 1), (1, SOAP, 60))
    found = repurchases(Queries(seen, np.array([4, 7], np.int32), np.full(2, NOW), purchased), CYCLES)
    assert days(found.due) == [[COFFEE], [SOAP]]
    assert days(found.held_back) == [[], []]


def test_all_of_a_history_was_bought_where_nothing_else_is_known() -> None:
    queries = replace(queries_of((0, LAMP, 31), (1, COFFEE, 2)), bought=None)
    found = repurchases(queries, CYCLES)
    assert days(found.due) == [[LAMP], []]
    assert days(found.held_back) == [[], [COFFEE]]


def test_a_rule_acts_on_its_users_and_items_alone() -> None:
    queries = queries_of((0, SOAP, 99), (0, COFFEE, 1), (0, LAMP, 1), (1, SOAP, 99), (1, COFFEE, 1))
    where = np.array([True, False, False, False, False])
    found = repurchases(queries, CYCLES, acting=np.array([True, False]), where=where)
    assert days(found.due) == [[], []]
    assert days(found.held_back) == [[COFFEE], []]


def test_nothing_is_due_to_strangers() -> None:
    found = repurchases(Queries.nobody(), CYCLES)
    assert found.due.shape == (1, 0)
    assert found.held_back.shape == (1, 0)
    assert found.restriction.allows(Queries.nobody(), np.array([[COFFEE]], np.int32)).all()


def test_of_very_many_items_those_that_came_due_last_are_offered() -> None:
    n_items = MOST_DUE + 5
    history = Histories.from_rows(
        1, np.zeros(n_items, int), np.arange(n_items), NOW - SECONDS_PER_DAY * (200 - np.arange(n_items))
    )
    queries = Queries(history, np.array([0], np.int32), np.array([NOW]))
    found = repurchases(queries, np.full(n_items, np.nan, np.float32))
    assert found.due.tolist() == [list(range(n_items - 1, 4, -1))]
