"""Items as the store keeps them and answers follow, without HTTP."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import UNSET, UnsetType

from recsys.bundle.overlay.fitting import fits
from recsys.core.attributes import STOCK, AttributeType
from recsys.core.item_changes import AVAILABLE, CATEGORIES, PRICE, TEXT_FIELDS, FieldValue
from recsys.core.item_texts import clean_all, clean_name, clean_text
from recsys.store import ItemAction, ItemConflict, ItemWrite, LiveItem, Store
from serve.bundles.loaded import LoadedBundle
from serve.errors import TooManyItemsError, UnfitRequestError, UnknownItemError
from serve.items.answers import ItemResponse
from serve.items.live_answers import (
    ChangedItem,
    ChangedItemResponse,
    ChangedItemsResponse,
    LiveItemRow,
    LiveItemsResponse,
    LiveState,
)
from serve.parts import Parts
from serve.times import time_text

logger = logging.getLogger(__name__)

_OWN: Final = (*TEXT_FIELDS, CATEGORIES, PRICE, AVAILABLE, STOCK)
_NO_ATTRIBUTES: Final = frozenset({*TEXT_FIELDS, CATEGORIES, PRICE, AVAILABLE})
_MOST_FAULTS: Final = 20
_EXPECTED: Final[Mapping[AttributeType, str]] = {
    "number": "a number",
    "bool": "true or false",
    "text": "a text",
    "texts": "a list of texts",
}


@dataclass(frozen=True)
class Wanted:
    """What is to be done with an item.

    Attributes:
        action: see `ItemWrite`.
        item_id: of the item.
        given: fields by name, as JSON has them.
        expected: version that the item must be of, see `ItemWrite`.
    """

    action: ItemAction
    item_id: str
    given: Mapping[str, Any]
    expected: int | None = None


def change(parts: Parts, loaded: LoadedBundle, store: Store, wanted: Wanted, who: str | None) -> ChangedItemResponse:
    """Change one item.

    Raises:
        UnfitRequestError: fields that the catalogue does not have, or not of that type.
        UnknownItemError: there is no such item to patch or to delete.
        ItemConflict: it is not of the expected version.
        TooManyItemsError: there are as many new items as may be.
        StoreUnavailable: nothing is known of what became of it.
    """
    try:
        answer = changes(parts, loaded, store, [wanted], who)
    except ItemConflict as error:
        if error.missing:
            raise UnknownItemError(f"there is no item {wanted.item_id!r}: put it as a whole") from None
        raise
    (item,) = answer.items
    return ChangedItemResponse(bundle=answer.bundle, version=answer.version, item=item)


def changes(
    parts: Parts, loaded: LoadedBundle, store: Store, wanted: Sequence[Wanted], who: str | None
) -> ChangedItemsResponse:
    """Change items, all of them or none; arguments and errors as of `change`, but that a missing item is a conflict."""
    writes = _writes(loaded, wanted)
    _require_room(parts, loaded, writes)
    written = store.items.write(writes, who=who, timestamp=time.time())
    last = max((item.change.version for item, _ in written), default=0)
    if any(done != "nothing" for _, done in written) and parts.live_items_watch is not None:
        parts.live_items_watch.soon(last)
    now = parts.bundles.loaded
    overlays = parts.live_items.seen_from(now)
    rows = [
        ChangedItem(
            item_id=item.change.item_id, done=done, state=overlays.state(item, now), version=item.change.version
        )
        for item, done in written
    ]
    for done in {row.done for row in rows}:
        parts.metrics.items_changed(done, sum(row.done == done for row in rows))
    logger.info("%d items were changed by %s", len(rows), who or "nobody known")
    return ChangedItemsResponse(bundle=now.info, version=max(last, parts.live_items.known.version), items=rows)


def page(parts: Parts, loaded: LoadedBundle, store: Store, cursor: str | None, limit: int) -> LiveItemsResponse:
    """A page of the live items.

    Raises:
        InvalidCursor: it is none of this listing.
    """
    found = store.items.page(cursor, limit)
    overlays = parts.live_items.seen_from(loaded)
    return LiveItemsResponse(
        bundle=loaded.info,
        version=parts.live_items.known.version,
        source=parts.live_items.state,
        items=[
            LiveItemRow(
                item_id=item.change.item_id,
                fields={name: _as_json(value) for name, value in item.change.fields.items()},
                state=overlays.state(item, loaded),
                version=item.change.version,
                since=time_text(item.since),
                updated_at=time_text(item.change.timestamp),
                updated_by=item.updated_by,
            )
            for item in found.rows
        ],
        next_cursor=found.next_cursor,
    )


def live_state(parts: Parts, loaded: LoadedBundle, item_id: str) -> LiveState | UnsetType:
    """What the shop has said of an item, as far as answers know of it."""
    item = parts.live_items.known.items.get(item_id)
    if item is None:
        return UNSET
    fields = item.change.fields
    available, stock = fields.get(AVAILABLE), fields.get(STOCK)
    return LiveState(
        state=parts.live_items.seen_from(loaded).state(item, loaded),
        version=item.change.version,
        since=time_text(item.since),
        updated_at=time_text(item.change.timestamp),
        updated_by=item.updated_by,
        available=available if isinstance(available, bool) else None,
        stock=float(stock) if isinstance(stock, int | float) else None,
        fields=sorted(fields),
    )


def waiting_item(loaded: LoadedBundle, live: LiveItem) -> ItemResponse:
    """A new item that has no row yet, as the shop describes it."""
    fields: Mapping[str, Any] = live.change.fields
    return ItemResponse(
        item_id=live.change.item_id,
        title=fields.get("title"),
        brand=fields.get("brand"),
        categories=list(fields.get(CATEGORIES) or ()),
        price=fields.get(PRICE),
        image=fields.get("image"),
        description=fields.get("description"),
        popularity=0.0,
        attributes={
            name: _as_json(value) for name, value in fields.items() if value is not None and name not in _NO_ATTRIBUTES
        },
        bundle=loaded.info,
    )


def _writes(loaded: LoadedBundle, wanted: Sequence[Wanted]) -> list[ItemWrite]:
    """What the store is to do; every fault of every entry is told."""
    types = loaded.base.bundle.attributes.types
    known = loaded.base.bundle.catalogue.item_rows([one.item_id for one in wanted])
    faults: list[str] = []
    writes: list[ItemWrite] = []
    named: set[str] = set()
    for place, one in enumerate(wanted):
        prefix = f"items.{place} ({one.item_id[:60]!r}): " if len(wanted) > 1 else ""
        if one.item_id in named:
            faults.append(f"{prefix}the item is named twice")
        named.add(one.item_id)
        faults += [f"{prefix}{fault}" for fault in _faults(one, types)]
        fields = cleaned(one.given)
        if one.action == "put":
            fields = {**dict.fromkeys(types), **fields}
        writes.append(ItemWrite(one.action, one.item_id, fields, one.item_id in known, one.expected))
    if faults:
        more = len(faults) - _MOST_FAULTS
        raise UnfitRequestError("; ".join(faults[:_MOST_FAULTS]) + (f"; and {more:,} more" if more > 0 else ""))
    return writes


def _faults(one: Wanted, types: Mapping[str, AttributeType]) -> list[str]:
    if one.action == "delete" and one.given:
        return [f"an item that is deleted has no fields, got {', '.join(sorted(one.given))[:200]}"]
    faults = []
    for name, value in one.given.items():
        kind = types.get(name)
        if name in _OWN:
            continue
        if kind is None:
            there_are = ", ".join((*_OWN, *(other for other in types if other not in _OWN)))
            faults.append(f"{name[:60]}: there is no such field; there are {there_are}")
        elif not fits(name, tuple(value) if isinstance(value, list) else value, types):
            faults.append(f"{name}: expected {_EXPECTED[kind]} or null, got {str(value)[:60]!r}")
    return faults


def cleaned(given: Mapping[str, Any]) -> dict[str, FieldValue]:
    """Fields as a preparation of data would read them: plain texts, and none for what says nothing."""
    fields: dict[str, FieldValue] = {}
    for name, value in given.items():
        if name in ("title", "description") and value is not None:
            fields[name] = clean_text(value) or None
        elif name == "brand" and value is not None:
            fields[name] = clean_name(value) or None
        elif name == CATEGORIES and value is not None:
            fields[name] = tuple(clean_all(value, clean_name)) or None
        elif name == "image" and value is not None:
            fields[name] = value.strip() or None
        else:
            fields[name] = (tuple(value) or None) if isinstance(value, list) else value
    return fields


def _require_room(parts: Parts, loaded: LoadedBundle, writes: Sequence[ItemWrite]) -> None:
    """Stop where there would be too many new items; two workers may both take a last one."""
    known = parts.live_items.known
    more = sum(
        write.action == "put" and not write.known and _is_gone(known.items.get(write.item_id)) for write in writes
    )
    most = parts.settings.max_live_items
    if more and (count := parts.live_items.seen_from(loaded).count_new(known) + more) > most:
        raise TooManyItemsError(
            f"expected {most:,} new items at most, got {count:,}: train a bundle on the store, which makes them "
            "part of it, or let there be more with the setting max_live_items"
        )


def _is_gone(item: LiveItem | None) -> bool:
    return item is None or item.change.deleted


def _as_json(value: FieldValue) -> Any:
    return list(value) if isinstance(value, tuple) else value
