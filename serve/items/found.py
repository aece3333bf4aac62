"""Items as search shows them, of a page of search or of a list of ids."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.bundle import ItemRecord
from recsys.store import ItemRow, LiveItem
from serve.bundles.loaded import LoadedBundle
from serve.items.answers import FoundItem, LookupResponse
from serve.items.changing import waiting_item
from serve.parts import Parts


def lookup(parts: Parts, loaded: LoadedBundle, item_ids: Sequence[str]) -> LookupResponse:
    """The items of the ids as catalogue and shop have them now, in the order of the ids, and the ids of no item."""
    live = parts.live_items.known.items
    there = [item_id for item_id in dict.fromkeys(item_ids) if not _is_gone(live.get(item_id))]
    rows = loaded.bundle.catalogue.item_rows(there)
    records = zip(rows, loaded.bundle.catalogue.items(list(rows.values())), strict=True)
    found = {item_id: _of(record, float(loaded.popularity[record.row])) for item_id, record in records}
    found |= {item_id: _waiting(loaded, live[item_id]) for item_id in there if item_id not in found and item_id in live}
    return LookupResponse(
        bundle=loaded.info,
        items=[found[item_id] for item_id in item_ids if item_id in found],
        unknown_items=[item_id for item_id in dict.fromkeys(item_ids) if item_id not in found],
    )


def found_items(loaded: LoadedBundle, rows: Sequence[ItemRow]) -> list[FoundItem]:
    """Items that the store has found, with their popularity in the bundle."""
    known = loaded.bundle.catalogue.item_rows([row.item_id for row in rows])
    popularity = {item_id: float(loaded.popularity[row]) for item_id, row in known.items()}
    return [_of(row, popularity.get(row.item_id)) for row in rows]


def _of(item: ItemRecord | ItemRow, popularity: float | None) -> FoundItem:
    return FoundItem(
        item_id=item.item_id,
        title=item.title,
        brand=item.brand,
        categories=list(item.categories),
        price=item.price,
        image=item.image,
        popularity=popularity,
    )


def _waiting(loaded: LoadedBundle, live: LiveItem) -> FoundItem:
    """A new item that has no row yet."""
    item = waiting_item(loaded, live)
    return FoundItem(item.item_id, item.title, item.brand, item.categories, item.price, item.image, None)


def _is_gone(live: LiveItem | None) -> bool:
    return live is not None and live.change.deleted
