"""Which column is what: by its name and by what its values are like."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from recsys.inspect.columns import Column
from recsys.inspect.words import EVENT_COLUMNS, ITEM_COLUMNS, USER_COLUMNS, likeness, meaning_of
from recsys.prepare.formats.matching import plain_name

SURE = 0.5  # a role of less was guessed
LEAST = 0.2
_MOST_TYPES = 60
_TITLE_CHARS = 60
_ASIN = re.compile(r"B0[0-9A-Z]{8}|\d{9}[0-9X]")
_REVIEWER = re.compile(r"A[0-9A-Z]{9,26}")
# Of orders, sessions and visits: of neither a user nor an item.
_OF_OTHERS = re.compile(r"order|invoice|receipt|transaction|basket|session|bestell|auftrag|заказ|visit(?!or)|注文|订单")
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?!\d).*")
_LEAST_ROWS = 20  # of which each has another item: then it is no item
_NO_RATING = re.compile(r"(?:id|type|flag|status|action|code|level|day|hour|week|month|age|no|nr)$")
_LISTED = re.compile(r"[^\s,;|]+(?: ?[,;|] ?[^\s,;|]+)+")
_MOST_LISTED = 0.5


@dataclass(frozen=True)
class Role:
    """What a column is.

    Attributes:
        column: its name in the file.
        score: how sure that is, up to 1.
        why: on what it rests, in words.
    """

    column: str
    score: float
    why: str

    @property
    def is_guessed(self) -> bool:
        """Whether somebody should look at it."""
        return self.score < SURE


Roles = dict[str, Role]


def event_roles(columns: Sequence[Column], has_names: bool) -> Roles:
    """The roles of the columns of an event log."""
    roles = _assigned(columns, EVENT_COLUMNS, _EVENT_FITS, _EVENT_GUESSES)
    if not has_names or not {"user_id", "item_id"} <= set(roles):
        _guess_ids(roles, columns)
    return roles


def item_roles(columns: Sequence[Column], taken: Sequence[str] = ()) -> Roles:
    """The roles of the columns of a catalogue, or of those of event rows that tell of the item."""
    left = [column for column in columns if column.name not in taken]
    return _assigned(left, ITEM_COLUMNS, _ITEM_FITS, {})


def told_roles(columns: Sequence[Column], roles: Roles) -> Roles:
    """The roles of those columns of an event log that tell of the item.

    Where the item stands among others of its kind (`Lineitem sku`, `items[].item_id`), only those tell of it.
    """
    taken = {role.column for role in roles.values()}
    start = _first_word(roles["item_id"].column)
    kin = [column for column in columns if _first_word(column.name) == start and column.name != start]
    several = len([column for column in kin if column.name in taken]) > 1 or "[]" in start
    told = item_roles(kin if several and kin else columns, [*taken])
    if "title" not in told and (name := told.get("description")) and plain_name(name.column) == "description":
        column = next(column for column in columns if column.name == name.column)
        if column.mean_length <= _TITLE_CHARS:
            told["title"] = told.pop("description")
    if (text := told.get("description")) and plain_name(text.column) == "text":  # somebody's, as of a review
        del told["description"]
    return {field: role for field, role in told.items() if field not in ("item_id", "price")}


def _first_word(name: str) -> str:
    return re.split(r"[ .]", name)[0]


def user_roles(columns: Sequence[Column]) -> Roles:
    """The roles of the columns of a table of users; other columns have none."""
    return _assigned(columns, {**USER_COLUMNS}, {}, {}, names=USER_COLUMNS)


def roles_by_name(names: Sequence[str], table: dict[str, str]) -> Roles:
    """The roles of columns of which names alone are known."""
    scored = [(likeness(name, role, table), role, name) for role in table for name in names]
    roles: Roles = {}
    for score, role, name in sorted(scored, key=lambda entry: -entry[0]):
        if score >= LEAST and role not in roles and all(name != given.column for given in roles.values()):
            roles[role] = Role(name, score, "its name")
    return roles


def _assigned(
    columns: Sequence[Column],
    table: dict[str, str],
    fits: dict[str, Callable[[Column], float]],
    guesses: dict[str, Callable[[Column], float]],
    names: dict[str, str] | None = None,
) -> Roles:
    """Each role to the column that it fits best, the surest first; each column has one role at most."""
    scored = []
    for role in table:
        for column in columns:
            if not column.distinct:
                continue
            named = likeness(column.name, role, names or table)
            score = named * fits.get(role, _any)(column) * (1 - 0.6 * column.missing)
            why = "its name"
            if (guessed := guesses.get(role, _none)(column)) > score:
                score, why = guessed, "its values alone"
            if score >= LEAST:
                scored.append((score, role, column.name, why))
    roles: Roles = {}
    for score, role, name, why in sorted(scored, key=lambda entry: -entry[0]):
        if role not in roles and all(name != given.column for given in roles.values()):
            roles[role] = Role(name, score, why)
    return roles


def _any(_: Column) -> float:
    return 1.0


def _none(_: Column) -> float:
    return 0.0


def _id_fit(column: Column) -> float:
    """Ids are neither times nor fractions, and not all alike."""
    if column.times is not None and not column.times.unit and column.whole < 1:
        return 0.1
    if column.numeric > 0.9 and column.whole < 0.9:
        return 0.6  # as Google Analytics numbers browsers
    return 0.7 if column.distinct == 1 and len(column.texts) > 20 else 1.0


def _time_fit(column: Column) -> float:
    if column.times is not None:
        return 0.5 if column.distinct == 1 and len(column.texts) > 20 else 1.0
    return 0.45 if column.order_numbers() else 0.0


def _type_fit(column: Column) -> float:
    if column.distinct > _MOST_TYPES or (column.numeric > 0.9 and column.whole < 0.9):
        return 0.0
    return 1.0 if _known_types(column) else 0.6


def _known_types(column: Column) -> float:
    """Share of the rows with a type whose meaning is known."""
    counts = column.counts
    return sum(count for name, count in counts.items() if meaning_of(name)) / max(1, sum(counts.values()))


def _rating_fit(column: Column) -> float:
    if column.numeric < 0.95 or not len(column.numbers):
        return 0.0
    low, high = column.numbers.min(), column.numbers.max()
    return 1.0 if low >= 0 and high <= 10 and column.distinct <= 101 else 0.3 if high <= 100 and low >= 0 else 0.0


def _quantity_fit(column: Column) -> float:
    return 1.0 if column.whole > 0.95 else 0.0


def _guess_times(column: Column) -> float:
    if column.times is None or column.times.are_order_numbers:
        return 0.0
    if column.type.startswith("timestamp"):
        return SURE + 0.05
    return 0.45 if column.times.unit else 0.49


def _guess_types(column: Column) -> float:
    is_short = column.numeric < 0.5 and column.mean_length < 40
    if 1 < column.distinct <= _MOST_TYPES and is_short and column.missing < 0.02:
        return 0.45 * _known_types(column)
    return 0.0


def _guess_rating(column: Column) -> float:
    """Few numbers from 0 to 5 in steps of a half, of some length."""
    if column.numeric < 1 or not 2 < column.distinct <= 11:
        return 0.0
    numbers = column.numbers
    if _NO_RATING.search(plain_name(column.name)):
        return 0.0
    return 0.4 if numbers.min() >= 0 and 4 <= numbers.max() <= 5 and not ((numbers * 2) % 1).any() else 0.0


_EVENT_FITS: Final[dict[str, Callable[[Column], float]]] = {
    "user_id": _id_fit,
    "item_id": _id_fit,
    "event_type": _type_fit,
    "timestamp": _time_fit,
    "rating": _rating_fit,
    "price": lambda column: 1.0 if column.amounts > 0.9 else 0.0,
    "quantity": _quantity_fit,
    "event_id": lambda column: 1.0 if column.is_unique else 0.2,
}
_EVENT_GUESSES: Final[dict[str, Callable[[Column], float]]] = {
    "timestamp": _guess_times,
    "event_type": _guess_types,
    "rating": _guess_rating,
}
_ITEM_FITS: Final[dict[str, Callable[[Column], float]]] = {
    "item_id": _id_fit,
    "title": lambda column: 0.3 if column.numeric > 0.9 else 1.0,
    "price": lambda column: 1.0 if column.amounts > 0.8 else 0.0,
    "categories": lambda column: 0.6 if column.numeric > 0.9 or column.is_unique else 1.0,
    "brand": lambda column: 0.3 if column.is_unique and len(column.texts) > 50 else 1.0,
    "image": lambda column: 1.0 if column.numeric < 0.5 else 0.0,
}


def _guess_ids(roles: Roles, columns: Sequence[Column]) -> None:
    """Give user and item, where names do not tell, the first columns whose values may be ids."""
    taken = {role.column for role in roles.values()}
    left = [column for column in columns if column.name not in taken and _id_fit(column) > 0.65 and column.distinct > 1]
    left = [column for column in left if column.mean_length < 80 and column.missing < 0.5 and not _has_lists(column)]
    left = [column for column in left if not _OF_OTHERS.search(column.name.casefold()) and not _are_dates(column)]
    left = [column for column in left if not _describes_item(column)]
    for role, pattern in (("item_id", _ASIN), ("user_id", _REVIEWER)):
        for column in left:
            if role not in roles and all(map(pattern.fullmatch, column.counts)):
                roles[role] = Role(column.name, SURE, "its values, ids of Amazon")
                left = [each for each in left if each is not column]
    for role in ("user_id", "item_id"):
        fitting = [column for column in left if not _is_of_row(column)] or (left if role == "user_id" else [])
        if role not in roles and fitting:
            roles[role] = Role(fitting[0].name, 0.3, "its place and its values")
            left = [each for each in left if each is not fitting[0]]


def _describes_item(column: Column) -> bool:
    """Whether a column is called as what is said of items."""
    return any(likeness(column.name, field, ITEM_COLUMNS) >= SURE for field in ("title", "brand", "categories"))


def _are_dates(column: Column) -> bool:
    """Whether values are written as dates, also in a way that is not read as times."""
    return all(map(_DATE.fullmatch, column.counts))


def _is_of_row(column: Column) -> bool:
    """Whether each row has another value, as numbers of orders have."""
    return column.is_unique and len(column.texts) >= _LEAST_ROWS


def _has_lists(column: Column) -> bool:
    """Whether most values are several, one behind the other."""
    counts = column.counts
    return sum(map(bool, map(_LISTED.fullmatch, counts))) > _MOST_LISTED * len(counts)
