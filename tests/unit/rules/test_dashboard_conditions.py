"""What the dashboard's form writes, in the language itself; its own tests read the same cases."""

import json
from pathlib import Path
from typing import Any

import pytest

from recsys.rules.expressions import check, evaluate, parse
from tests.support.columns import HandMade

PAGE = Path(__file__).parents[3] / "dashboard" / "src" / "pages" / "rules"
CASES = json.loads((PAGE / "conditions.cases.json").read_text(encoding="utf-8"))
ITEMS = HandMade(
    {"id": "text", "title": "text", "brand": "text", "categories": "texts", "price": "number", "age": "number"},
    CASES["items"],
    single=["price"],
)
USERS = HandMade(
    {"id": "text", "segment": "text", "days_since_last": "number", "new": "bool"},
    CASES["users"],
)
NOW = 1_780_000_000.0


def written(side: str) -> list[Any]:
    """Cases in which the form says something."""
    return [pytest.param(case, id=case["expression"]) for case in CASES[side] if case["expression"]]


@pytest.mark.parametrize("case", written("where"))
def test_items_are_those_that_a_person_clicked_together(case: dict[str, Any]) -> None:
    outcome = evaluate(check(parse(case["expression"]), "where", ITEMS.types), ITEMS, NOW)
    chosen = [item["id"] for item, true in zip(CASES["items"], outcome.true, strict=True) if true]
    assert chosen == case["true"]


@pytest.mark.parametrize("case", written("when"))
def test_users_are_those_that_a_person_clicked_together(case: dict[str, Any]) -> None:
    outcome = evaluate(check(parse(case["expression"]), "when", USERS.types), USERS, NOW, case["context"])
    chosen = [user["id"] for user, true in zip(CASES["users"], outcome.true, strict=True) if true]
    assert chosen == case["true"]
