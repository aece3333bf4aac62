"""Settings that say what a shop's files call what is read of them: the mapping."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from recsys.core.attributes import NAME_PATTERN, UserAttributeType, check_attribute_name
from recsys.core.settings import Section, unmentioned
from recsys.prepare import columns as c
from recsys.prepare.value_settings import EventTypeKey, each_type_once

EVENT_FIELDS: Final = (
    *(c.USER_ID, c.ITEM_ID, c.EVENT_TYPE, c.TIMESTAMP),
    *(c.RATING, c.PRICE, c.QUANTITY, c.EVENT_ID),
)
ITEM_FIELDS: Final = (c.ITEM_ID, c.TITLE, c.BRAND, c.CATEGORIES, c.PRICE, c.DESCRIPTION, c.IMAGE)
GROUP: Final = "group"  # what rows of one product share in a catalogue, those of one order in an event log
# Before the name of a field of the item, or of the user, that an event row tells.
OF_ITEM, OF_USER = "item.", "user."
LIST_MARK: Final = "[]"  # behind the part of a path that is a list
UNREAD: Final = "_"  # the name in a header of a column that is not read
IGNORE: Final = "ignore"  # in the place of an event type: events of such a type are dropped


def _their_name(name: Any) -> Any:
    """A name as text; YAML reads a bare 790 as a number."""
    return str(name) if isinstance(name, int) and not isinstance(name, bool) else name


TheirName = Annotated[str, BeforeValidator(_their_name), Field(min_length=1)]


def _path(name: str) -> str:
    if name.count(LIST_MARK) > 1:
        raise ValueError(f"{name!r} has more than one list ({LIST_MARK}); an event is one entry of one list")
    if any(LIST_MARK in part and not part.endswith(LIST_MARK) for part in name.split(".")):
        raise ValueError(f"{name!r} has a list within a name; a path is written user.id or items[].item_id")
    return name


TheirPath = Annotated[TheirName, AfterValidator(_path)]


def check_user_attribute(name: str) -> str:
    """The name of a column of users.

    Raises:
        ValueError: it is no name of letters, digits and _, or one that users.parquet has anyway.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        raise ValueError(f"{name[:80]!r} is no name of letters, digits and _")
    if name.casefold() in (c.USER, c.USER_ID):
        raise ValueError(f"{name!r} is taken: give the attribute another name")
    return name


def _event_column(name: str) -> str:
    if name in (*EVENT_FIELDS, GROUP):
        return name
    prefix, _, rest = name.partition(".")
    if f"{prefix}." == OF_ITEM and rest != c.ITEM_ID:
        return name if rest in ITEM_FIELDS else OF_ITEM + check_attribute_name(rest)
    if f"{prefix}." == OF_USER and rest:
        return OF_USER + check_user_attribute(rest)
    raise ValueError(
        f"no such column of events; there are {', '.join((*EVENT_FIELDS, GROUP))}, and {OF_ITEM}FIELD and "
        f"{OF_USER}FIELD (item.brand, user.age)"
    )


EventColumn = Annotated[str, AfterValidator(_event_column)]
UserAttributeName = Annotated[str, AfterValidator(check_user_attribute)]


class PropertyColumns(Section):
    """What the files of `data.properties` call their columns."""

    item_id: TheirName = Field("item_id", description="The item.")
    timestamp: TheirName = Field("timestamp", description="Since when the item has the property.")
    property: TheirName = Field("property", description="Which property it is.")
    value: TheirName = Field("value", description="What it is.")


class MappingConfig(Section):
    """What files call the columns that are read of them."""

    columns: dict[EventColumn, TheirPath] = unmentioned(
        {},
        description="What event logs call our columns (user_id, item_id, event_type, timestamp, rating, price, "
        "quantity, event_id), whatever the case: `{user_id: visitorid, timestamp: event_time}`. item.FIELD and "
        "user.FIELD are what event rows tell of their item or user: the latest counts, and catalogues count more. In "
        "JSON lines a name may be a path: user.id, or items[].item_id, with one event for each entry. `group` is what "
        "rows of one order share that stand one behind the other (Shopify's Name): user_id, event_type and timestamp "
        "of the first are those of the others where they have none.",
    )
    header: list[TheirName | None] | None = unmentioned(
        None,
        description="Names of the columns of event logs in delimited text whose first line is data; _ or null for one "
        "that is not read.",
    )
    event_type: EventTypeKey | None = unmentioned(
        None, description="Type of every event of files that have no column of types."
    )
    event_types: dict[EventTypeKey, EventTypeKey] = unmentioned(
        {},
        description="Types of the files and what they are called here: `{transaction: purchase, search: ignore}`; "
        "events of a type to ignore are dropped and counted.",
    )
    metadata_columns: dict[Annotated[str, Field(min_length=1)], TheirPath | list[TheirPath]] = unmentioned(
        {},
        description="What catalogues call our fields (item_id, title, brand, categories, price, description, image), "
        "whatever the case: `{item_id: sku, title: product_name}`; also attributes. categories may be several columns, "
        "from general to special. `group` is what rows of one product share (Shopify's Handle, WooCommerce's Parent): "
        "title, brand, categories, description and image of the first are those of the others where they have none.",
    )
    metadata_header: list[TheirName | None] | None = unmentioned(
        None, description="Names of the columns of catalogues in delimited text whose first line is data, see header."
    )
    category_separator: Annotated[str, Field(min_length=1)] | list[Annotated[str, Field(min_length=1)]] | None = (
        unmentioned(
            None,
            description='What stands between the categories of a path that is one text (" > "), or several such; '
            "null: the one of >, |, :: and / between blanks that the first records show.",
        )
    )
    property_columns: PropertyColumns = unmentioned(
        PropertyColumns(), description="What the files of data.properties call their columns."
    )
    property_names: dict[TheirName, str] = unmentioned(
        {},
        description="Properties of items by the names that files give them, and our fields or attributes: "
        '`{categoryid: categories, "790": price}`; others are not kept.',
    )
    user_columns: dict[str, TheirPath] = unmentioned(
        {}, description="What the files of data.users call user_id and the columns of data.user_attributes."
    )
    user_attributes: dict[UserAttributeName, UserAttributeType] = unmentioned(
        {},
        description="Further columns of users that are kept, with their types (number, text, bool, texts, date): "
        "`{age: number, city: text}`.",
    )
    items: Literal["auto", "interacted", "all"] = unmentioned(
        "auto",
        description="Which items are in the dataset: those with interactions, or all of the catalogue (and of property "
        "logs), those that a filter leaves without any, too: they are found, and recommended from their text. auto: "
        "all for event logs and stores, interacted for Amazon's editions and RecBole.",
    )

    @model_validator(mode="before")
    @classmethod
    def _types_once(cls, tree: Any) -> Any:
        if isinstance(tree, dict):
            each_type_once(tree.get("event_types"))
        return tree

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        facts = {name: their for name, their in self.columns.items() if name in EVENT_FIELDS}
        told = [name for name in self.columns if name not in EVENT_FIELDS]
        _check_once("columns", facts.values())
        for prefix in (OF_ITEM, OF_USER):
            _check_once("columns", [self.columns[name] for name in told if name.startswith(prefix)])
        _check_once("metadata_columns", _check_levels(self.metadata_columns))
        _check_once("user_columns", self.user_columns.values())
        for key in ("header", "metadata_header"):
            names = getattr(self, key)
            _check_once(key, [name for name in names or () if name not in (None, UNREAD)])
            if names is not None and not any(name not in (None, UNREAD) for name in names):
                raise ValueError(f"{key} names no column")
        _check_lists(self.columns)
        _check_properties(self.property_names.values())
        _check_users(self)
        return self


def _check_once(key: str, names: Iterable[str]) -> None:
    names = list(names)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{key} names {', '.join(twice)} more than once")


def _check_levels(columns: Mapping[str, str | list[str]]) -> list[str]:
    """All columns of catalogues that are named; only categories may have several."""
    several = [name for name, theirs in columns.items() if isinstance(theirs, list) and name != c.CATEGORIES]
    if several:
        raise ValueError(f"metadata_columns has several columns for {', '.join(several)}; only categories may")
    return [name for theirs in columns.values() for name in ([theirs] if isinstance(theirs, str) else theirs)]


def _check_lists(columns: Mapping[str, str]) -> None:
    lists = {name.partition(LIST_MARK)[0] for name in columns.values() if LIST_MARK in name}
    if len(lists) > 1:
        raise ValueError(f"columns has several lists ({', '.join(sorted(lists))}); an event is one entry of one list")


def _check_properties(fields: Iterable[str]) -> None:
    fields = list(fields)
    for field in fields:
        if field not in ITEM_FIELDS[1:]:
            check_attribute_name(field)
    _check_once("property_names", fields)


def _check_users(settings: MappingConfig) -> None:
    known = {c.USER_ID, *settings.user_attributes}
    if unknown := [name for name in settings.user_columns if name not in known]:
        raise ValueError(f"user_columns has {', '.join(unknown)}, which data.user_attributes does not name")
    told = [name.removeprefix(OF_USER) for name in settings.columns if name.startswith(OF_USER)]
    if unknown := [name for name in told if name not in known - {c.USER_ID}]:
        raise ValueError(f"columns has user.{', user.'.join(unknown)}, which data.user_attributes does not name")
