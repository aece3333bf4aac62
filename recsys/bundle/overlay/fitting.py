"""Which of what a shop says of an item a bundle can take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from recsys.core.attributes import STOCK, AttributeType
from recsys.core.item_changes import AVAILABLE, CATEGORIES, PRICE, TEXT_FIELDS, FieldValue, ItemChange

_OF_EVERY_ITEM = frozenset({*TEXT_FIELDS, CATEGORIES, PRICE, AVAILABLE, STOCK})
_TYPES: Mapping[AttributeType, type | tuple[type, ...]] = {
    "number": (int, float),
    "bool": bool,
    "text": str,
    "texts": tuple,
}


def fitting(change: ItemChange, types: Mapping[str, AttributeType]) -> ItemChange:
    """A change without attributes that a bundle does not have, or has in another type: they were of another bundle."""
    fields = {name: value for name, value in change.fields.items() if fits(name, value, types)}
    return change if len(fields) == len(change.fields) else replace(change, fields=fields)


def fits(name: str, value: FieldValue, types: Mapping[str, AttributeType]) -> bool:
    """Whether an item of a catalogue with such attributes may have a field of that value."""
    if name in _OF_EVERY_ITEM:
        return True
    kind = types.get(name)
    if kind is None:
        return False
    # To Python a truth value is a number.
    return value is None or (isinstance(value, _TYPES[kind]) and (kind == "bool") == isinstance(value, bool))
