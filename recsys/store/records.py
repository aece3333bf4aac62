"""The records of the store, and the values that they may hold."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeVar

import msgspec

from recsys.core.events import MAX_ID_CHARS
from recsys.store.errors import InvalidRecord

T = TypeVar("T")

# PostgreSQL's text holds no NUL, UTF-8 no lone surrogate.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Event(NamedTuple):
    """One interaction of a user with an item.

    Attributes:
        event_id: identifies the event; a second event of the same id is a duplicate.
        user_id, item_id: any Unicode text of 1 to 512 characters, see `recsys.core.values.ids`, like event_id.
        event_type: text of 1 to 100 characters in normal form, see `recsys.core.values.event_types`; which types mean
            something is up to those who read.
        timestamp: seconds since 1970, below 2**33.
        rating: on the shop's scale; None where there is none.
        price: of one piece, in the shop's currency; None where unknown.
        quantity: pieces; None where unknown.
        recommendation_id: of the list that led to it; None where nobody said.
        position: of the item in that list, from 1; None where nobody said.
    """

    event_id: str
    user_id: str
    item_id: str
    event_type: str
    timestamp: float
    rating: float | None = None
    price: float | None = None
    quantity: float | None = None
    recommendation_id: str | None = None
    position: int | None = None


class ListEvent(NamedTuple):
    """Something that is told of an item in a list, and says nothing of anybody's taste: that it was seen, for example.

    Attributes:
        event_id: identifies it among list events; a second one of the same id is a duplicate.
        user_id, item_id: as of `Event`.
        event_type: one of `recsys.core.events.LIST_EVENT_TYPES`.
        timestamp: seconds since 1970.
        recommendation_id, position: as of `Event`.
        value: what an explanation_feedback says, one of `recsys.core.events.FEEDBACK`; None of other types.
    """

    event_id: str
    user_id: str
    item_id: str
    event_type: str
    timestamp: float
    recommendation_id: str | None = None
    position: int | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """How many appended events are new (`accepted`), and how many were in the store or earlier in the batch.

    `forgotten` ones are of a time up to which their users are forgotten, and were let go.
    """

    accepted: int
    duplicates: int
    forgotten: int = 0


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing.

    Attributes:
        rows: the rows of this page.
        next_cursor: the cursor of the next page; None after the last page.
    """

    rows: list[T]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user of the event log: number of events, times of the first and the last in seconds since 1970."""

    user_id: str
    events: int
    first_timestamp: float
    last_timestamp: float


@dataclass(frozen=True, slots=True)
class UserTotals:
    """The events of one user, summed up.

    Attributes:
        user_id: of the user.
        events: number of all.
        first_timestamp, last_timestamp: of the events, in seconds since 1970.
        by_type: number of events of each type that occurs.
        items: number of distinct items.
        quantity: pieces bought; a purchase without a quantity counts 1.
        spent: sum of price x quantity over the purchases that have a price.
    """

    user_id: str
    events: int
    first_timestamp: float
    last_timestamp: float
    by_type: Mapping[str, int] = field(default_factory=dict)
    items: int = 0
    quantity: float = 0.0
    spent: float = 0.0


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item of the served bundle as search shows it; categories from general to specific."""

    item_id: str
    title: str | None = None
    brand: str | None = None
    categories: tuple[str, ...] = ()
    price: float | None = None
    image: str | None = None


class AssignedVariant(NamedTuple):
    """A variant of an experiment that a list was made for; `version`: of the experiment."""

    experiment: str
    version: int
    variant: str


def mark_of(experiment: str, version: int | None = None) -> str:
    """What stands in the stored details of the lists of an experiment, or of one version of it, and in no others.

    It is the beginning of an `AssignedVariant` in JSON, where quotes within texts are escaped.
    """
    return f'["{experiment}",' if version is None else f'["{experiment}",{version},"'


class ListDetails(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How a served list was made, beside bundle and model.

    Attributes:
        bundle: name of the bundle.
        scenario: where the list is shown; None: the request did not say.
        variants: of the experiments that the user is in, one for each.
        unit: what those experiments assigned the user by; None: the user's own id, or no experiment.
        undelivered: keys of experiments whose variant could not be delivered: the list is as without them.
        sources: of each item, the first source that proposed it.
        propensities: of each item the chance that it was drawn for its place, given those before it; empty: the order
            was not drawn.
        teams: of each item the variant that brought it into an interleaved list; empty: not interleaved.
        fallback: why popular items fill the list up, or are all of it; None: they do not.
        asked: the model that was asked for, where popular items are all of the list; None: the list's own.
        personal: items of the list that are not such.
        explain: whether the items said why they are there.
        history: interactions that the list was made of.
        offset: items before the first one of this page.
        brands: distinct brands among the items; an item without one counts as one of its own.
        rules_version: number of changes of the shop's rules that the list obeys; None: no rule is in force.
        milliseconds: from the request's arrival to its answer.
    """

    bundle: str = ""
    scenario: str | None = None
    variants: tuple[AssignedVariant, ...] = ()
    unit: str | None = None
    undelivered: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    propensities: tuple[float, ...] = ()
    teams: tuple[str, ...] = ()
    fallback: str | None = None
    asked: str | None = None
    personal: int = 0
    explain: Literal["none", "cheap"] = "none"
    history: int = 0
    offset: int = 0
    brands: int = 0
    rules_version: int | None = None
    milliseconds: float = 0.0


class Served(NamedTuple):
    """A served list: which items were shown to whom, by which version of a bundle.

    Attributes:
        request_id: id of the request.
        user_id: the user; None for an anonymous session.
        timestamp: when the list was served, in seconds since 1970.
        bundle_version: version of the bundle that made the list.
        model: name of the model that made the list: the one that was asked for, or popularity where that had nothing.
        item_ids: the items in the order shown.
        scores: scores of the items; empty where there are none.
        recommendation_id: names the list; events say which one they follow. None of lists before schema 0007.
        details: how it was made; None of lists before schema 0007.
    """

    request_id: str
    user_id: str | None
    timestamp: float
    bundle_version: str
    model: str
    item_ids: tuple[str, ...]
    scores: tuple[float, ...] = ()
    recommendation_id: str | None = None
    details: ListDetails | None = None


class BlurbKey(NamedTuple):
    """What a blurb is of.

    Attributes:
        item_id: of the item.
        bundle_version: name and version of the bundle whose facts it tells.
        prompt_version: name of what else it follows from: prompts, model, strings and settings of texts.
        language: of text and numbers.
    """

    item_id: str
    bundle_version: str
    prompt_version: str
    language: str


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Size of the store; `last_event` is the latest time of an event in seconds since 1970, None without events."""

    events: int
    users: int
    items: int
    last_event: float | None


def check_key(value: str, name: str) -> None:
    """Stop where `value` cannot be stored as the id of an item of a bundle, which may be older than the rules of ids.

    Raises:
        InvalidRecord: it is no text, empty, too long, or holds NUL or a lone surrogate.
    """
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_ID_CHARS or _UNSTORABLE.search(value):
        raise invalid_record(name, f"1 to {MAX_ID_CHARS} characters, none of them NUL or a lone surrogate", value)


def is_storable(value: str) -> bool:
    """Whether a database can hold the text at all; an id that it cannot hold is in no row."""
    return not _UNSTORABLE.search(value)


def storable(value: str) -> str:
    """The text with U+FFFD for each character that a database cannot hold."""
    if value.isascii() and "\0" not in value:  # nearly always, and much faster to tell
        return value
    return _UNSTORABLE.sub("\ufffd", value)


def finite(value: float | None) -> float | None:
    """The number; None for NaN and infinity."""
    return value if value is not None and math.isfinite(value) else None


def invalid_record(name: str, expected: str, got: object) -> InvalidRecord:
    """The error of a value, called `name`, that cannot be stored."""
    text = ascii(got)
    shown = text if len(text) <= 60 else text[:57] + "..."
    return InvalidRecord(f"{expected} as {name}", shown, "correct the record; nothing of the call was stored")
