"""Users as the bundle and the store know them together: a listing and profiles."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable

from recsys.histories.live_histories import LiveHistories
from recsys.histories.reading import StoreState
from recsys.store import StoreUnavailable, UserRow
from recsys.store.paging import decode, encode
from serve.bundles.loaded import LoadedBundle
from serve.store.link import StoreLink
from serve.times import time_text
from serve.users.answers import Favourite, ProfileResponse, SpendingResponse, Totals, UsersResponse
from serve.users.answers import UserRow as ListedUser
from serve.users.history import history_items, records_of

FAVOURITES = 5
LISTING = "users"


def list_users(
    loaded: LoadedBundle, live: LiveHistories, link: StoreLink | None, cursor: str | None, limit: int, query: str = ""
) -> UsersResponse:
    """A page of the users of the bundle and the store whose ids begin with `query`, ordered by their code points.

    Raises:
        InvalidCursor: it is not one that this listing gave.
    """
    after = None if cursor is None else decode(LISTING, cursor, str)[0]
    of_bundle = _bundle_users(loaded, live, after, limit + 1, query)
    of_store, state = _store_users(link, cursor, limit + 1, query)
    ids = sorted(of_bundle.keys() | of_store.keys())
    shown = ids[:limit]
    users = []
    for user_id in shown:
        events = of_store.get(user_id)
        users.append(
            ListedUser(
                user_id=user_id,
                interactions=of_bundle.get(user_id, 0),
                live_events=events.events if events else 0,
                last_event_at=time_text(events.last_timestamp) if events else None,
            )
        )
    more = encode(LISTING, [shown[-1]]) if len(ids) > limit else None
    return UsersResponse(users=users, next_cursor=more, store=state)


def _bundle_users(
    loaded: LoadedBundle, live: LiveHistories, after: str | None, limit: int, query: str
) -> dict[str, int]:
    """Interactions of the next users of the bundle, without those of whom nothing is left."""
    found: dict[str, int] = {}
    lengths = loaded.bundle.histories.lengths
    while len(found) < limit:
        part = loaded.bundle.catalogue.users_after(after, limit, query)
        for user_id, row in part:
            if not live.ownership.concerns(user_id):
                found[user_id] = int(lengths[row])
            elif (history := live.in_bundle(user_id)) is not None:
                found[user_id] = len(history.items)
        if len(part) < limit:
            break
        after = part[-1][0]
    return dict(list(found.items())[:limit])


def _store_users(
    link: StoreLink | None, cursor: str | None, limit: int, query: str
) -> tuple[dict[str, UserRow], StoreState]:
    if link is None:
        return {}, "off"
    try:
        # A cursor of this listing is one of the store's.
        return {row.user_id: row for row in link.queries.users(cursor, limit, query).rows}, "live"
    except StoreUnavailable:
        return {}, "unavailable"


def profile(
    loaded: LoadedBundle, live: LiveHistories, link: StoreLink | None, user_id: str, limit: int
) -> ProfileResponse | None:
    """What the bundle and the store say of a user; None if neither has heard of the user.

    Raises:
        StoreUnavailable: the bundle has not, and the store, which may have, does not answer.
    """
    user = live.of([user_id], time.time())
    if not user.known[0]:
        if user.store == "unavailable":
            raise StoreUnavailable("a store that answers", "none", "try again in a moment; the bundle has no such user")
        return None
    history = user.queries.histories
    rows = history.items.tolist()
    records = records_of(loaded, history)
    spending = loaded.rule_base.spending
    spent = spending.mean_prices(history)[0]
    brands = _favourites((records[row].brand for row in rows), len(rows))
    categories = _favourites((name for row in rows for name in dict.fromkeys(records[row].categories)), len(rows))
    return ProfileResponse(
        user_id=user_id,
        store=user.store,
        interactions=len(rows),
        history=history_items(loaded, history.last(limit), records, live.types_of(user.events.get(user_id, ())))[::-1],
        totals=_totals(link, user_id),
        favourite_brands=brands,
        favourite_categories=categories,
        spending=SpendingResponse(
            mean_price=None if math.isnan(spent) else float(str(spent)),  # 17.56, not 17.559999465942383
            segment=spending.segment(spent),
            quartiles=spending.quartiles.tolist(),
        ),
        bundle=loaded.info,
    )


def _favourites(names: Iterable[str | None], items: int) -> list[Favourite]:
    counts = Counter(name for name in names if name)
    return [Favourite(name=name, items=count, share=count / items) for name, count in counts.most_common(FAVOURITES)]


def _totals(link: StoreLink | None, user_id: str) -> Totals | None:
    try:
        totals = link.queries.user_totals(user_id) if link else None
    except StoreUnavailable:
        return None
    if totals is None:
        return None
    return Totals(events=totals.events, by_type=dict(totals.by_type), purchased=totals.quantity, spent=totals.spent)
