"""The fields of users, by hand."""

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.core.queries import Queries
from recsys.rules.expressions import check, evaluate, parse
from recsys.rules.spending import Spending
from recsys.rules.user_columns import UserColumns

DAY = 86_400
PRICES = np.array([10, 20, 40, np.nan], np.float32)
SPENDING = Spending(PRICES, np.array([15, 20, 30.0]))


@pytest.fixture
def users() -> UserColumns:
    """Four users: of two items (10 and 20), of none, of one without a price, of one (40) that is yet to come."""
    histories = Histories.from_rows(
        4, np.array([0, 0, 2, 3]), np.array([0, 1, 3, 2]), np.array([0, 5 * DAY, 9 * DAY, 99 * DAY])
    )
    queries = Queries(histories, np.arange(4, dtype=np.int32), np.full(4, 10 * DAY), ids=("ann", None, "bo", "ann"))
    return UserColumns(queries, SPENDING)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user.mean_price == 15", "t??f"),
        ('user.segment == "small"', "t??f"),
        ('user.segment == "high"', "f??t"),
        ("user.interactions == 2", "tfff"),
        ("user.new", "ftff"),
        ("user.days_since_last == 5", "t?ff"),
        ("user.days_since_last == 0", "f?ft"),
        ('user.id == "ann"', "t?ft"),
        ("has(user.mean_price)", "tfft"),
        ("has(user.new) && has(user.interactions)", "tttt"),
    ],
)
def test_fields_of_users(users: UserColumns, text: str, expected: str) -> None:
    outcome = evaluate(check(parse(text), "when", users.types), users, users.queries.now)
    assert "".join(np.where(outcome.true, "t", np.where(outcome.unknown, "?", "f"))) == expected


def test_nobody_is_anybody_where_ids_are_not_said(users: UserColumns) -> None:
    silent = UserColumns(Queries(users.queries.histories, users.queries.users, users.queries.now), SPENDING)
    outcome = evaluate(check(parse('user.id == "ann"'), "when", silent.types), silent, silent.queries.now)
    assert outcome.unknown.all()
