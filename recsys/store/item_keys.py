"""What items are listed by: their categories, brand, price and title, each as a text that sorts as it should."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Literal

from recsys.core.events import MAX_ID_CHARS
from recsys.core.words import title_key
from recsys.store.records import ItemRow, finite, storable

Kind = Literal["brand", "category", "no price", "no title", "price", "title"]
_SIGN, _ALL = 1 << 63, (1 << 64) - 1


def keys_of(item: ItemRow) -> Iterator[tuple[Kind, str]]:
    """What an item is listed by, each once; names that are longer than any that can be asked for are left out."""
    for name in dict.fromkeys(map(storable, item.categories)):
        if len(name) <= MAX_ID_CHARS:
            yield "category", name
    brand = storable(item.brand or "")
    if 0 < len(brand) <= MAX_ID_CHARS:
        yield "brand", brand
    price, title = finite(item.price), title_key(storable(item.title or ""))
    yield ("no price", "") if price is None else ("price", price_key(price))
    yield ("no title", "") if title is None else ("title", title)


def price_key(price: float) -> str:
    """16 characters that sort as finite prices do: the bits of the number, whose sign is turned."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", price + 0.0))  # of -0.0, too, those of 0.0
    return f"{bits ^ (_ALL if bits & _SIGN else _SIGN):016x}"
