"""Messages about columns and fields that a file lacks, with the names that come nearest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from recsys.core.errors import DataError
from recsys.prepare import columns as c
from recsys.prepare.formats.matching import plain_name

MAX_LISTED_CHARS = 200
MAX_NAME_CHARS, MAX_COMPARED_NAMES = 64, 500  # a first line of megabytes is no list of names
LEAST_LIKENESS = 0.75

# What shops call the columns; the nearest column is the one that is most like any of these.
_USUAL_NAMES = {
    c.USER_ID: "user visitor customer member client buyer shopper reviewer email person",
    c.ITEM_ID: "item id product article sku asin parentasin movie goods content target",
    c.TIMESTAMP: "time date datetime created createdat eventtime unixtime ts tdat day",
    c.EVENT_TYPE: "event type action behavior behaviour feedbacktype eventname interaction",
}
_COLUMNS = frozenset(_USUAL_NAMES) | {c.RATING, c.PRICE, c.QUANTITY, c.EVENT_ID}  # each is what it is called


def missing_names(missing: Sequence[str], names: Sequence[str]) -> str:
    """What a file has instead: "no user_id among visitorid, time; nearest: visitorid"."""
    listed = ", ".join(names)[:MAX_LISTED_CHARS] or "no names"
    nearest = nearest_names(missing, [name for name in names if name not in _COLUMNS])
    if not nearest:
        return f"no {', '.join(missing)} among {listed}"
    if len(missing) == 1:
        return f"no {missing[0]} among {listed}; nearest: {nearest[missing[0]]}"
    pairs = ", ".join(f"{nearest[name]} for {name}" for name in missing if name in nearest)
    return f"no {', '.join(missing)} among {listed}; nearest: {pairs}"


def nearest_names(missing: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """For names that a file lacks those that it has and that are most like them, or like what others call the same."""
    names = [name for name in names if len(name) <= MAX_NAME_CHARS][:MAX_COMPARED_NAMES]
    likeness = sorted(
        ((_likeness(wanted, name), wanted, name) for wanted in missing for name in names),
        key=lambda entry: entry[0],
        reverse=True,
    )
    nearest: dict[str, str] = {}
    for value, wanted, name in likeness:
        if value >= LEAST_LIKENESS and wanted not in nearest and name not in nearest.values():
            nearest[wanted] = name
    return nearest


def refuse_taken(columns: Iterable[str], fields: Mapping[str, str]) -> None:
    """Stop at columns of attributes that are fields of items anyway; `fields`: theirs -> ours.

    Raises:
        DataError: naming them.
    """
    if taken := [f"{column} is {fields[column]}" for column in columns if column in fields]:
        raise DataError(
            "data.attributes of columns that are not read anyway",
            ", ".join(taken),
            "leave them out: conditions know item.title, item.brand, item.categories and item.price",
        )


def _likeness(wanted: str, name: str) -> float:
    usual = (wanted, *_USUAL_NAMES.get(wanted, "").split())
    stems = {_stem(name), _stem(name.rpartition(".")[2])} - {"id"} or {"id"}  # of a path also what stands at its end
    return max(SequenceMatcher(None, stem, _stem(other)).ratio() for stem in stems for other in usual)


def _stem(name: str) -> str:
    """Letters and digits in one case, without "id" at the end: an order_id is no user_id."""
    plain = plain_name(name)
    return plain.removesuffix("id") or plain
