import pytest
from babel.numbers import format_decimal, get_decimal_symbol
from hypothesis import assume, given
from hypothesis import strategies as st

from recsys.core.values.numbers import DecimalMark, Number, read_number, shown_mark

# All whose digits are Latin, whose groups are of three (or of two and three, en_IN), one for each pair of marks.
LOCALES = ["en_US", "en_IN", "de_DE", "fr_FR", "nb_NO", "pl_PL", "pt_BR", "sv_SE"]


@given(st.sampled_from(LOCALES), st.integers(-(10**11), 10**11), st.integers(0, 4))
def test_what_babel_writes_is_read_again(locale: str, digits: int, decimals: int) -> None:
    value = digits / 10**decimals
    assume(locale != "en_IN" or decimals <= 3)
    pattern = None if locale == "en_IN" else f"#,##0.{'0' * decimals}".removesuffix(".")
    text = format_decimal(value, format=pattern, locale=locale)
    text = text.replace("\u2212", "-")  # the minus sign of typesetters is no part of a number in a file
    mark: DecimalMark = "," if get_decimal_symbol(locale) == "," else "."
    assert read_number(text, mark) == Number(pytest.approx(value), False)
    read = read_number(text)
    assert read.ambiguous or read.value == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("1.299", 1.299, 1299.0),
        ("1,299", 1299.0, 1.299),
        ("12,345", 12345.0, 12.345),
        ("-1.299", -1.299, -1299.0),
    ],
)
def test_three_digits_after_a_mark_are_ambiguous_until_it_is_known(text: str, point: float, comma: float) -> None:
    assert read_number(text).ambiguous
    assert read_number(text, ".") == Number(point)
    assert read_number(text, ",") == Number(comma)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12,99", 12.99),
        ("9,5", 9.5),
        ("1.299,00", 1299.0),
        ("1,299.00", 1299.0),
        ("0.028", 0.028),
        ("0,028", 0.028),
        ("1299,000", 1299.0),
        ("1,299,000", 1_299_000.0),
        ("1 299,5", 1299.5),
        ("1'299.50", 1299.5),
        (" -2 ", -2.0),
        (".75", 0.75),
        ("1.4e9", 1.4e9),
    ],
)
def test_what_is_clear_without_a_setting(text: str, value: float) -> None:
    assert read_number(text) == Number(value)


@pytest.mark.parametrize(
    "text", ["", ".", ",", "-", "1,29,9", "1.2.3", "1 2", "12x", "nan", "inf", "1_000", "0x1F", "\u0661\u0662"]
)
def test_what_is_no_number(text: str) -> None:
    for mark in (None, ".", ","):
        with pytest.raises(ValueError, match="not understood as a number"):
            read_number(text, mark)


@pytest.mark.parametrize(("text", "mark"), [("12,99", "."), ("12.99", ","), ("1.299,00", "."), ("0.028", ",")])
def test_a_set_mark_is_kept_to(text: str, mark: DecimalMark) -> None:
    with pytest.raises(ValueError, match="as its decimal mark"):
        read_number(text, mark)


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["12.99", "1.299"], "."),
        (["12,99", "1.299"], ","),
        (["1,299.00"], "."),
        (["1.299,00 €"], ","),
        (["0.028"], "."),
        (["1299,000"], ","),
        (["1.000.000", "5.000"], ","),
        (["$1,000,000", "5,000"], "."),
        (["₹1,29,999", "5,000"], "."),
        (["1,299", "1.299", "7"], None),
        (["1,5", "2.5"], None),
        ([], None),
    ],
)
def test_the_mark_that_a_column_shows(texts: list[str], mark: DecimalMark | None) -> None:
    assert shown_mark(texts) == mark
