"""What a format is to the preparation, and the item records that every format yields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple, cast

import msgspec
import pyarrow as pa
from msgspec import Meta

from recsys.core.dotted import imported
from recsys.core.events import MAX_ID_CHARS
from recsys.core.item_changes import FieldValue, ItemChange
from recsys.core.persons import Persons
from recsys.prepare.formats.files import open_file
from recsys.prepare.formats.registry import FORMATS, FORMATS_OF_KINDS
from recsys.prepare.formats.reports import InputKind, InputReport
from recsys.prepare.settings import DataConfig

Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS)]
# Called with each number of bytes read, for a progress bar.
OnBytes = Callable[[int], object]
# Before the name of an attribute (`data.attributes`): its field in an item record, see `with_attributes`.
ATTRIBUTE_FIELD = "attribute_"


class Picture(msgspec.Struct, gc=False):
    """Addresses of one picture of an item, in two sizes."""

    large: str | None = None
    hi_res: str | None = None


class RawItem(msgspec.Struct, gc=False):
    """An item as its shop describes it, not cleaned yet; each field takes the types of all formats together."""

    item_id: Id
    title: str | None = None
    brand: str | None = None
    categories: list[list[str] | str] | str | None = None
    price: float | str | None = None
    description: list[str] | str | None = None
    image: list[str | Picture] | str | None = None


class RawTaggedItem(RawItem):
    """An item with a year, and with categories that are tags without an order instead of a path in a shop."""

    year: str = ""


def with_attributes(item_type: type[RawItem], names: Iterable[str]) -> type[RawItem]:
    """The item type with a field for each attribute, `UNSET` where a record does not have it."""
    fields = [attribute_field(name) for name in names]
    if not fields:
        return item_type
    return cast(type[RawItem], msgspec.defstruct(item_type.__name__, fields, bases=(item_type,), gc=False))


def attribute_field(name: str) -> tuple[str, type, Any]:
    """Name, type and default of an attribute's field in an item record; a value may be whatever JSON has."""
    return ATTRIBUTE_FIELD + name, object, msgspec.UNSET


class SaidOfUser(NamedTuple):
    """What a store says of a user.

    Attributes:
        timestamp: when that was said, in seconds since 1970.
        attributes: by name; None: the user does not agree to any being kept.
    """

    timestamp: float
    attributes: Mapping[str, FieldValue] | None


class SaidSince(NamedTuple):
    """What a store says since its last bundle was made.

    Attributes:
        version: number of changes of items.
        items: of each item that changed the last change.
        persons: whom to forget, and which ids are one person's.
        users: by the id of the user.
    """

    version: int = 0
    items: Sequence[ItemChange] = ()
    persons: Persons = Persons()
    users: Mapping[str, SaidOfUser] = {}


@dataclass(frozen=True)
class Format:
    """How inputs of one format are checked and read. An input is a file or, for an event store, a database.

    Attributes:
        check: looks at the head of an input, before any input is read whole. Raises DataError where the input is
            evidently not in this format.
        interactions: yields an input's interactions as Arrow tables with user_id and item_id (strings), timestamp
            (int64, seconds since 1970), rating (float32, nullable) and `seq` (int64, the order within all inputs, which
            decides ties in time; it counts up from the argument), optionally weight, price and quantity (float32),
            event_type and event_id (strings; an event of a type in `data.undo_events`, or of a negative quantity,
            takes back an earlier one). Bad lines are counted in the report. Raises DataError where there are too many.
        items: yields an input's item records in lists, with the config's attributes (`with_attributes`) where it
            has free columns; counts and raises like `interactions`.
        open_input: starts the report of an input. Raises DataError where it cannot be read.
        item_fields: names of the fields that the head of an input of items has, for messages.
        is_catalogue: whether items are those of a shop's catalogue in any form: several records of an item are merged,
            and categories that are one text are split (`data.category_separator`).
        maps_items: whether items are read under the names that `data.metadata_columns` gives.
        has_purchases: whether interactions have prices and quantities, so that the prepared dataset gets these columns.
        said_since: of a store what it says of items and users since its last bundle; None: files say nothing of that.
    """

    check: Callable[[InputReport], object]
    interactions: Callable[[InputReport, DataConfig, int, OnBytes], Iterator[pa.Table]]
    items: Callable[[InputReport, DataConfig, OnBytes], Iterator[list[RawItem]]]
    open_input: Callable[[Path, InputKind], InputReport] = open_file
    item_fields: Callable[[InputReport], Collection[str]] = lambda _: ()
    is_catalogue: bool = False
    maps_items: bool = False
    has_purchases: bool = False
    said_since: Callable[[Path], SaidSince] | None = None


def load_format(name: str) -> Format:
    """The format of a name in `registry.FORMATS`, or of a kind of inputs in `registry.FORMATS_OF_KINDS`."""
    path = FORMATS_OF_KINDS.get(name) or FORMATS[name].path
    loaded = imported(path)
    if not isinstance(loaded, Format):
        raise TypeError(f"{path} is no Format")
    return loaded
