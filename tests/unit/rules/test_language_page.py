"""What docs/rules.md says of the language is so."""

import re
from pathlib import Path

import pytest

from recsys.rules.expressions import ExpressionError, check, fields_of, parse
from recsys.rules.expressions.parsing import MAX_DEPTH
from recsys.rules.item_columns import ITEM_TYPES
from recsys.rules.rule import MAX_EXPRESSION_CHARS
from recsys.rules.user_columns import USER_TYPES

PAGE = (Path(__file__).parents[3] / "docs/rules.md").read_text("utf8")
LANGUAGE = re.search(r"^## The language$.*?(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)[0]
EXAMPLES = [line for block in re.findall(r"```cel\n(.*?)```", LANGUAGE, re.DOTALL) for line in block.splitlines()]
ERRORS = [pair.split("\n", 1) for pair in re.findall(r"```text\n(.*?)\n```", LANGUAGE, re.DOTALL)[0].split("\n\n")]


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_are_of_the_language(text: str) -> None:
    expression = parse(text)
    if any(field.startswith("item.") for field in fields_of(expression)):
        check(expression, "where", ITEM_TYPES)
    else:
        check(expression, "when", USER_TYPES)


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_errors_are_what_is_said(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        check(parse(text), "where", ITEM_TYPES)
    assert str(caught.value) == message


def test_all_fields_are_told() -> None:
    told = {
        name for cell in re.findall(r"^\| (`.*?) \|", LANGUAGE, re.MULTILINE) for name in re.findall(r"[a-z_.]+", cell)
    }
    fields = {*(f"item.{name}" for name in ITEM_TYPES), *(f"user.{name}" for name in USER_TYPES), "now"}
    assert fields <= told


def test_limits_are_what_is_said() -> None:
    assert f"at most {MAX_EXPRESSION_CHARS:,} characters and {MAX_DEPTH} levels" in LANGUAGE
