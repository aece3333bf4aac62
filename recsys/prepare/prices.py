"""Prices as shops write them: a number with a currency before or behind it, or a range of two.

    $12.99, US$ 1,299.00, 1.299,00 €, 12,99 EUR, ₹12,34,567, Rs. 499, from £3.50, $1.99 - $5.49

Currencies are found by price-parser; what is neither currency nor number makes a text no price.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

from price_parser.parser import OTHER_CURRENCY_SYMBOLS, SAFE_CURRENCY_SYMBOLS, extract_currency_symbol

from recsys.core.values.missing import is_missing
from recsys.core.values.numbers import DecimalMark, read_number
from recsys.prepare.decimal_marks import DecimalMarks

GREATEST_PRICE = 1e7

# What most files hold, read without a search for hundreds of currencies.
_USUAL = re.compile(r"(?P<currency>[$£€]?) ?(?P<number>\d+(?:\.\d\d?)?)", re.ASCII)
_FROM = re.compile(r"^(?:from|ab|dès|desde|da)\s+", re.IGNORECASE)
_RANGE = re.compile(r"(?<=[^\s\-–—])\s*[-–—]\s*(?=[^\s\-–—])")
_CODES = [name for name in (*SAFE_CURRENCY_SYMBOLS, *OTHER_CURRENCY_SYMBOLS) if re.fullmatch("[A-Z]{3}", name)]
# price-parser would find a shorter name inside some of these codes.
_CODE = re.compile(rf"(?<![A-Z])(?:{'|'.join(_CODES)})(?![A-Z])")
# Rupees and rouble are written so and are no entry of their own among price-parser's.
_POINTED = re.compile(r"\b(Rs|Fr|kr)\.(?!\w)|\b(Rs|Fr|kr)\.(?=\d)", re.IGNORECASE)
# price-parser does not know these, or a part of them.
_OTHER_NAMES = re.compile(r"元|\beuros?\b", re.IGNORECASE)
# Letters of a country beside a symbol: $US, £GB, BR$.
_COUNTRY = "[A-Z]{0,2}"
# Symbols of one currency alone; $ and ¥ are those of several.
_SYMBOLS_OF_CODE = {
    "BRL": "R$",
    "CNY": "元",
    "CZK": "Kč",
    "EUR": "€ Euro euro euros",
    "GBP": "£",
    "HUF": "Ft",
    "INR": "₹",
    "JPY": "円",
    "KRW": "₩ 원",
    "PLN": "zł",
    "RUB": "₽ руб",  # noqa: RUF001
    "TRY": "₺ TL",
    "UAH": "₴",
    "USD": "US$",
    "¥": "￥",
}
_CODE_OF_SYMBOL = {symbol: code for code, symbols in _SYMBOLS_OF_CODE.items() for symbol in symbols.split()}


class Price(NamedTuple):
    """A price in the file's currency.

    Attributes:
        amount: of a range the lowest.
        currency: symbol or code as it was written; empty where there is none.
        ambiguous: `1.299` and `1,299` were read as numbers with a point, see `recsys.core.values.numbers`.
    """

    amount: float
    currency: str = ""
    ambiguous: bool = False

    @property
    def currency_name(self) -> str:
        """The code of the currency, or its symbol where that may mean several."""
        return _CODE_OF_SYMBOL.get(self.currency.removesuffix("."), self.currency)


class PriceReader:
    """Reads the prices of one catalogue.

    Where the decimal mark is not set, the first records that show one decide what `1.299` and `1,299` mean.
    """

    def __init__(self, mark: DecimalMark | None = None) -> None:
        """`mark`: the decimal mark; None takes the one that texts show."""
        self._marks = DecimalMarks(mark)

    def see(self, prices: Iterable[object]) -> None:
        """Look at the next prices for a decimal mark, before they are read."""
        self._marks.see(prices)

    def read(self, raw: str | float | None) -> Price | None:
        """Like `item_price`."""
        return self._marks.read(lambda mark: item_price(raw, mark))


def read_price(text: str, mark: DecimalMark | None = None) -> Price | None:
    """The price that a text means; None where it is one of the words for no value.

    Args:
        text: as the shop wrote it.
        mark: the decimal mark; None takes the one that each text shows.

    Raises:
        ValueError: it is no price, in words that say why.
    """
    text = text.strip()
    usual = _USUAL.fullmatch(text)
    if usual and mark != ",":
        return Price(float(usual["number"]), usual["currency"])
    if is_missing(text):
        return None
    ends = [_one_price(part, mark) for part in _RANGE.split(_FROM.sub("", text))]
    if len(ends) > 2:
        raise ValueError(f"{text[:60]!r} is not understood as a price")
    return min(ends)


def item_price(raw: str | float | None, mark: DecimalMark | None = None) -> Price | None:
    """The price of an item as its shop has it: a text, a number, or none.

    Raises:
        ValueError: it is no price; 0 is none, since nothing that is sold is free.
    """
    price = read_price(raw, mark) if isinstance(raw, str) else None if raw is None else Price(float(raw))
    if price is not None:
        check_price(price.amount)
    return price


def check_price(amount: float) -> float:
    """The price of an item.

    Raises:
        ValueError: it is not above 0, or above `GREATEST_PRICE`, as no price is.
    """
    if not (math.isfinite(amount) and 0 < amount <= GREATEST_PRICE):
        raise ValueError(f"expected a price above 0 and up to {GREATEST_PRICE:,.0f}, got {amount:.12g}")
    return amount


def _one_price(text: str, mark: DecimalMark | None) -> Price:
    pointed = _POINTED.search(text)
    plain = _POINTED.sub(r"\1\2 ", text)
    code = _CODE.search(plain) or _OTHER_NAMES.search(plain)
    currency = code[0] if code else (extract_currency_symbol(plain, None) or "").strip()
    currency = currency or (pointed[1] or pointed[2] if pointed else "")
    country = "" if currency.isalpha() else _COUNTRY
    number = re.sub(f"{country}{re.escape(currency)}{country}", " ", plain, count=1) if currency else plain
    # Dutch, Swiss and Swedish shops write a dash for no cents.
    number = re.sub(r"(?<=\d)[.,:][-–—]+$", "", number.strip())
    try:
        value, ambiguous = read_number(number, mark)
    except ValueError as error:
        raise ValueError(str(error).replace(repr(number.strip()[:60]), repr(text.strip()[:60]))) from None
    return Price(value, currency, ambiguous)
