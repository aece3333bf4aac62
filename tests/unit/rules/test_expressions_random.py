"""Random expressions over random rows mean what a plain evaluator of single rows says; random text never breaks."""

import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.rules.expressions import ExpressionError, check, evaluate, fields_of, parse
from tests.support.columns import HandMade
from tests.support.expression_oracle import Fields, Tree, meaning, single, truths, with_context, written

ITEM_TYPES: dict[str, Any] = {
    "price": "number", "stock": "number", "brand": "text", "title": "text", "categories": "texts", "organic": "bool",
}  # fmt: skip
OF_ITEMS = Fields(
    number=["item.price", "item.stock"],
    text=["item.brand", "item.title"],
    texts=["item.categories"],
    bool=["item.organic"],
    single=["item.price"],
)
USER_TYPES: dict[str, Any] = {"id": "text", "mean_price": "number", "interactions": "number", "new": "bool"}
OF_USERS = Fields(
    number=["user.mean_price", "user.interactions"],
    text=["user.id"],
    texts=[],
    bool=["user.new"],
    single=["user.mean_price"],
)
LONG = ["b" + "a" * 20, "b" + "a" * 20 + "b", "a" * 300]  # which NumPy keeps in another way than short ones
TEXTS = st.sampled_from([*LONG, "", "a", "b", "ab", "aba", 'a"b', "é", "é𝄞", "\\n\n", "3"])
NUMBERS = st.sampled_from([0.0, 1.0, 2.0, 9.99, -1.0, 0.1, 1e12, 16777216.0, 3e38])
ITEMS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "price": NUMBERS.map(single),
            "stock": NUMBERS,
            "brand": TEXTS,
            "title": TEXTS,
            "categories": st.lists(TEXTS, max_size=3),
            "organic": st.booleans(),
        },
    ),
    max_size=5,
)
USERS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": TEXTS,
            "mean_price": NUMBERS.map(single),
            "interactions": NUMBERS,
            "new": st.booleans(),
        },
    ),
    max_size=5,
)


def said(text: str, side: Any, columns: HandMade, context: Any = None) -> list[bool | None]:
    outcome = evaluate(check(parse(text), side, columns.types), columns, 0.0, context)
    assert not (outcome.true & outcome.false).any()
    assert (outcome.unknown == ~(outcome.true | outcome.false)).all()
    return [None if unknown else true for true, unknown in zip(outcome.true.tolist(), outcome.unknown, strict=True)]


@given(truths(OF_ITEMS), ITEMS, st.booleans())
def test_items(tree: Tree, rows: list[dict[str, Any]], words: bool) -> None:
    columns = HandMade(ITEM_TYPES, rows, single=["price"])
    expected = [meaning(tree, {f"item.{name}": value for name, value in row.items()}, OF_ITEMS) for row in rows]
    with warnings.catch_warnings(action="error"):
        assert said(written(tree, words), "where", columns) == expected


@given(truths(OF_USERS), USERS, st.booleans())
def test_users(tree: Tree, rows: list[dict[str, Any]], words: bool) -> None:
    columns = HandMade(USER_TYPES, rows, single=["mean_price"])
    expected = [meaning(tree, {f"user.{name}": value for name, value in row.items()}, OF_USERS) for row in rows]
    with warnings.catch_warnings(action="error"):
        assert said(written(tree, words), "when", columns) == expected


@given(truths(OF_USERS), USERS)
def test_values_of_the_context_mean_what_they_would_mean_if_written(tree: Tree, rows: list[dict[str, Any]]) -> None:
    columns, context = HandMade(USER_TYPES, rows, single=["mean_price"]), dict[str, Any]()
    asked = written(with_context(tree, context))
    assert said(asked, "when", columns, context) == said(written(tree), "when", columns)


@given(truths(OF_ITEMS))
def test_fields_are_those_that_are_written(tree: Tree) -> None:
    def read(part: Any) -> set[str]:
        if isinstance(part, tuple) and part[0] == "field":
            return {part[1]}
        inner = part if isinstance(part, tuple | list) else ()
        return set().union(*map(read, inner))

    assert fields_of(parse(written(tree))) == read(tree)


WORDS = [
    "item", "user", "context", "now", ".", "price", "brand", "categories", "in", "and", "or", "not", "&&", "||", "!",
    "==", "<", ">=", "=", "(", ")", "[", "]", ",", "+", "-", "*", "/", "1", "9.99", "1e999", '"a"', "'b'", '"', "'",
    "\\", "true", "false", "has", "size", "timestamp", "duration", "startsWith", "matches", "null", " ", "\n", "é",
    "\0", "\ud800", "//", "?", "item.price", "item.brand", "item.categories", 'duration("1d")', "\u2028",
]  # fmt: skip
COLUMNS = HandMade(ITEM_TYPES, [{"price": 1.0, "brand": "a", "categories": ["a"], "organic": True}, {}])


def refusal(text: str) -> ExpressionError | None:
    """Why a text is refused; None: it means something for every row."""
    try:
        condition = check(parse(text), "where", COLUMNS.types)
    except ExpressionError as error:
        return error
    with warnings.catch_warnings(action="error"):
        assert len(evaluate(condition, COLUMNS, 0.0).true) == 2
    return None


@given(st.one_of(st.text(st.characters(), max_size=60), st.lists(st.sampled_from(WORDS), max_size=25).map("".join)))
def test_random_text_is_refused_or_means_something(text: str) -> None:
    error = refusal(text)
    if error is not None:
        assert 0 <= error.position <= len(text)
        before = text[: error.position].split("\n")
        assert (error.line, error.column) == (len(before), len(before[-1]) + 1)
        assert str(error).isprintable()


@pytest.mark.parametrize("text", ["(" * 2000, "!" * 1999, "-" * 1999 + "1", "[" * 2000, "a." * 1000, "1+" * 999 + "1"])
@pytest.mark.parametrize("end", ["", "true"])
def test_depth_breaks_nothing(text: str, end: str) -> None:
    with pytest.raises(ExpressionError):
        check(parse((text + end)[:2000]), "where", COLUMNS.types)


def test_brackets_and_long_chains_are_no_depth() -> None:
    for text in ("(" * 990 + "true" + ")" * 990, "&&".join(["true"] * 330), " or ".join(["false"] * 200) + " or true"):
        assert evaluate(check(parse(text), "where", COLUMNS.types), COLUMNS, 0.0).true.all()


def test_nothing_is_said_of_no_rows() -> None:
    none = HandMade(ITEM_TYPES, [])
    for text in ('item.brand == "a"', '"a" in item.categories', "item.price > 1", "true", 'item.brand.contains("a")'):
        assert evaluate(check(parse(text), "where", none.types), none, 0.0).true.tolist() == []
