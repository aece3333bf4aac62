"""What the item tower reads of an item, as a catalogue says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from recsys.core.item_changes import CATEGORIES, PRICE, FieldValue
from recsys.core.item_texts import clean_all, clean_name, clean_text


@dataclass(frozen=True)
class CatalogueEntry:
    """An item's texts, cleaned as those of a prepared dataset are, and its price; empty or None where there is none.

    Attributes:
        title, brand, description: plain texts.
        categories: from general to specific, each once.
        price: 0 or more.
    """

    title: str = ""
    brand: str = ""
    categories: tuple[str, ...] = ()
    price: float | None = None
    description: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, FieldValue]) -> Self:
        """The entry of an item with these fields, see `recsys.core.item_changes.ItemChange`; others are not read.

        Raises:
            TypeError: a field is not of the type that it has in an `ItemChange`.
        """
        categories = fields.get(CATEGORIES) or ()
        if not isinstance(categories, tuple):
            raise TypeError(f"categories in a tuple, not {categories!r}")
        price = fields.get(PRICE)
        if isinstance(price, bool | str | tuple):
            raise TypeError(f"a number as the price, not {price!r}")
        return cls(
            title=clean_text(_text(fields, "title")),
            brand=clean_name(_text(fields, "brand")),
            categories=tuple(clean_all(categories, clean_name)),
            price=price,
            description=clean_text(_text(fields, "description")),
        )


def _text(fields: Mapping[str, FieldValue], name: str) -> str:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"a text as the {name}, not {value!r}")
    return value or ""
