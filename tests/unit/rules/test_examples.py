"""The rules that docs/rules.md gives as examples are rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recsys.rules.policy import fault_of
from recsys.rules.rule import Action, Rule
from recsys.rules.rules_file import parse_rules
from tests.support.rule_sets import SmallShop

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text("utf8")
BLOCKS = [block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "action:" in block]

COLUMNS = ("seller", "stock", "organic")  # of a shop that has more to say of its items


def rules_of(block: str) -> tuple[Rule, ...]:
    return parse_rules(block if block.startswith("rules:") else "rules:\n" + block)


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_can_be_followed(shop: SmallShop, block: str) -> None:
    for rule in rules_of(block):
        fault = fault_of(rule, shop.base)
        assert fault is None or any(column in block for column in COLUMNS), fault


def test_there_is_an_example_of_every_action() -> None:
    shown = {rule.action.type for block in BLOCKS for rule in rules_of(block)}
    kinds = {kind.model_fields["type"].annotation.__args__[0] for kind in Action.__origin__.__args__}
    assert shown == kinds
