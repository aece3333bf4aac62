"""What every store does, whatever its database: the same tests on SQLite and on a real PostgreSQL."""

import random
import unicodedata
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.core.events import EVENT_TYPES, EVENT_WEIGHTS
from recsys.prepare.settings import DataConfig
from recsys.store import (
    Appended,
    AssignedVariant,
    BlurbKey,
    Event,
    InvalidCursor,
    InvalidRecord,
    ItemRow,
    ItemSearch,
    ListDetails,
    Page,
    Served,
    Store,
    StoreStats,
    UserRow,
    UserTotals,
    event_log,
)
from recsys.store.paging import encode
from tests.support.databases import event, query

pytest_plugins = "tests.support.store_fixtures"

# Pairs that careless comparing or cutting would take for one: composed and decomposed, case, blanks, width, NUL's kin.
ODD_IDS = [
    "é", unicodedata.normalize("NFD", "é"), "É", "e", " e", "e ", "\uff45", "e\u200b", "\ufeffe",
    "'; DROP TABLE events; --", '"', "\\", "%", "_", "../../etc/passwd", "{}", "[1]", "null", "0", "00", "1e3",
    "日本語", "مرحبا", "😀", "👩‍👩‍👧", "\U0010ffff", "\ud7ff", "\ue000", "😀" * 512, "ß", "ẞ", "\u0131", "İ",
]  # fmt: skip
UNSTORABLE = ["", "a\0b", "e\n", "\x01", "\x85", "\0", "\ud800", "a\udfff", "x" * 513]


# Appending


def test_an_event_comes_back_as_it_was(store: Store) -> None:
    full = event(1, event_type="purchase", timestamp=1_700_000_000.123456, rating=4.5, price=19.99, quantity=3.0)
    bare = event(2, timestamp=1_700_000_001.0)
    assert store.append([full, bare]) == Appended(2, 0)
    assert store.events_of(["u"], limit=10) == {"u": [full, bare]}


def test_an_event_id_counts_once(store: Store) -> None:
    first = event(1, item_id="first")
    assert store.append([first, event(1, item_id="later in the batch"), event(2)]) == Appended(2, 1)
    assert store.append([event(1, item_id="another batch", user_id="v"), event(3)]) == Appended(1, 1)
    assert store.append([event(3)]) == Appended(0, 1)
    assert store.append([]) == Appended(0, 0)
    assert store.events_of(["u", "v"], limit=10) == {"u": [first, event(2), event(3)], "v": []}
    assert [row.events for row in store.users(None, 10).rows] == [3]


@pytest.mark.parametrize(
    "changes",
    [
        *({name: value} for name in ("event_id", "user_id", "item_id") for value in UNSTORABLE),
        *({"event_type": value} for value in ("", "VIEW", " view", "a\nb", "a\0b", "\ud800", "x" * 101)),
        *({"timestamp": value} for value in (-1.0, 2.0**33, float("nan"), float("inf"), 10**400)),
        *({name: value} for name in ("rating", "price", "quantity") for value in (float("nan"), float("inf"), 1e300)),
    ],
    ids=lambda changes: "-".join(f"{name}={ascii(value)[:12]}" for name, value in changes.items()),
)
def test_what_cannot_be_stored_is_refused_with_all_its_batch(unchanged: Store, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidRecord, match=f"{next(iter(changes))} of event 1"):
        unchanged.append([event(1), event(2, **changes)])
    assert unchanged.stats().events == 0


def test_ids_are_any_text_and_distinct_texts_stay_distinct(store: Store) -> None:
    events = [event(event_id=text, user_id=text, item_id=text, timestamp=n) for n, text in enumerate(ODD_IDS)]
    assert store.append(events) == Appended(len(ODD_IDS), 0)
    assert store.append(events) == Appended(0, len(ODD_IDS))
    assert store.events_of(ODD_IDS, limit=5) == {text: [added] for text, added in zip(ODD_IDS, events, strict=True)}
    assert [row.user_id for row in store.users(None, 100).rows] == sorted(ODD_IDS)
    for text in ODD_IDS:
        totals = store.user_totals(text)
        assert totals is not None
        assert totals.events == 1


@given(text=st.text(min_size=1, max_size=20))
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_a_text_is_refused_or_comes_back(store: Store, text: str) -> None:
    added = event(event_id=text, user_id=text, item_id=text)
    try:
        store.append([added])
    except InvalidRecord:
        assert any(unicodedata.category(char) in {"Cc", "Cs"} for char in text)
        assert store.events_of([text], limit=1) == {text: []}
    else:
        assert store.events_of([text], limit=1) == {text: [added]}


# Reading events


def test_the_latest_events_oldest_first(store: Store) -> None:
    # Appended out of order; e3 and e4 at the same time, in the order of arrival.
    for number, timestamp in [(2, 20.0), (1, 10.0), (3, 30.0), (4, 30.0), (5, 25.0)]:
        store.append([event(number, timestamp=timestamp)])
    names = lambda **options: [stored.event_id for stored in store.events_of(["u"], **options)["u"]]  # noqa: E731
    assert names(limit=10) == ["e1", "e2", "e5", "e3", "e4"]
    assert names(limit=2) == ["e3", "e4"]
    assert names(limit=1) == ["e4"]
    assert names(limit=10, until=25.0) == ["e1", "e2", "e5"]
    assert names(limit=2, until=29.9) == ["e2", "e5"]
    assert names(limit=10, until=9.9) == []
    assert names(limit=0) == []


def test_order_of_arrival_decides_within_a_batch_too(store: Store) -> None:
    batch = [event(number, event_id=name, timestamp=5.0) for number, name in enumerate("zyxabc")]
    store.append(batch)
    assert store.events_of(["u"], limit=10)["u"] == batch
    assert store.events_of(["u"], limit=2)["u"] == batch[-2:]
    assert [stored for part in store.all_events() for stored in part] == batch


def test_events_of_many_users_against_a_plain_search(store: Store) -> None:
    draw = random.Random(7)
    events = [event(n, user_id=f"u{draw.randrange(12)}", timestamp=float(draw.randrange(40))) for n in range(400)]
    for start in range(0, 400, 50):
        store.append(events[start : start + 50])
    for _ in range(25):
        asked = [f"u{draw.randrange(15)}" for _ in range(draw.randrange(1, 9))]
        until, limit = draw.choice([None, float(draw.randrange(-1, 41))]), draw.randrange(1, 30)
        expected = {}
        for user_id in asked:
            matching = [e for e in events if e.user_id == user_id and (until is None or e.timestamp <= until)]
            expected[user_id] = sorted(matching, key=lambda e: e.timestamp)[-limit:]
        assert store.events_of(asked, until=until, limit=limit) == expected


def events_of_latest_items(events: list[Event], limit: int) -> list[Event]:
    """Of those of a user, by going through them: `events` are in the order of arrival."""
    ordered = sorted(events, key=lambda e: e.timestamp)
    if len({e.item_id for e in ordered[-limit:]}) == min(limit, len(ordered)) or len(ordered) < limit:
        return ordered[-limit:]
    deep = ordered[-limit * event_log.DEPTH :]
    latest = {e.item_id: e.timestamp for e in deep}  # later ones overwrite
    items = sorted(latest, key=lambda item: (-latest[item], item))[:limit]
    last = {(e.item_id, e.event_type, e.rating is None): e for e in deep}
    return [e for e in deep if e.item_id in items and last[e.item_id, e.event_type, e.rating is None] is e]


def test_a_refreshed_page_pushes_nothing_out(store: Store) -> None:
    bought = event(0, item_id="bought", event_type="purchase", timestamp=1.0)
    store.append([bought, *(event(n, item_id="other", event_type="view", timestamp=100.0 + n) for n in range(1, 60))])
    assert store.item_events_of(["u"], limit=10)["u"] == [
        bought,
        event(59, item_id="other", event_type="view", timestamp=159.0),
    ]
    assert store.item_events_of(["u"], limit=10, until=130.0)["u"][1].timestamp == 130.0


def test_events_of_the_latest_items_against_a_plain_search(store: Store) -> None:
    draw = random.Random(3)
    events = [
        event(
            n,
            user_id=f"u{draw.randrange(6)}",
            item_id=f"i{min(draw.randrange(30), draw.randrange(30))}",
            event_type=draw.choice(["view", "view", "view", "purchase"]),
            timestamp=float(draw.randrange(200)),
            rating=draw.choice([None, None, 3.0]),
        )
        for n in range(600)
    ]
    for start in range(0, 600, 50):
        store.append(events[start : start + 50])
    cut = 0
    for _ in range(40):
        asked = [f"u{draw.randrange(7)}" for _ in range(draw.randrange(1, 6))]
        until, limit = draw.choice([None, float(draw.randrange(-1, 201))]), draw.randrange(1, 30)
        expected = {}
        for user_id in asked:
            matching = [e for e in events if e.user_id == user_id and (until is None or e.timestamp <= until)]
            expected[user_id] = events_of_latest_items(matching, limit)
            cut += len(expected[user_id]) > limit
        assert store.item_events_of(asked, until=until, limit=limit) == expected
    assert cut, "some users have items with several events"
    assert store.item_events_of(["u1"], limit=0) == {"u1": []}


def test_impossible_users_have_no_events(store: Store) -> None:
    store.append([event(1)])
    asked = [*UNSTORABLE, "u"]
    assert store.events_of(asked, limit=5) == {**{text: [] for text in UNSTORABLE}, "u": [event(1)]}
    assert store.events_of([], limit=5) == {}
    assert [store.user_totals(text) for text in UNSTORABLE] == [None] * len(UNSTORABLE)


@pytest.mark.parametrize(("name", "rows"), [("latest_events", 10), ("latest_items", 20)])
def test_the_events_of_a_user_are_found_by_the_index(store: Store, store_url: str, name: str, rows: int) -> None:
    store.append([event(n, user_id=f"u{n % 200}", item_id=f"i{n}") for n in range(2_000)])
    sqlite = store_url.startswith("sqlite")
    query(store_url, "ANALYZE")
    statement = getattr(store._database.backend, name)
    values = {"users": """'["u1", "u7"]'""" if sqlite else "'{u1,u7}'", "until": "9e9", "depth": "50"}
    values["limit"] = "5" if name == "latest_events" else "30"
    for parameter, value in values.items():
        statement = statement.replace(f":{parameter}" if sqlite else f"%({parameter})s", value)
    assert len(query(store_url, statement)) == rows
    plan = [str(row[-1]) for row in query(store_url, f"EXPLAIN {'QUERY PLAN ' * sqlite}{statement}")]
    assert any("events_user" in step for step in plan), plan
    assert not any(step.startswith("SCAN e") or "Seq Scan" in step for step in plan), plan


def test_all_events_are_as_of_one_moment_and_hold_off_no_writer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "ROWS_AT_ONCE", 100)
    store.append([event(n) for n in range(250)])
    parts = store.all_events()
    first = next(parts)
    assert store.append([event(1000)]) == Appended(1, 0)
    rest = list(parts)
    assert [stored for part in (first, *rest) for stored in part] == [event(n) for n in range(250)]
    assert [len(part) for part in (first, *rest)] == [100, 100, 50]


# Forgetting


def test_old_events_are_forgotten_from_the_first_to_arrive(store: Store) -> None:
    arrived = [("u", 10.0), ("v", 90.0), ("u", 30.0), ("w", 20.0), ("u", 80.0), ("w", 5.0)]
    events = [event(n, user_id=user, timestamp=at) for n, (user, at) in enumerate(arrived)]
    store.append(events)
    assert store.forget_events(50.0, limit=3) == 2  # the first three to arrive, but the one of v
    assert store.events_of(["u", "v", "w"], limit=9) == {
        "u": [events[4]],
        "v": [events[1]],
        "w": [events[5], events[3]],
    }
    assert store.users(None, 9).rows == [
        UserRow("u", 1, 80.0, 80.0), UserRow("v", 1, 90.0, 90.0), UserRow("w", 2, 5.0, 20.0)
    ]  # fmt: skip
    assert store.forget_events(50.0, limit=100) == 2
    assert [row.user_id for row in store.users(None, 9).rows] == ["u", "v"]
    assert store.forget_events(50.0, limit=100) == 0
    assert store.stats() == StoreStats(events=2, users=2, items=0, last_event=90.0)
    assert store.append([events[0]]) == Appended(1, 0), "what is forgotten is no duplicate"


def test_users_stay_in_step_with_what_is_forgotten(store: Store) -> None:
    chance = random.Random(3)
    events = [event(n, user_id=f"u{chance.randrange(7)}", timestamp=float(chance.randrange(200))) for n in range(120)]
    store.append(events)
    kept = events
    for before in (40.0, 90.0, 150.0):
        while store.forget_events(before, limit=len(events)):
            pass
        kept = [one for one in kept if one.timestamp >= before]
        of_user = {user: [e.timestamp for e in kept if e.user_id == user] for user in {e.user_id for e in kept}}
        expected = [UserRow(user, len(times), min(times), max(times)) for user, times in sorted(of_user.items())]
        assert store.users(None, 99).rows == expected


# Users


def test_users_page_by_page_while_others_come(store: Store) -> None:
    store.append([event(n, user_id=f"u{n:02d}", timestamp=n + 1.0) for n in range(0, 20, 2)])
    page = store.users(None, 4)
    seen = page.rows
    newcomers = iter(range(1, 20, 2))
    while page.next_cursor is not None:
        store.append([event(100 + n, user_id=f"u{n:02d}") for n in (next(newcomers), next(newcomers))])
        page = store.users(page.next_cursor, 4)
        seen += page.rows
    names = [row.user_id for row in seen]
    assert names == sorted(set(names))
    assert {f"u{n:02d}" for n in range(0, 20, 2)} <= set(names)
    assert seen[0] == UserRow("u00", 1, 1.0, 1.0)


@pytest.mark.parametrize(
    "prefix", ["", "e", "é", "0", "%", "_", "\ud7ff", "\U0010ffff", "😀" * 512, "x", "a\0", "\ud800"]
)
def test_users_whose_ids_begin_so(store: Store, prefix: str) -> None:
    store.append([event(n, user_id=name) for n, name in enumerate([*ODD_IDS, "\ud7ffx", "\U0010ffff" * 3])])
    expected = sorted(name for name in [*ODD_IDS, "\ud7ffx", "\U0010ffff" * 3] if name.startswith(prefix))
    found, cursor = [], None
    while True:
        page = store.users(cursor, 2, prefix)
        found += [row.user_id for row in page.rows]
        if (cursor := page.next_cursor) is None:
            break
    assert found == expected


def test_the_last_page_has_no_cursor(store: Store) -> None:
    assert store.users(None, 5) == Page([], None)
    store.append([event(n, user_id=f"u{n}") for n in range(4)])
    assert store.users(None, 4).next_cursor is None
    second = store.users(store.users(None, 3).next_cursor, 3)
    assert [row.user_id for row in second.rows] == ["u3"]
    assert second.next_cursor is None


def test_users_and_totals_by_hand(store: Store) -> None:
    store.append([event(1, timestamp=50.0), event(2, item_id="i1", event_type="click", timestamp=40.0)])
    store.append(
        [
            event(3, event_type="purchase", price=10.0, quantity=3.0, timestamp=60.0),
            event(4, event_type="purchase", price=2.5, timestamp=45.0),
            event(5, event_type="purchase", quantity=4.0, timestamp=46.0),
            event(6, user_id="v", timestamp=1.0),
        ]
    )
    assert store.users(None, 10).rows == [UserRow("u", 5, 40.0, 60.0), UserRow("v", 1, 1.0, 1.0)]
    assert store.user_totals("u") == UserTotals(
        user_id="u",
        events=5,
        first_timestamp=40.0,
        last_timestamp=60.0,
        by_type={"click": 1, "purchase": 3, "view": 1},
        items=4,  # i1 twice
        quantity=8.0,  # 3 + 1 + 4
        spent=32.5,  # 3 * 10 + 2.5; the last has no price
    )
    assert store.user_totals("nobody") is None
    assert store.stats() == StoreStats(events=6, users=2, items=0, last_event=60.0)


CURSORS = ["", "x", "WyJ1c2VycyJd", "null", "ä", "a\0", "=" * 50, "W10", "WyJ1c2VycyIsMV0", "[" * 5000, "\ud800"]


@pytest.mark.parametrize("cursor", CURSORS, ids=range(len(CURSORS)))
def test_a_cursor_of_ones_own_making_is_refused(unchanged: Store, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        unchanged.users(cursor, 5)
    with pytest.raises(InvalidCursor):
        unchanged.search_items(ItemSearch(), cursor, 5)


def test_a_cursor_to_an_id_that_no_store_holds(store: Store) -> None:
    """Those who list other users too, by the same cursors, may have such ids."""
    store.append([event(n, user_id=name) for n, name in enumerate(["a", "a!", "ab", "b"])])
    page = store.users(encode("users", ["a\0z"]), 10)
    assert [row.user_id for row in page.rows] == ["a!", "ab", "b"]
    store.put_items([ItemRow("x"), ItemRow("y")], "v1")
    assert store.search_items(ItemSearch(), encode("items", [0, "a\0"]), 10).rows == [ItemRow("y")]


def test_a_cursor_of_another_listing_is_refused(store: Store) -> None:
    store.append([event(n, user_id=f"u{n}") for n in range(3)])
    with pytest.raises(InvalidCursor, match="listing of items"):
        store.search_items(ItemSearch(), store.users(None, 1).next_cursor, 5)


# The views


def test_the_weighted_matrix_by_hand(store: Store, store_url: str) -> None:
    kinds = [("u", "a", "view"), ("u", "a", "view"), ("u", "a", "purchase"), ("u", "b", "click"), ("v", "a", "rating")]
    kinds += [("v", "b", "add_to_cart")]
    store.append([event(n, user_id=u, item_id=i, event_type=kind, timestamp=n) for n, (u, i, kind) in enumerate(kinds)])
    rows = query(
        store_url, "SELECT user_id, item_id, weight, events, last_timestamp FROM user_item_weights ORDER BY 1, 2"
    )
    assert rows == [("u", "a", 7.0, 3, 2.0), ("u", "b", 2.0, 1, 3.0), ("v", "a", 5.0, 1, 4.0), ("v", "b", 3.0, 1, 5.0)]


def test_the_view_weighs_as_preparation_does(store: Store, store_url: str) -> None:
    store.append([event(n, item_id=kind, event_type=kind) for n, kind in enumerate(EVENT_TYPES)])
    weights = dict(query(store_url, "SELECT item_id, weight FROM user_item_weights"))
    assert weights == EVENT_WEIGHTS
    default = DataConfig.model_fields["event_weights"].default
    assert {kind: weights[kind] for kind in default} == default


def test_purchases(store: Store, store_url: str) -> None:
    store.append(
        [
            event(1, event_type="purchase", price=2.5, quantity=4.0),
            event(2, event_type="purchase", price=3.0),
            event(3, event_type="purchase"),
            event(4, price=9.0),
        ]
    )
    rows = query(store_url, "SELECT event_id, price, quantity, amount FROM purchases ORDER BY event_id")
    assert rows == [("e1", 2.5, 4.0, 10.0), ("e2", 3.0, 1.0, 3.0), ("e3", None, 1.0, None)]


# In the order of arrival


def test_what_arrived_before_all_that_stays_goes(store: Store) -> None:
    """Times by hand; to be kept: from 50 on. 900 is of a clock that was ahead, 10 behind 60 of one that was behind."""
    times = [10.0, 900.0, 20.0, 30.0, 60.0, 10.0, 70.0]
    store.append([event(n, timestamp=at) for n, at in enumerate(times)])
    assert store.latest_events(3) == [70.0, 10.0, 60.0]
    assert store.forget_events(50.0, limit=2, until=100.0) == 1, "nothing after the one of the future is known yet"
    assert store.forget_events(50.0, limit=3, until=100.0) == 3
    assert store.forget_events(50.0, limit=9, until=100.0) == 0
    assert [one.event_id for batch in store.all_events() for one in batch] == ["e4", "e5", "e6"]
    assert store.users(None, 9).rows == [UserRow("u", 3, 10.0, 70.0)]
    assert store.forget_events(65.0, limit=9, until=100.0) == 2
    assert store.forget_events(1000.0, limit=9, until=2000.0) == 1
    assert store.stats().events == 0


def test_records_of_what_was_shown_go_in_the_same_order(store: Store) -> None:
    times = [10.0, 900.0, 20.0, 60.0, 10.0]
    store.add_served([Served(str(n), "u", at, "v", "m", ("a",)) for n, at in enumerate(times)])
    assert store.latest_served(2) == [10.0, 60.0]
    assert store.forget_served(50.0, limit=9, until=100.0) == 3
    assert sorted(row.request_id for row in store.served(0, 1000)) == ["3", "4"]


def test_a_served_list_counts_once_however_often_it_is_recorded(store: Store) -> None:
    details = ListDetails("shop", "cart", (AssignedVariant("e", 2, "b"),), propensities=(0.5,), brands=1)
    one = Served("r", "u", 10.0, "v", "m", ("a",), (0.5,), "a" * 32, details)
    other = one._replace(recommendation_id="b" * 32, details=None)
    store.add_served([one])
    store.add_served([one._replace(model="again"), other, other])
    store.add_served([Served("r", "u", 20.0, "v", "m", ())] * 2)  # of before lists had ids
    assert list(store.served(0, 15)) == [one, other]
    assert len(list(store.served(15, 25))) == 2


# Blurbs


BLURB = BlurbKey("item", "shop/2024-01-01", "p1", "en")


def test_a_blurb_is_kept_under_its_whole_key(store: Store) -> None:
    assert store.blurb(BLURB) is None
    store.keep_blurb(BLURB, "By Arganics.", 10.0)
    assert store.blurb(BLURB) == "By Arganics."
    for name in BlurbKey._fields:
        assert store.blurb(BLURB._replace(**{name: "other"})) is None, name
        store.keep_blurb(BLURB._replace(**{name: "other"}), name, 11.0)
    for name in BlurbKey._fields:
        assert store.blurb(BLURB._replace(**{name: "other"})) == name
    assert store.blurb(BLURB) == "By Arganics."


def test_the_first_blurb_under_a_key_stays(store: Store) -> None:
    store.keep_blurb(BLURB, "first", 10.0)
    store.keep_blurb(BLURB, "later", 20.0)
    assert store.blurb(BLURB) == "first"
    assert store.latest_blurbs(9) == [10.0]


def test_blurbs_of_any_ids_and_texts(store: Store) -> None:
    for item_id in ODD_IDS:
        store.keep_blurb(BLURB._replace(item_id=item_id), item_id, 1.0)
    assert [store.blurb(BLURB._replace(item_id=item_id)) for item_id in ODD_IDS] == ODD_IDS
    for item_id in ("a\0b", "\ud800"):
        store.keep_blurb(BLURB._replace(item_id=item_id), "lost", 1.0)
        assert store.blurb(BLURB._replace(item_id=item_id)) is None
    store.keep_blurb(BLURB._replace(item_id="nul"), "a\0b\ud800", 1.0)
    assert store.blurb(BLURB._replace(item_id="nul")) == "a\ufffdb\ufffd"


def test_old_blurbs_go_in_the_order_of_arrival(store: Store) -> None:
    """As served lists do, see above."""
    keys = [BLURB._replace(item_id=str(n)) for n in range(5)]
    for key, at in zip(keys, [10.0, 900.0, 20.0, 60.0, 10.0], strict=True):
        store.keep_blurb(key, "text", at)
    assert store.latest_blurbs(2) == [10.0, 60.0]
    assert store.forget_blurbs(50.0, limit=9, until=100.0) == 3
    assert [store.blurb(key) for key in keys] == [None, None, None, "text", "text"]
    assert store.forget_blurbs(50.0, limit=1) == 1
    assert store.blurb(keys[4]) is None
