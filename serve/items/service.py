"""Items of the bundle and of the store, as answers show them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from recsys.store import ItemSearch
from serve.answers import ShortenedBy, shortened_by
from serve.bundles.loaded import LoadedBundle
from serve.items.answers import (
    ItemResponse,
    PopularItem,
    PopularResponse,
    SearchResponse,
    SimilarItem,
    SimilarResponse,
)
from serve.items.changing import live_state, waiting_item
from serve.items.choice import Choice
from serve.items.found import found_items
from serve.items.obeyed import Obeyed
from serve.items.similar import DEPTH, By, similar_items
from serve.parts import Parts
from serve.store.link import StoreLink


def search(link: StoreLink, loaded: LoadedBundle, wanted: ItemSearch, cursor: str | None, limit: int) -> SearchResponse:
    """A page of the store's items, as `Store.search_items` finds them.

    Raises:
        InvalidCursor: it is not one that a search in this order gave.
        StoreUnavailable: the store is down.
    """
    store = link.queries
    page = store.search_items(wanted, cursor, limit)
    return SearchResponse(
        items=found_items(loaded, page.rows),
        next_cursor=page.next_cursor,
        total=page.total,
        total_exact=page.total_exact,
        catalogue_version=store.items_version(),
    )


def popular(loaded: LoadedBundle, obeyed: Obeyed, choice: Choice) -> PopularResponse:
    """The most popular of the items chosen that the shop's rules let through."""
    rows = loaded.popular if choice.items is None else loaded.popular[choice.items[loaded.popular]]
    best: list[int] = []
    for start in range(0, len(rows), DEPTH):
        best += obeyed.allowed(rows[start : start + DEPTH].tolist())
        if len(best) >= choice.end:
            break
    best = best[choice.offset : choice.end]
    cards = loaded.cards(best)
    items = [
        PopularItem(rank=rank, **cards[row]._asdict(), popularity=float(loaded.popularity[row]))
        for rank, row in enumerate(best, start=choice.offset + 1)
    ]
    shortened_by, unknown = _shortened(items, obeyed, choice.k), _named(choice.unknown)
    return PopularResponse(
        bundle=loaded.info,
        items=items,
        shortened_by=shortened_by,
        unknown_items=unknown,
        store=choice.store or UNSET,
    )


def _shortened(items: Sequence[object], obeyed: Obeyed, k: int) -> ShortenedBy | UnsetType:
    return shortened_by(obeyed.rules if len(items) < k else ())


def _named(unknown: Sequence[str]) -> list[str] | UnsetType:
    return list(unknown) or UNSET


def item(parts: Parts, loaded: LoadedBundle, item_id: str) -> ItemResponse | None:
    """What the catalogue says of an item; None if there is no such item, or none any more."""
    live = parts.live_items.known.items.get(item_id)
    if live is not None and live.change.deleted:
        return None
    found = _of_catalogue(loaded, item_id)
    if found is None and live is not None:
        found = waiting_item(loaded, live)
    if found is not None:
        found.live = live_state(parts, loaded, item_id)
    return found


def _of_catalogue(loaded: LoadedBundle, item_id: str) -> ItemResponse | None:
    row = loaded.bundle.catalogue.item_row(item_id)
    if row is None:
        return None
    (record,) = loaded.bundle.catalogue.items([row])
    return ItemResponse(
        item_id=record.item_id,
        title=record.title,
        brand=record.brand,
        categories=list(record.categories),
        price=record.price,
        image=record.image,
        description=record.description,
        popularity=float(loaded.popularity[row]),
        attributes=loaded.bundle.attributes.of_item(row),
        bundle=loaded.info,
    )


def similar(loaded: LoadedBundle, obeyed: Obeyed, item_id: str, by: By, choice: Choice) -> SimilarResponse | None:
    """Of the items chosen the most similar to one that the shop's rules let through; None if there is no such item."""
    row = loaded.bundle.catalogue.item_row(item_id)
    if row is None:
        return None
    best, fallback_used = similar_items(loaded, row, by, choice.end, obeyed, choice.items)
    best = best[choice.offset :]
    cards = loaded.cards([other.row for other in best])
    items = [
        SimilarItem(rank=rank, **cards[other.row]._asdict(), score=round(other.score, 6), sources=other.sources)
        for rank, other in enumerate(best, start=choice.offset + 1)
    ]
    return SimilarResponse(
        item_id=item_id,
        by=by,
        fallback_used=fallback_used,
        bundle=loaded.info,
        items=items,
        shortened_by=_shortened(items, obeyed, choice.k),
        unknown_items=_named(choice.unknown),
        store=choice.store or UNSET,
    )
