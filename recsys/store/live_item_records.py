"""Live items as they are written and kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from recsys.core.item_changes import FieldValue, ItemChange
from recsys.store.records import check_key, invalid_record, is_storable

ItemAction = Literal["put", "patch", "delete"]
ItemDone = Literal["created", "replaced", "patched", "deleted", "nothing"]

UNCHANGED: Final = 0
"""The version of an item of which no change is known: it is as the bundle has it, or there is none."""
MISSING: Final = -1
"""Expected where there must be no such item, neither in the bundle nor live."""

MAX_FIELDS_CHARS = 131_072  # as JSON
MAX_WRITES = 1000


@dataclass(frozen=True)
class ItemWrite:
    """What is to be done with an item.

    Attributes:
        action: put: these fields, and None for the others that every item may have; of attributes that are not named
            nothing is said; patch: these fields beside those it has; delete.
        item_id: of the item.
        fields: see `ItemChange.fields`; empty where it is deleted.
        known: whether the bundle holds the item, so that it can be patched though nothing has been said of it yet.
        expected: version that the item must be of, `UNCHANGED` or `MISSING`; None: whatever it is.
    """

    action: ItemAction
    item_id: str
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    known: bool = False
    expected: int | None = None


@dataclass(frozen=True)
class LiveItem:
    """An item that the store knows of.

    Attributes:
        change: all that it says of the item; its version is the item's.
        first_version: number of the first change of the item.
        since: when that was, in seconds since 1970.
        updated_by: who made the last change; None: nobody knows.
    """

    change: ItemChange
    first_version: int
    since: float
    updated_by: str | None = None


class WrittenItem(NamedTuple):
    """What became of an item. item: as it is now; done: what was done, nothing where it said the same before."""

    item: LiveItem
    done: ItemDone


def check_write(write: ItemWrite) -> str:
    """The fields as the store keeps them.

    Raises:
        InvalidRecord: the id or a field cannot be stored.
    """
    check_key(write.item_id, "the id of an item")
    fields = dict(write.fields)
    for name, value in fields.items():
        texts = (name, *value) if isinstance(value, tuple) else (name, value)
        if not all(is_storable(text) for text in texts if isinstance(text, str)):
            raise invalid_record(
                f"field {name[:60]!a} of item {write.item_id!a}", "no NUL and no lone surrogate", value
            )
    written = as_text(fields)
    if len(written) > MAX_FIELDS_CHARS:
        raise invalid_record(
            f"fields of item {write.item_id!a}", f"{MAX_FIELDS_CHARS:,} characters of JSON at most", f"{len(written):,}"
        )
    return written


def as_text(fields: Mapping[str, FieldValue]) -> str:
    """Fields as the store keeps them, the same for the same fields in any order; infinity and NaN are refused."""
    return json.dumps(dict(fields), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def fields_of(text: str) -> dict[str, FieldValue]:
    """What `as_text` wrote."""
    given: dict[str, Any] = json.loads(text)
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
