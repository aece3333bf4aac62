"""What several requests share."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from recsys.core.events import END_OF_TIME, MAX_ID_CHARS
from recsys.core.values.ids import ID_PATTERN
from recsys.core.values.times import TimeRules, check_time, parse_time
from recsys.core.values.whole_numbers import AS_WHOLE
from recsys.rules.rule import MAX_SCENARIO_CHARS
from serve.bundles.facets import Filter

MAX_K = 100
MAX_USERS = 256
MAX_EVENTS = 1000
MAX_SESSION = 500
MAX_OFFSET = 900
MAX_NAMES = 50  # categories, or brands, of a request
MAX_NAMED_ITEMS = 500  # items that a request wants, or does not want
NO_FILTER = Filter()
# A client's clock may be anywhere, so that a time without an offset means nothing.
_AS_SENT = TimeRules(zone=None, counted=True)


K = Annotated[int, Field(ge=1, le=MAX_K, description="Number of items wanted."), AS_WHOLE]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARS)]
# What `check_id` says, as pydantic and OpenAPI read it.
ID_LIMITS: dict[str, Any] = {"min_length": 1, "max_length": MAX_ID_CHARS, "pattern": ID_PATTERN}
Id = Annotated[str, Field(**ID_LIMITS)]
VisitorId = Annotated[
    Id | None,
    Field(
        description="Of a session: the id by which the shop knows its visitor, and sends the visitor's events. "
        "Experiments go by it, and the served log keeps it as the user of the list; the list itself is made from "
        "`history` alone.",
        examples=["visitor-8c1f"],
    ),
]
Offset = Annotated[
    int,
    Field(
        ge=0,
        le=MAX_OFFSET,
        description="Leave out so many items from the top. Pages of the same k, of one bundle and moment, hold no item "
        "twice, and together they are one list.",
    ),
    AS_WHOLE,
]


def _one_or_more(given: object, check: ValidatorFunctionWrapHandler) -> object:
    """A name alone is a list of one; what is wrong with it is told as of the name."""
    if not isinstance(given, str):
        return check(given)
    try:
        return check([given])
    except ValidationError as error:
        first = error.errors()[0]
        raise PydanticKnownError(first["type"], first.get("ctx")) from None  # type: ignore[arg-type]


_NAME: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_ID_CHARS}
_ID: dict[str, Any] = {**_NAME, "pattern": ID_PATTERN}


def _names_of(one: dict[str, Any], most: int) -> WithJsonSchema:
    listed = {"type": "array", "items": one, "minItems": 1, "maxItems": most}
    return WithJsonSchema({"anyOf": [one, listed, {"type": "null"}]})


# In a query a parameter that is repeated, in a body a list.
Names = Annotated[
    list[Name] | None,
    Field(min_length=1, max_length=MAX_NAMES),
    WrapValidator(_one_or_more),
    _names_of(_NAME, MAX_NAMES),
]
Ids = Annotated[
    list[Id] | None,
    Field(min_length=1, max_length=MAX_NAMED_ITEMS),
    WrapValidator(_one_or_more),
    _names_of(_ID, MAX_NAMED_ITEMS),
]
Limit = Annotated[int, Field(ge=1, le=MAX_K, description="Rows of a page.")]
Cursor = Annotated[
    str | None, Field(max_length=2048, description="next_cursor of the page before; leave out for the first.")
]

Scenario = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=MAX_SCENARIO_CHARS,
        description="Where the list is shown, by a name of the shop's: its rules may be for one scenario alone.",
        examples=["home"],
    ),
]


def _seconds(moment: object) -> float:
    """Seconds since 1970 of a number, or of a time with its offset."""
    try:
        if isinstance(moment, bool) or not isinstance(moment, str | int | float):
            raise ValueError("it is neither a text nor a number")
        return check_time(parse_time(moment, _AS_SENT))
    except ValueError as error:
        raise ValueError(
            f"expected a time such as 2024-05-01T12:00:00Z, or seconds, from 1970 to 2242: {error}"
        ) from None


Moment = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "number", "minimum": 0, "exclusiveMaximum": END_OF_TIME},
            ]
        }
    ),
]


class Query(BaseModel):
    """Parameters; one that does not exist is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


LISTED: Final = frozenset({"category", "brand", "exclude_items", "only_items"})
"""Parameters of a query that may be repeated."""


class PriceBounds(Query):
    """Which prices, both bounds included."""

    min_price: Annotated[Price | None, Field(description="Items without a known price are left out too.")] = None
    max_price: Annotated[Price | None, Field(description="Items without a known price are left out too.")] = None

    @model_validator(mode="after")
    def _ordered_prices(self) -> Self:
        if self.min_price is not None and self.max_price is not None and self.min_price > self.max_price:
            raise ValueError("min_price must not exceed max_price")
        return self


class Filters(PriceBounds):
    """What restricts the items."""

    category: Annotated[
        Names, Field(description="One of the item's categories, as in the catalogue; or several, of which it has any.")
    ] = None
    brand: Annotated[
        Names, Field(description="The item's brand, as in the catalogue; or several, of which it bears one.")
    ] = None
    exclude_items: Annotated[Ids, Field(description="Items that are not wanted.", examples=[["B000142FVW"]])] = None
    only_items: Annotated[
        Ids,
        Field(
            description="Put these in order, and list no others: all of them that the catalogue holds are ranked, "
            "whether or not a source proposes them. Filters, stock and rules hold for them too.",
            examples=[["B0009RF9DW", "B000142FVW"]],
        ),
    ] = None

    def filter(self) -> Filter | None:
        """What is restricted; None: nothing."""
        wanted = Filter(self.min_price, self.max_price, tuple(self.category or ()), tuple(self.brand or ()))
        return None if wanted == NO_FILTER else wanted


def _of_an_entry(parameter: dict[str, Any], field: dict[str, Any]) -> dict[str, Any]:
    """The parameter of each entry of an object; in a query its value is a text."""
    (values,) = field["patternProperties"].values()
    text = next(option for option in values["anyOf"] if option["type"] == "string")
    return parameter | {"name": f"{parameter['name']}.NAME", "schema": text}


def parameters(model: type[BaseModel], path: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """OpenAPI parameters of a route that reads its query by hand.

    Args:
        model: of the query.
        path: descriptions of the path's parameters by name, which are ids.
    """
    schema = model.model_json_schema()
    required = schema.get("required", [])
    listed: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "description": text, "schema": TypeAdapter(Id).json_schema()}
        for name, text in (path or {}).items()
    ]
    for name, field in schema["properties"].items():
        parameter = {"name": name, "in": "query", "required": name in required, "schema": field}
        if "description" in field:
            parameter["description"] = field["description"]
        listed.append(parameter if field.get("type") != "object" else _of_an_entry(parameter, field))
    return listed
