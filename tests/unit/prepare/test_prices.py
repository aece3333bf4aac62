from typing import Any

import pytest
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from recsys.prepare.prices import Price, PriceReader, item_price, read_price


@pytest.mark.parametrize(
    ("raw", "price"),
    [
        ("$12.99", 12.99),
        ("12.99", 12.99),
        (12.99, 12.99),
        (7, 7.0),
        ("$1,299.00", 1299.0),
        ("$1.99 - $5.49", 1.99),
        ("1.99-5.49", 1.99),
        ("5.49 – 1.99", 1.99),
        ("from $3.50", 3.5),
        (" $4 ", 4.0),
        ("12,99", 12.99),
        ("9,5", 9.5),
        ("1.299,00 €", 1299.0),
        ("12.99 USD", 12.99),
        ("EUR 12.99", 12.99),
        ("₹499", 499.0),
        ("₹12,34,567", 1234567.0),
        ("Rs. 1,299", 1299.0),
        ("CHF 1'299.00", 1299.0),
        ("12,-", 12.0),
        ("12 000 kr.", 12_000.0),
        ("Fr. 9.95", 9.95),
        ("99:-", 99.0),
        ("99元", 99.0),
        ("12,50 Euro", 12.5),
    ],
)
def test_prices(raw: str | float, price: float) -> None:
    read = item_price(raw)
    assert read is not None
    assert read.amount == price


@pytest.mark.parametrize("raw", [None, "", "—", "-", "None", "NULL", "nan", "N/A", "\\N"])
def test_no_price(raw: str | None) -> None:
    assert item_price(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        "$",
        ".a-box-inner{padding:5px}",
        "$12.99 only today",
        "12.99 USD EUR",
        "1-2-3",
        "50%",
        "Free",
        "35€ 99",
        "-5.00",
        "$-5",
        0.0,
        "0.00",
        -3.0,
        float("nan"),
        float("inf"),
        "9" * 400,
        1e7 + 1,
    ],
)
def test_what_is_no_price_is_refused(raw: str | float) -> None:
    with pytest.raises(ValueError, match=r"expected a price|not understood"):
        item_price(raw)


@pytest.mark.parametrize(
    ("others", "text", "amount", "ambiguous"),
    [
        (["12,99 €", 5.0, None], "1.299 €", 1299.0, False),
        (["$12.99"], "$1,299", 1299.0, False),
        (["12,99"], "1,299", 1.299, False),
        (["5", "7 €"], "1.299 €", 1.299, True),
        (["12,99", "12.99"], "1.299", 1.299, True),
    ],
)
def test_the_prices_of_a_catalogue_show_the_decimal_mark(
    others: list[Any], text: str, amount: float, ambiguous: bool
) -> None:
    reader = PriceReader()
    reader.see([*others, text])
    price = reader.read(text)
    assert price is not None
    assert (price.amount, price.ambiguous) == (amount, ambiguous)


def test_currency_and_ambiguity_are_told() -> None:
    assert read_price("1.299 €") == Price(1.299, "€", ambiguous=True)
    assert read_price("1.299 €", ",") == Price(1299.0, "€")
    assert read_price("US$ 5") == Price(5.0, "US$")
    assert read_price("12,99", ",") == Price(12.99)


def test_one_currency_under_two_signs_is_one() -> None:
    names = [("₹499", "INR 499"), ("99 ₽", "RUB 99"), ("1280円", "1280 JPY"), ("12,50 TL", "₺12,50"), ("￥5", "¥5")]
    for signs in names:
        first, second = (price.currency_name for sign in signs if (price := read_price(sign)))
        assert first == second


def test_what_is_refused_is_named_as_it_was_written() -> None:
    with pytest.raises(ValueError, match=r"'\$15\.99 \$12\.99' is not understood as a number with ',' as"):
        read_price("$15.99 $12.99", ",")


@given(
    st.integers(1, 10**8),
    st.sampled_from(["EUR", "USD", "GBP", "CHF", "PLN", "SEK", "BRL", "INR"]),
    st.sampled_from(["en_US", "en_IN", "de_DE", "fr_FR", "sv_SE", "pl_PL", "pt_BR", "es_ES"]),
)
def test_what_babel_writes_is_read_again(cents: int, currency: str, locale: str) -> None:
    read = read_price(format_currency(cents / 100, currency, locale=locale))
    assert read is not None
    assert read.amount == pytest.approx(cents / 100)
    assert read.currency
    assert not read.ambiguous
