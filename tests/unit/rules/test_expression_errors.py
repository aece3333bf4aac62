"""What is wrong with an expression is said in one line, with the place, and with what there is instead."""

import pytest

from recsys.rules.columns import FieldType
from recsys.rules.expressions import ExpressionError, Side, check, parse
from recsys.rules.rule import MAX_EXPRESSION_CHARS

ITEM_TYPES: dict[str, FieldType] = {
    "id": "text", "brand": "text", "categories": "texts", "price": "number", "organic": "bool", "stock": "number",
}  # fmt: skip
USER_TYPES: dict[str, FieldType] = {"segment": "text", "new": "bool", "mean_price": "number"}


def refused(text: str, side: Side = "where") -> ExpressionError:
    types = ITEM_TYPES if side == "where" else USER_TYPES
    with pytest.raises(ExpressionError) as caught:
        check(parse(text), side, types)
    return caught.value


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("item.price == ", 15, "ends where a value should follow"),
        ("item.price == )", 15, 'unexpected ")": a value should follow'),
        ("(item.stock > 1", 16, 'ends where an operator or ")" should follow'),
        ("item.brand in [1", 17, 'ends where "," or "]" should follow'),
        ("item.price 3", 12, 'unexpected "3": an operator or the end should follow'),
        ("item", 5, "ends where a field, such as item.price, should follow"),
        ("item.", 6, "ends where a name should follow"),
        ("item.price = 3", 12, 'unexpected "=": to compare, write =='),
        ("item.organic & true", 14, 'unexpected "&": write && or and'),
        ('item.brand == "Bo', 15, r'unexpected "\"": the text that begins here does not end'),
        ("1 < item.price < 3", 16, "comparisons do not chain, join them with &&"),
        ("item.brand == “Bo”", 15, 'unexpected "“": texts stand in "straight quotes"'),
        ("item.price < 3€", 15, 'unexpected "€"'),
        ("item.price <\u00a03", 13, r'unexpected "\u00a0"'),
        ("price > 3", 1, "unknown name price: fields are written item.price or user.segment"),
        ("item.price == null", 15, "there is no null; ask has(item.price)"),
        ("item.organic == True", 17, "write true"),
        ("lower(item.brand) == 'a'", 1, "there are has(field), size(field), timestamp(text) and duration(text)"),
        ('item.brand.matches("a+")', 12, "there are .startsWith(text), .endsWith(text), .contains(text) and .size()"),
        ('item.brand.startswith("a")', 12, "unknown method startswith; there are .startsWith(text)"),
        ("has(3)", 5, "has asks for a field"),
        ("size(item.brand, 2) > 1", 1, "size takes one value, not 2"),
        ("now > timestamp(item.brand)", 17, "timestamp takes a text that is written out"),
        ('now > timestamp("2026-12-01")', 17, '"2026-12-01" is no time; one is written "2026-12-01T00:00:00Z"'),
        ('now > now - duration("3 days")', 22, '"3 days" is no duration; one is written "30d"'),
        ("item.price in [item.stock]", 16, "a list holds values that are written out"),
        ('item.price in [1, "a"]', 19, "a list holds values of one type, not number and text"),
        (r'item.brand == "\q"', 15, r"there is no escape \q; there are \\"),
        (r'item.brand == "\ud800"', 15, "halves of surrogate pairs"),
        ("item.price > 1e999", 14, "too large a number"),
        ('item.price == "9.99"', 15, "== compares values of one type, not a number with a text"),
        ("item.brand < 3", 14, "< compares values of one type, not a text with a number"),
        ("item.organic < true", 1, "< does not compare true and false"),
        ("item.categories == item.categories", 1, "== does not compare lists of texts"),
        ('item.categories == "Beauty"', 20, "not a list of texts with a text"),
        ('item.brand + "a" == "b"', 14, "numbers have + - * /, times and durations + -"),
        ("now * 2 > now", 7, "* does not go with a time and a number"),
        ("-item.brand == 'a'", 2, "expected a number or a duration behind -, got a text"),
        ("item.price", 1, "expected true or false, got a number"),
        ("item.organic && item.brand", 17, "expected true or false, got a text"),
        ("!item.price", 2, "expected true or false, got a number"),
        ('"a" in item.brand', 8, "expected a list of texts, got a text"),
        ("3 in item.categories", 1, "expected a text, got a number"),
        ("size(item.price) > 1", 6, "expected a text or a list of texts, got a number"),
        ('item.price.contains("9")', 1, "expected a text, got a number"),
    ],
)
def test_faults_of_conditions_on_items(text: str, column: int, message: str) -> None:
    error = refused(text)
    assert message in error.message
    assert (error.line, error.column, error.position) == (1, column, column - 1)
    assert str(error) == f"line 1, column {column}: {error.message}"


def test_fields_that_exist_are_told_closest_first() -> None:
    error = refused("true &&\n  item.prize > 3")
    assert (error.line, error.column, error.position) == (2, 3, 10)
    assert error.fields[0] == "item.price"
    assert set(error.fields) == {*(f"item.{name}" for name in ITEM_TYPES), "now"}
    assert error.message == f"unknown field item.prize; there are {', '.join(error.fields)}"


def test_of_very_many_fields_the_first_are_told() -> None:
    with pytest.raises(ExpressionError, match=r"and 82 more$") as caught:
        check(parse("item.nothing == 1"), "where", {f"column{n}": "number" for n in range(101)})
    assert len(caught.value.fields) == 102


@pytest.mark.parametrize(
    ("side", "text", "message"),
    [
        ("where", 'user.segment == "high"', "where reads item.* and now; user.* may stand in when alone"),
        ("where", 'context.country == "DE"', "where reads item.* and now; context.* may stand in when alone"),
        ("when", "item.price > 3", "when reads user.*, context.* and now; item.* may stand in where alone"),
        ("when", "has(item.price)", "when reads user.*, context.* and now; item.* may stand in where alone"),
    ],
)
def test_each_side_reads_its_own_fields(side: Side, text: str, message: str) -> None:
    error = refused(text, side)
    assert error.message == message
    assert error.column == (5 if text.startswith("has") else 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("context.gap > duration('3d')", "context.gap is a number, a text, true or false, or a time, never a duration"),
        ("'a' in context.words", "context.words is a number, a text, true or false, or a time, never a list of texts"),
        ("context.basket", None),
        ("context.basket > 3 && context.basket == 'a'", None),
    ],
)
def test_the_context_is_of_the_type_that_it_is_used_as(text: str, message: str | None) -> None:
    if message is None:
        check(parse(text), "when", USER_TYPES)
    else:
        assert refused(text, "when").message == message


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ('user.segment == "High"', 17),
        ('"High" != user.segment', 1),
        ('user.segment in ["high", "High"]', 26),
    ],
)
def test_a_segment_that_nobody_is_in_is_a_slip(text: str, column: int) -> None:
    error = refused(text, "when")
    assert error.message == 'user.segment is never "High"; it is one of small, low_average, average, high'
    assert error.column == column
    check(parse(text.replace("High", "average")), "when", USER_TYPES)
    check(parse(text.replace("user.segment", "user.id")), "when", {"id": "text"})


def test_length_is_limited() -> None:
    text = f'item.brand == "{"a" * (MAX_EXPRESSION_CHARS - 16)}"'
    assert len(text) == MAX_EXPRESSION_CHARS
    check(parse(text), "where", ITEM_TYPES)
    assert refused(text + " ").message == "longer than 2000 characters (it has 2001)"


def test_depth_is_limited() -> None:
    check(parse("!" * 63 + "true"), "where", ITEM_TYPES)
    error = refused("!" * 64 + "true")
    assert (error.message, error.column) == ("nested deeper than 64 levels", 65)


def test_words_that_begin_like_operators_are_names() -> None:
    types: dict[str, FieldType] = {
        "android": "bool",
        "order": "number",
        "inner": "text",
        "nothing": "bool",
        "now": "bool",
    }
    check(parse('item.android and item.order > 1 or item.inner in ["not"] and not item.nothing'), "where", types)
    check(parse("item.now"), "where", types)


def test_comments_and_lines_mean_nothing() -> None:
    check(parse("item.price > 3 // dear\n  && item.organic // and sound"), "where", ITEM_TYPES)
