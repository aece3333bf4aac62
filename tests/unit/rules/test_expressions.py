"""What expressions say of rows, by values derived by hand."""

import numpy as np
import pytest

from recsys.rules.expressions import Outcome, check, evaluate, parse
from tests.support.columns import HandMade

ITEMS = HandMade(
    {"id": "text", "brand": "text", "categories": "texts", "price": "number", "age": "number", "stock": "number",
     "organic": "bool"},
    [
        {"id": "B7", "brand": "Arganics", "categories": ["Beauty", "Hair Care"], "price": 9.99, "stock": 0, "age": 40,
         "organic": True},
        {"id": "A2", "brand": "Bo", "categories": ["Beauty"], "price": 20, "stock": 3, "organic": False},
        {"id": "A1", "categories": [], "stock": 7, "age": 2},
    ],
    single=["price"],
)  # fmt: skip
USERS = HandMade(
    {"segment": "text", "mean_price": "number", "interactions": "number", "new": "bool"},
    [
        {"segment": "high", "mean_price": 30, "interactions": 5, "new": False},
        {"segment": None, "mean_price": None, "interactions": 0, "new": True},
    ],
)
NOW = 1_780_000_000.0  # 2026-05-28T20:26:40Z


def said(outcome: Outcome) -> str:
    """Of each row t, f or ?."""
    assert not (outcome.true & outcome.unknown).any()
    return "".join(np.where(outcome.true, "t", np.where(outcome.unknown, "?", "f")))


def where(text: str) -> str:
    """What a condition on items says of the three items."""
    return said(evaluate(check(parse(text), "where", ITEMS.types), ITEMS, NOW))


def when(text: str, **context: str | float | bool) -> str:
    """What a condition on users says of the two users."""
    return said(evaluate(check(parse(text), "when", USERS.types), USERS, NOW, context))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", "ttt"),
        ("1 < 2", "ttt"),
        ("item.price == 9.99", "tf?"),
        ("item.price != 9.99", "ft?"),
        ("9.99 >= item.price", "tf?"),
        ("item.price == 10 - 0.01", "tf?"),
        ("item.stock in []", "fff"),
        ("item.organic in [true]", "tf?"),
        ("item.organic in []", "ff?"),
        ("item.price < 1e300", "tt?"),
        ("item.price * 1.19 > 20", "ft?"),
        ("item.price - 9.99 == 0", "tf?"),
        ("-item.price < -10", "ft?"),
        ("item.price in [9.99, 5]", "tf?"),
        ("item.price / item.stock > 1", "?t?"),
        ("item.stock / item.stock == 1", "?tt"),
        ("item.price * 1e39 > 1", "???"),
        ("1 / 0 == 1", "???"),
        ("8 / 4 / 2 == 1", "ttt"),
        ("8 - 4 - 2 == 2", "ttt"),
        ("2 + 3 * 4 - 6 / 2 == 11", "ttt"),
        ("item.brand == 'Bo'", "ft?"),
        ('item.brand != "Bo"', "tf?"),
        ('item.brand < "B"', "tf?"),
        ('item.brand in ["Bo", "Cy"]', "ft?"),
        ("item.brand in []", "ff?"),
        (r'item.brand == "\x41r\u0067\141nics"', "tf?"),
        (r'"\U0001F600" == "\ud83d\ude00"', "ttt"),
        (r"'it\'s' == " + '"it\'s"', "ttt"),
        ('item.brand.startsWith("Arg")', "tf?"),
        ('item.brand.endsWith("ics")', "tf?"),
        ('item.brand.contains("gan")', "tf?"),
        ('item.id.startsWith("A")', "ftt"),
        ('item.id in ["A1", "B7", "Z"]', "tft"),
        ('item.id in ["A0", "B8"]', "fff"),
        ("item.id != item.brand", "tt?"),
        ("item.brand != item.id", "tt?"),
        ("item.id.startsWith(item.brand)", "ff?"),
        ('"Hair Care" in item.categories', "tff"),
        ('"Beauty" in item.categories', "ttf"),
        ("item.brand in item.categories", "ff?"),
        ("size(item.categories) > 1", "tff"),
        ("size(item.categories) == 0", "fft"),
        ("item.brand.size() == 2", "ft?"),
        ("item.organic", "tf?"),
        ("!item.organic", "ft?"),
        ("item.organic == false", "ft?"),
        ("item.organic != false", "tf?"),
        ("has(item.price)", "ttf"),
        ("has(item.categories)", "ttf"),
        ("has(item.brand) && has(item.organic)", "ttf"),
        ("item.age < 30", "f?t"),
        ("item.price > 1 && item.stock > 5", "ff?"),
        ("item.price > 1 || item.stock > 5", "ttt"),
        ("not item.price > 10", "tf?"),
        ("not item.price > 10 and item.stock == 0 or item.stock == 7", "tft"),
        ('now - duration("30d") > timestamp("2026-04-28T20:26:39Z")', "ttt"),
        ('now - duration("30d") > timestamp("2026-04-28T22:26:40+02:00")', "fff"),
        ('now - timestamp("2026-05-28T20:26:40Z") == duration("0s")', "ttt"),
        ('duration("1h30m") == duration("90m")', "ttt"),
        ('duration("1d") == duration("24h")', "ttt"),
        ('duration("1500ms") == duration("1.5s")', "ttt"),
        ('duration("-1s") < duration("0s")', "ttt"),
        ('-duration("1s") == duration("-1s")', "ttt"),
        ('now + duration("20s") > timestamp("2026-05-28T20:27:00.5Z")', "fff"),
    ],
)
def test_conditions_on_items(text: str, expected: str) -> None:
    assert where(text) == expected


@pytest.mark.parametrize(
    ("text", "context", "expected"),
    [
        ('user.segment == "high"', {}, "t?"),
        ("user.new", {}, "ft"),
        ('user.new || user.segment == "high"', {}, "tt"),
        ('context.country == "DE"', {"country": "DE"}, "tt"),
        ('context.country == "DE"', {"country": "AT"}, "ff"),
        ('context.country == "DE"', {}, "??"),
        ('context.country == "DE"', {"country": 3}, "??"),
        ('context.country in ["DE", "AT"] && user.new', {"country": "AT"}, "ft"),
        ("context.basket > 50", {"basket": "60.5"}, "tt"),
        ("context.basket > 50", {"basket": 60}, "tt"),
        ("context.basket > 50", {"basket": "much"}, "??"),
        ("context.basket > 50", {"basket": "nan"}, "??"),
        ("context.basket > 50", {"basket": "1e999"}, "??"),
        ("context.basket > 50", {"basket": True}, "??"),
        ("context.basket > user.mean_price", {"basket": "30.5"}, "t?"),
        ("context.basket * 2 > user.mean_price", {"basket": "30.5"}, "t?"),
        ("context.member", {"member": "true"}, "tt"),
        ("context.member == false", {"member": False}, "tt"),
        ("context.member", {"member": "yes"}, "??"),
        ("context.segment == user.segment", {"segment": "high"}, "t?"),
        ('context.since < timestamp("2026-01-01T00:00:00Z")', {"since": "2025-12-31T23:59:59Z"}, "tt"),
        ('context.since + duration("1d") < now', {"since": "2026-05-27T20:26:39Z"}, "tt"),
        ('now - context.since > duration("1d")', {"since": "2026-05-27T20:26:41Z"}, "ff"),
        ("has(context.country)", {"country": "DE"}, "tt"),
        ("has(context.country)", {}, "ff"),
        ('context.page.startsWith("/sale")', {"page": "/sale/shoes"}, "tt"),
        ("context.page.contains(user.segment)", {"page": "/for/high/spenders"}, "t?"),
        ("user.segment.contains(context.part)", {"part": "ig"}, "t?"),
        ('context.country == "DE"', {"country": "D\0E"}, "??"),
        ('context.country == "DE"', {"country": "\ud800"}, "??"),
        ("context.member in [true]", {"member": "true"}, "tt"),
        ("size(context.page) == 5", {"page": "/sale"}, "tt"),
    ],
)
def test_conditions_on_users_and_requests(text: str, context: dict[str, str | float | bool], expected: str) -> None:
    assert when(text, **context) == expected
