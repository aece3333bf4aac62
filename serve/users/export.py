"""All that is kept of a person, as one JSON document that is written as it is read: it may be long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TypeVar

import msgspec

from recsys.core.persons import Alias
from recsys.store import Event, ListEvent, Served
from serve.answers import Answer
from serve.bundles.loaded import LoadedBundle
from serve.parts import Parts
from serve.store.link import StoreLink
from serve.times import now_text, time_text
from serve.users.history import history_items, records_of
from serve.users.kept import shown
from serve.users.kept_answers import ExportedAlias, ExportedEvent, ExportedList, ExportedListEvent, ExportHead

T = TypeVar("T")
_encode = msgspec.json.Encoder().encode


def export(parts: Parts, loaded: LoadedBundle, link: StoreLink, user_id: str) -> Iterator[bytes] | None:
    """The document in parts; None: nothing is kept of such a person.

    What is short is read before this returns. Where the store fails later, the document is cut off, and is no JSON.

    Raises:
        StoreUnavailable: the store is down.
    """
    live_users = link.queries.live_users
    said, kept = live_users.attributes_of(user_id), live_users.export(user_id)
    history = parts.histories.of(loaded).in_bundle(user_id)
    aliases = kept.aliases()
    events, some_events = _looked_into(kept.events())
    list_events, some_list_events = _looked_into(kept.list_events())
    served, some_served = _looked_into(kept.served())
    if not (said or aliases or some_events or some_list_events or some_served or history is not None):
        return None
    head = ExportHead(
        user_id=user_id,
        generated_at=now_text(),
        bundle=loaded.info,
        consent=None if said is None else said.consent,
        attributes={} if said is None else shown(said),
        updated_at=None if said is None else time_text(said.updated_at),
        aliases=[_alias(alias) for alias in aliases],
        assigned_as=kept.units(),
        history=[] if history is None else history_items(loaded, history, records_of(loaded, history)),
    )
    return _written(head, events, list_events, served)


def _written(
    head: ExportHead,
    events: Iterable[list[Event]],
    list_events: Iterable[list[ListEvent]],
    served: Iterable[list[Served]],
) -> Iterator[bytes]:
    yield _encode(head)[:-1]
    yield b',"events":['
    yield from _rows([_event(event) for event in part] for part in events)
    yield b'],"list_events":['
    yield from _rows([_list_event(event) for event in part] for part in list_events)
    yield b'],"served":['
    yield from _rows([_served(one) for one in part] for part in served)
    yield b"]}"


def _rows(parts: Iterable[list[Answer]]) -> Iterator[bytes]:
    """The entries of a list, a part at a time."""
    first = True
    for part in parts:
        yield (b"" if first else b",") + b",".join(_encode(entry) for entry in part)
        first = False


def _looked_into(parts: Iterator[list[T]]) -> tuple[Iterator[list[T]], bool]:
    """The same parts, and whether there are any."""
    first = next(parts, None)
    return (iter(()), False) if first is None else (chain([first], parts), True)


def _alias(alias: Alias) -> ExportedAlias:
    return ExportedAlias(
        alias_id=alias.alias_id,
        user_id=alias.user_id,
        since=time_text(alias.since) if alias.since >= 0 else None,
        until=time_text(alias.until) or "",
    )


def _event(event: Event) -> ExportedEvent:
    return ExportedEvent(
        event_id=event.event_id,
        item_id=event.item_id,
        event_type=event.event_type,
        at=time_text(event.timestamp),
        recommendation_id=event.recommendation_id,
        position=event.position,
        rating=event.rating,
        price=event.price,
        quantity=event.quantity,
    )


def _list_event(event: ListEvent) -> ExportedListEvent:
    return ExportedListEvent(
        event_id=event.event_id,
        item_id=event.item_id,
        event_type=event.event_type,
        at=time_text(event.timestamp),
        recommendation_id=event.recommendation_id,
        position=event.position,
        value=event.value,
    )


def _served(served: Served) -> ExportedList:
    return ExportedList(
        request_id=served.request_id,
        at=time_text(served.timestamp),
        model=served.model,
        bundle_version=served.bundle_version,
        item_ids=list(served.item_ids),
        recommendation_id=served.recommendation_id,
        details=None if served.details is None else msgspec.to_builtins(served.details),
    )
