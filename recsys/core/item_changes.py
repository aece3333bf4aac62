"""What a shop says of its items after a bundle was made: new items, other prices, sold out, gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

TextField = Literal["title", "brand", "description", "image"]
TEXT_FIELDS: Final[tuple[TextField, ...]] = ("title", "brand", "description", "image")
CATEGORIES: Final = "categories"
PRICE: Final = "price"
AVAILABLE: Final = "available"
CATALOGUE_FIELDS: Final = (*TEXT_FIELDS, CATEGORIES, PRICE)
# What a field of an item may be: a text, a number, a truth value, several texts (a tuple), or None: it has none.
FieldValue = float | str | bool | tuple[str, ...] | None


@dataclass(frozen=True)
class ItemChange:
    """An item that differs from what the bundle says of it, or that the bundle does not hold.

    Attributes:
        item_id: of the item.
        fields: by name, the texts of `TEXT_FIELDS`, `CATEGORIES` (from general to specific), `PRICE`, `AVAILABLE`
            (False: it is in no list) and attributes of the catalogue such as `stock`, in the types that these have.
            A field that is not named is as the bundle has it, and has no value in an item that no bundle holds.
        deleted: whether the shop has taken the item away: it is in no list and no search any more.
        version: number of the change that was the item's last one; it grows with each change of any item.
        timestamp: of that change, seconds since 1970.
    """

    item_id: str
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    deleted: bool = False
    version: int = 0
    timestamp: float = 0.0
