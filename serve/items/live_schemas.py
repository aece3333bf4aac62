"""What a shop may say of its items."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from recsys.core.attributes import LARGEST_NUMBER
from recsys.core.events import LARGEST_AMOUNT, MAX_ID_CHARS
from recsys.core.values.whole_numbers import AS_WHOLE
from recsys.store import ItemAction
from recsys.store.live_item_records import MAX_WRITES
from serve.http.schemas import Cursor, Id, Limit, Query

MAX_TITLE, MAX_DESCRIPTION, MAX_CATEGORIES = 2048, 20_000, 100
_MAX_TEXT, _MAX_TEXTS = 2048, 100
_EXAMPLE: dict[str, JsonValue] = {"title": "Argan oil shampoo, 500 ml", "price": 12.95, "stock": 12}
_AttributeText = Annotated[str, Field(max_length=_MAX_TEXT)]
AttributeValue = (
    bool
    | Annotated[float, Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
    | _AttributeText
    | Annotated[list[_AttributeText], Field(max_length=_MAX_TEXTS)]
    | None
)


class ItemFields(BaseModel):
    """Fields of an item; what is not named here is an attribute of the catalogue."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="allow", allow_inf_nan=False, json_schema_extra={"examples": [_EXAMPLE]}
    )
    __pydantic_extra__: dict[str, AttributeValue] = Field(init=False)

    title: Annotated[str | None, Field(max_length=MAX_TITLE, examples=["Argan oil shampoo, 500 ml"])] = None
    brand: Annotated[str | None, Field(max_length=MAX_ID_CHARS, examples=["Arganics"])] = None
    categories: Annotated[
        list[Annotated[str, Field(max_length=MAX_ID_CHARS)]] | None,
        Field(max_length=MAX_CATEGORIES, description="From general to specific.", examples=[["Beauty", "Hair Care"]]),
    ] = None
    description: Annotated[str | None, Field(max_length=MAX_DESCRIPTION)] = None
    image: Annotated[str | None, Field(max_length=MAX_TITLE, examples=["https://images.example/1.jpg"])] = None
    price: Annotated[float | None, Field(ge=0, le=LARGEST_AMOUNT, examples=[12.95])] = None
    available: Annotated[
        bool | None, Field(description="false: it is in no list, whatever its stock.", examples=[True])
    ] = None
    stock: Annotated[
        float | None,
        Field(
            ge=-LARGEST_NUMBER,
            le=LARGEST_NUMBER,
            description="Pieces left: none, and the item is in no list. null: nobody knows, it is for sale.",
            examples=[12],
        ),
    ] = None


class BatchEntry(ItemFields):
    """What is to be done with one item."""

    item_id: Annotated[Id, Field(examples=["B0009RF9DW"])]
    action: Annotated[
        ItemAction, Field(description="patch: these fields; put: these and no others; delete: the item goes.")
    ] = "patch"
    if_version: Annotated[
        int | None, Field(ge=0, lt=10**15, description="As If-Match: the version that the item must be of."), AS_WHOLE
    ] = None


class BatchBody(Query):
    """Items to change, all of them or none."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    items: Annotated[list[BatchEntry], Field(min_length=1, max_length=MAX_WRITES)]


class ChangesQuery(Query):
    """Which page of the live items."""

    limit: Limit = 20
    cursor: Cursor = None
