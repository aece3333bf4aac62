"""Observations added up day by day."""

import pytest

from recsys.experiments.observations import UnitDay
from recsys.experiments.statistics.totals import read_days

DAYS = [
    UnitDay("ann", "old", 2, lists=1, impressions=8, clicks=1),
    UnitDay("bob", "new", 1, lists=2, impressions=9),
    UnitDay("ann", "old", 1, lists=1, impressions=4, clicks=2, revenue=2.5),
    UnitDay("cyd", "old", 2, lists=1),
]


def by_day(days, before=None, paired=False):
    return list(read_days(days, ["old", "new"], before, paired=paired).by_day())


def test_each_day_adds_to_what_was_there_in_any_order_of_the_rows():
    (first, (old, new)), (second, (later, same)) = by_day(DAYS)
    assert (first, second) == (1, 2)
    assert old.of("clicks").tolist() == [2]
    assert old.of("revenue").tolist() == [2.5]
    assert new.of("impressions").tolist() == [9]
    assert later.of("impressions").tolist() == [12, 0]
    assert later.of("lists").tolist() == [2, 1]
    assert same.of("lists").tolist() == [2]


def test_rows_of_one_user_and_day_add_up():
    ((_, (old, _)),) = by_day([DAYS[0], DAYS[0]])
    assert old.of("impressions").tolist() == [16]


def test_a_user_counts_from_the_day_of_her_first_list():
    late = [UnitDay("ann", "old", 1, clicks=1), UnitDay("ann", "old", 2, lists=1)]
    (_, (nobody, _)), (_, (old, _)) = by_day(late)
    assert len(nobody.sums) == 0
    assert old.of("clicks").tolist() == [1]
    assert by_day(late[:1]) == []


def test_users_of_several_variants_are_left_out_and_counted():
    rows = read_days([*DAYS, UnitDay("bob", "old", 2, lists=1)], ["old", "new"], None, paired=False)
    assert (rows.included, rows.excluded) == (2, 1)
    assert [len(totals.sums) for _, totals in rows.by_day() for totals in totals] == [1, 0, 2, 0]


def test_teams_of_one_list_have_the_same_users_in_the_same_order():
    rows = [UnitDay("ann", "old", 1, lists=1, clicks=3), UnitDay("ann", "new", 1, lists=1), DAYS[1]]
    ((_, (old, new)),) = by_day(rows, paired=True)
    assert old.of("clicks").tolist() == [3, 0]
    assert new.of("lists").tolist() == [1, 2]


def test_who_is_not_named_did_nothing_before():
    (_, (old, new)), _ = by_day(DAYS, {"bob": 4.0})
    assert (old.before.tolist(), new.before.tolist()) == ([0], [4])


def test_an_unknown_variant_is_an_error():
    with pytest.raises(ValueError, match="expected observations of old, new, got 'odd'"):
        by_day([UnitDay("ann", "odd", 1, lists=1)])


def test_nothing_is_no_day():
    rows = read_days([], ["old", "new"], {}, paired=False)
    assert list(rows.by_day()) == []
    assert rows.last_day is None
