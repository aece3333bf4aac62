"""What the shop says of its items: put, patched and deleted, one by one or many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request, Response

from recsys.store import MISSING
from serve.bundles.loaded import LoadedBundle
from serve.http.bodies import BatchRoute, JsonRoute
from serve.http.documentation import answers
from serve.http.etags import IfMatch, IfNoneMatch, expected_version, tagged
from serve.http.routing import LinkOf, LoadedOf, NoParameters, PartsOf, json_response
from serve.http.schemas import ID_LIMITS
from serve.items import changing
from serve.items.live_answers import ChangedItemResponse, ChangedItemsResponse, LiveItemsResponse
from serve.items.live_schemas import BatchBody, ChangesQuery, ItemFields
from serve.parts import Parts
from serve.store.link import StoreLink

router = APIRouter(tags=["items"], route_class=JsonRoute)
batches = APIRouter(tags=["items"], route_class=BatchRoute)

ItemId = Annotated[str, Path(**ID_LIMITS, description="Percent-encoded where it must be.")]
_OF_ENTRIES = frozenset({"item_id", "action", "if_version"})


@dataclass(frozen=True)
class Shop:
    """What a change of items needs, and who makes it."""

    parts: Parts
    loaded: LoadedBundle
    link: StoreLink
    who: str | None

    def changed(self, wanted: changing.Wanted) -> Response:
        """The answer to a change of one item."""
        answer = changing.change(self.parts, self.loaded, self.link.queries, wanted, self.who)
        return tagged(json_response(answer), answer.item.version)


async def _shop(request: Request, parts: PartsOf, loaded: LoadedOf, link: LinkOf) -> Shop:
    return Shop(parts, loaded, link, request.scope.get("key_name"))


ShopOf = Annotated[Shop, Depends(_shop)]


@router.get("/item-changes", summary="Live items", **answers(LiveItemsResponse))
def item_changes(query: Annotated[ChangesQuery, Query()], loaded: LoadedOf, link: LinkOf, parts: PartsOf) -> Response:
    """Items of which the shop has said something since the bundle was made, deleted ones too, last changed first."""
    return json_response(changing.page(parts, loaded, link.queries, query.cursor, query.limit))


@batches.post(
    "/items/batch",
    summary="Change up to 1,000 items",
    dependencies=[NoParameters],
    **answers(ChangedItemsResponse, 400, 412, 507),
)
def change_batch(shop: ShopOf, body: Annotated[BatchBody, Body()]) -> Response:
    """Patch, put and delete items in one transaction: all of them, or none where one does not fit; each is told.

    They are on disk when this answers; every worker follows within two seconds. Items whose ids other addresses look
    like, such as popular, are changed here alone.
    """
    wanted = [changing.Wanted(entry.action, entry.item_id, _given(entry), entry.if_version) for entry in body.items]
    return json_response(changing.changes(shop.parts, shop.loaded, shop.link.queries, wanted, shop.who))


@router.put(
    "/items/{item_id:item}",
    summary="Put an item",
    dependencies=[NoParameters],
    **answers(ChangedItemResponse, 400, 412, 507),
)
def put(
    shop: ShopOf,
    item_id: ItemId,
    body: Annotated[ItemFields, Body()],
    if_match: Annotated[IfMatch, Header()] = None,
    if_none_match: Annotated[IfNoneMatch, Header()] = None,
) -> Response:
    """Say all there is to say of an item, new or not: what the body leaves out, the item does not have.

    It is on disk when this answers; every worker follows within two seconds. A new item is in lists as soon as its
    text has been read, see `state`. With keys it takes the scope catalogue, or admin.
    """
    expected = expected_version(if_match, if_none_match, absent=MISSING)
    wanted = changing.Wanted("put", item_id, _given(body), expected)
    return shop.changed(wanted)


@router.patch(
    "/items/{item_id:item}",
    summary="Change fields of an item",
    dependencies=[NoParameters],
    **answers(ChangedItemResponse, 400, 404, 412),
)
def patch(
    shop: ShopOf,
    item_id: ItemId,
    body: Annotated[ItemFields, Body()],
    if_match: Annotated[IfMatch, Header()] = None,
) -> Response:
    """Change the fields that the body names, such as price and stock; null: the item has none."""
    wanted = changing.Wanted("patch", item_id, _given(body), expected_version(if_match, absent=MISSING))
    return shop.changed(wanted)


@router.delete(
    "/items/{item_id:item}",
    summary="Delete an item",
    dependencies=[NoParameters],
    **answers(ChangedItemResponse, 404, 412),
)
def delete(
    shop: ShopOf,
    item_id: ItemId,
    if_match: Annotated[IfMatch, Header()] = None,
) -> Response:
    """Take an item away: it is in no list and no search any more, nor in lists of a bundle trained on the store."""
    wanted = changing.Wanted("delete", item_id, {}, expected_version(if_match, absent=MISSING))
    return shop.changed(wanted)


def _given(body: ItemFields) -> dict[str, object]:
    """The fields that a body names."""
    return {name: value for name, value in body if name in body.model_fields_set and name not in _OF_ENTRIES}
