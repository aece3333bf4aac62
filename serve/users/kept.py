"""What is kept of users: it is said, read, forgotten and merged."""

from __future__ import annotations

import time
from collections.abc import Mapping

from recsys.core.histories import Histories
from recsys.core.item_changes import FieldValue
from recsys.histories.reading import StoreState
from recsys.store import StoreUnavailable, UserAttributes
from serve.bundles.loaded import LoadedBundle
from serve.errors import NotReadyError
from serve.parts import Parts
from serve.store.link import StoreLink
from serve.times import exact_time_text
from serve.users.kept_answers import ForgottenResponse, KeptUserResponse, MergedResponse, Removed, UserResponse


def put(
    link: StoreLink, user_id: str, attributes: Mapping[str, FieldValue], *, consent: bool, who: str | None
) -> KeptUserResponse:
    """Keep what is said of a user in the place of what was; without consent nothing is.

    Raises:
        InvalidRecord: it cannot be kept.
        StoreUnavailable: the store is down.
    """
    kept, before = link.queries.live_users.put(
        user_id, dict(attributes), consent=consent, who=who, timestamp=time.time()
    )
    return KeptUserResponse(
        user_id=user_id,
        consent=kept.consent,
        attributes=shown(kept),
        deleted=sorted(set(() if before is None else before.attributes) - set(kept.attributes)),
        updated_at=exact_time_text(kept.updated_at),
    )


def user(parts: Parts, loaded: LoadedBundle, user_id: str) -> UserResponse | None:
    """What is known of a user; None: nothing.

    Raises:
        StoreUnavailable: the bundle knows nothing, and the store, which may, does not answer.
    """
    history = parts.histories.of(loaded).in_bundle(user_id)
    events, said, state = 0, None, _state(parts)
    if parts.link is not None:
        try:
            totals = parts.link.queries.user_totals(user_id)
            events = 0 if totals is None else totals.events
            said = parts.link.queries.live_users.attributes_of(user_id)
        except StoreUnavailable:
            if history is None:
                raise
            state = "unavailable"
    if history is None and not events and said is None:
        return None
    return UserResponse(
        user_id=user_id,
        consent=None if said is None else said.consent,
        attributes={} if said is None else shown(said),
        updated_at=None if said is None else exact_time_text(said.updated_at),
        interactions=_length(history),
        live_events=events,
        store=state,
    )


def forget(parts: Parts, link: StoreLink, user_id: str) -> ForgottenResponse:
    """Forget a person: in the store now, in this worker when this returns, in the others soon.

    Raises:
        StoreUnavailable: the store is down; nobody is forgotten.
    """
    before = _in_bundle(parts, user_id)
    done = link.queries.live_users.forget(user_id, time.time())
    _look(parts)
    return ForgottenResponse(
        user_id=user_id,
        forgotten_at=exact_time_text(done.timestamp),
        deleted=Removed(
            events=done.events,
            list_events=done.list_events,
            served_lists=done.served,
            attributes=bool(done.attributes),
            aliases=done.aliases,
        ),
        hidden_interactions=before,
        merged_into=list(done.merged_into),
    )


def merge(parts: Parts, link: StoreLink, user_id: str, from_id: str) -> MergedResponse:
    """Let what another id did up to now be a user's.

    Raises:
        PersonConflict: it cannot be.
        StoreUnavailable: the store is down; nothing was merged.
    """
    if parts.experiments_watch is not None:
        parts.experiments_watch.look()  # another worker may have started one since
    experiments = parts.experiments.now.experiments
    running, layers = {one.key: one.version for one in experiments}, {one.key: one.layer for one in experiments}
    done = link.queries.live_users.merge(user_id, from_id, time.time(), running, layers)
    _look(parts)
    return MergedResponse(
        user_id=user_id,
        merged=from_id,
        merged_until=exact_time_text(done.timestamp),
        events=done.events,
        list_events=done.list_events,
        served_lists=done.served,
        aliases=done.aliases,
        interactions=_in_bundle(parts, user_id),
    )


def shown(said: UserAttributes) -> dict[str, float | str | bool | list[str]]:
    """Attributes as answers show them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in said.attributes.items()
        if value is not None
    }


def _in_bundle(parts: Parts, user_id: str) -> int | None:
    """Interactions of a user in the bundle of the moment; None: there is no bundle."""
    try:
        loaded = parts.bundles.loaded
    except NotReadyError:
        return None
    return _length(parts.histories.of(loaded).in_bundle(user_id))


def _length(history: Histories | None) -> int:
    return 0 if history is None else len(history.items)


def _state(parts: Parts) -> StoreState:
    return "off" if parts.link is None else "live"


def _look(parts: Parts) -> None:
    for watch in (parts.persons_watch, parts.experiments_watch):
        if watch is not None:
            watch.look()
