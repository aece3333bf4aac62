"""What every store does with live users, whatever its database: attributes, tombstones, aliases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from recsys.core.persons import Alias, hash_of
from recsys.store import Appended, InvalidRecord, PersonConflict, Served, Store
from tests.support.databases import event, patient, seen

pytest_plugins = "tests.support.store_fixtures"


def served(user_id: str | None, timestamp: float = 1000.0) -> Served:
    return Served("r", user_id, timestamp, "v", "full", ("i1",), (0.5,))


def events_of(store: Store, *user_ids: str) -> dict[str, list[str]]:
    found = store.events_of(user_ids, limit=100)
    return {user_id: [one.event_id for one in events] for user_id, events in found.items()}


def seen_by(store: Store, *user_ids: str) -> dict[str, list[str]]:
    found = {user_id: store.live_users.export(user_id).list_events() for user_id in user_ids}
    return {user_id: [one.event_id for part in parts for one in part] for user_id, parts in found.items()}


def served_to(store: Store) -> list[str | None]:
    return sorted(one.user_id or "" for one in store.served(0, 1e9))


def counts(store: Store) -> dict[str, tuple[int, float, float]]:
    return {row.user_id: (row.events, row.first_timestamp, row.last_timestamp) for row in store.users(None, 99).rows}


def test_a_new_store_knows_of_nobody(store: Store) -> None:
    assert store.live_users.version() == 0
    assert not store.live_users.persons()
    assert store.live_users.attributes_of("u") is None
    assert store.live_users.attributes_of("u\0") is None


def test_attributes_are_kept_with_consent_alone(store: Store) -> None:
    said = {"age": 41.0, "city": "Łódź 😀", "vip": True, "sizes": ("M", "L")}
    kept, before = store.live_users.put("u", said, consent=True, who="shop\0", timestamp=5.0)
    assert before is None
    assert store.live_users.attributes_of("u") == kept
    assert (kept.attributes, kept.consent, kept.updated_at, kept.updated_by) == (said, True, 5.0, "shop\ufffd")
    other, before = store.live_users.put("u", {"age": 42.0}, consent=True, who=None, timestamp=6.0)
    assert before == kept
    assert store.live_users.attributes_of("u") == other
    none, before = store.live_users.put("u", {"age": 43.0}, consent=False, who=None, timestamp=7.0)
    assert before == other
    assert store.live_users.attributes_of("u") == none
    assert (none.attributes, none.consent) == ({}, False)
    assert store.live_users.version() == 0, "nobody was forgotten or merged"


@pytest.mark.parametrize("attributes", [{"a": "\0"}, {"a\ud800": 1.0}, {"a": ("x", "\ud800")}, {"a": "x" * 65_536}])
def test_attributes_that_cannot_be_kept_are_refused(store: Store, attributes: dict[str, object]) -> None:
    with pytest.raises(InvalidRecord):
        store.live_users.put("u", attributes, consent=True, who=None, timestamp=1.0)
    assert store.live_users.attributes_of("u") is None


def test_who_is_forgotten_leaves_nothing_but_a_tombstone(store: Store) -> None:
    store.append([event(n, user_id="u" if n < 3 else "v") for n in range(5)], [seen(1), seen(2), seen(3, user_id="v")])
    store.add_served([served("u"), served("u"), served("v"), served(None)])
    store.live_users.put("u", {"age": 41.0}, consent=True, who=None, timestamp=5.0)
    done = store.live_users.forget("u", 2000.0)
    assert done == (2000.0, 3, 2, 1, 0, (), 2)
    assert events_of(store, "u", "v") == {"u": [], "v": ["e3", "e4"]}
    assert counts(store) == {"v": (2, 1003.0, 1004.0)}
    assert served_to(store) == ["", "v"]
    assert seen_by(store, "u", "v") == {"u": [], "v": ["e3"]}
    assert store.live_users.attributes_of("u") is None
    assert dict(store.live_users.persons().tombstones) == {hash_of("u"): 2000.0}
    assert store.live_users.version() == 1
    assert store.live_users.forget("u", 3000.0) == (3000.0, 0, 0, 0, 0, (), 0)
    assert dict(store.live_users.persons().tombstones) == {hash_of("u"): 3000.0}
    assert store.live_users.forget("nobody", 3000.0) == (3000.0, 0, 0, 0, 0, (), 0)


def test_what_comes_late_of_a_forgotten_person_is_let_go(store: Store) -> None:
    store.live_users.forget("u", 2000.0)
    late = [event(1, user_id="u", timestamp=1999.0), event(2, user_id="u", timestamp=2000.0)]
    new = event(3, user_id="u", timestamp=2000.5)
    assert store.append([*late, new, event(4, user_id="v", timestamp=1.0), new]) == Appended(2, 1, 2)
    assert store.append(late) == Appended(0, 0, 2)
    assert store.append([], [seen(1, timestamp=2000.0), seen(2, timestamp=2000.5), seen(2)]) == Appended(1, 1, 1)
    assert seen_by(store, "u") == {"u": ["e2"]}
    assert events_of(store, "u", "v") == {"u": ["e3"], "v": ["e4"]}
    store.add_served([served("u", 1999.0), served("u", 2003.0), served("v", 1.0)])
    assert served_to(store) == ["u", "v"]
    store.add_served([served("u", 2001.5)])  # of a worker that may not have known it
    assert served_to(store) == ["u", "v"]


def test_what_an_id_did_becomes_a_users(store: Store) -> None:
    store.append([event(n, user_id="anon" if n < 3 else "u") for n in range(5)], [seen(1, user_id="anon"), seen(2)])
    store.add_served([served("anon"), served("u")])
    store.live_users.put("anon", {"age": 41.0}, consent=True, who=None, timestamp=5.0)
    assert store.live_users.merge("u", "anon", 2000.0) == (2000.0, 3, 1, 0, 1)
    assert events_of(store, "u", "anon") == {"u": ["e0", "e1", "e2", "e3", "e4"], "anon": []}
    assert counts(store) == {"u": (5, 1000.0, 1004.0)}
    assert served_to(store) == ["u", "u"]
    assert seen_by(store, "u", "anon") == {"u": ["e1", "e2"], "anon": []}
    assert store.append([], [seen(3, user_id="anon", timestamp=1500.0), seen(4, user_id="anon", timestamp=2001.0)])
    assert seen_by(store, "u", "anon") == {"u": ["e1", "e2", "e3"], "anon": ["e4"]}
    assert store.live_users.attributes_of("anon") is None
    assert list(store.live_users.persons().aliases) == [Alias("anon", "u", -1.0, 2000.0)]
    late, later = event(7, user_id="anon", timestamp=1500.0), event(8, user_id="anon", timestamp=2001.0)
    assert store.append([late, later]) == Appended(2, 0)
    assert events_of(store, "u", "anon") == {"u": ["e0", "e1", "e2", "e3", "e4", "e7"], "anon": ["e8"]}
    assert store.live_users.merge("u", "anon", 3000.0) == (3000.0, 1, 0, 0, 1)
    assert list(store.live_users.persons().aliases) == [Alias("anon", "u", -1.0, 3000.0)]
    assert store.live_users.merge("u", "anon", 3000.0) == (3000.0, 0, 0, 0, 0)


def test_a_device_may_be_shared(store: Store) -> None:
    store.append([event(1, user_id="device", timestamp=100.0)])
    store.live_users.merge("ann", "device", 200.0)
    store.append([event(2, user_id="device", timestamp=300.0)])
    store.live_users.merge("bob", "device", 400.0)
    assert events_of(store, "ann", "bob", "device") == {"ann": ["e1"], "bob": ["e2"], "device": []}
    persons = store.live_users.persons()
    assert [persons.user_of("device", at) for at in (0.0, 200.0, 200.5, 400.0, 401.0)] == [
        *("ann", "ann", "bob", "bob", "device")
    ]
    store.live_users.forget("bob", 500.0)
    persons = store.live_users.persons()
    assert [persons.user_of("device", at) for at in (0.0, 200.0, 200.5, 400.0, 401.0)] == [
        *("ann", "ann", None, None, "device")
    ]
    assert store.append([event(3, user_id="device", timestamp=350.0)]) == Appended(0, 0, 1)


def test_chains_end_with_the_last(store: Store) -> None:
    store.append([event(1, user_id="a"), event(2, user_id="b"), event(3, user_id="c")])
    store.live_users.merge("b", "a", 2000.0)
    assert store.live_users.merge("c", "b", 3000.0) == (3000.0, 2, 0, 1, 0)
    assert events_of(store, "a", "b", "c") == {"a": [], "b": [], "c": ["e1", "e2", "e3"]}
    persons = store.live_users.persons()
    assert [persons.user_of(one, 1500.0) for one in "abc"] == ["c", "c", "c"]
    assert [persons.user_of(one, 2500.0) for one in "abc"] == ["a", "c", "c"]
    done = store.live_users.forget("c", 4000.0)
    assert (done.events, done.aliases) == (3, 2)
    persons = store.live_users.persons()
    assert [persons.user_of(one, 1500.0) for one in "abc"] == [None, None, None]
    assert list(persons.aliases) == []


def test_ids_that_cannot_be_one_persons_are_refused(store: Store) -> None:
    store.live_users.merge("u", "anon", 1000.0)
    for user_id, from_id in (("u", "u"), ("anon", "u"), ("anon", "other")):
        with pytest.raises(PersonConflict):
            store.live_users.merge(user_id, from_id, 2000.0)
    store.live_users.forget("gone", 2000.0)
    with pytest.raises(PersonConflict, match="who was forgotten"):
        store.live_users.merge("gone", "anon", 3000.0)
    assert store.live_users.version() == 2, "nothing was changed"
    store.live_users.put("gone", {}, consent=False, who=None, timestamp=3000.0)
    assert store.live_users.merge("gone", "anon", 3000.0).aliases == 0
    with pytest.raises(InvalidRecord):
        store.live_users.merge("u", "\0", 2000.0)
    with pytest.raises(InvalidRecord):
        store.live_users.forget("", 2000.0)


def test_who_was_forgotten_as_somebody_elses_past_is_named(store: Store) -> None:
    store.append([event(1, user_id="device")])
    store.live_users.merge("u", "device", 2000.0)
    assert store.live_users.forget("device", 3000.0).merged_into == ("u",)
    assert events_of(store, "u") == {"u": ["e1"]}
    assert store.live_users.persons().user_of("device", 1500.0) == "u"
    assert store.live_users.persons().user_of("device", 2500.0) is None
    store.live_users.merge("u", "device", 4000.0)
    persons = store.live_users.persons()
    assert [persons.user_of("device", at) for at in (1500.0, 2500.0, 3500.0)] == ["u", None, "u"]


def test_nothing_of_a_forgotten_person_is_written_meanwhile(store_url: str) -> None:
    """Whatever is under way when a person is forgotten, nothing of before is found afterwards."""
    with patient(store_url) as store:
        store.upgrade()
        stop = threading.Event()

        def append(worker: int) -> None:
            number = 0
            while not stop.is_set():
                number += 1
                name = f"{worker}-{number}"
                store.append(
                    [event(user_id="u", event_id=name), event(user_id="v", event_id=f"v{name}")], [seen(number)]
                )
                store.add_served([served("u"), served("v")])

        with ThreadPoolExecutor(3) as pool:
            working = [pool.submit(append, worker) for worker in range(3)]
            while not store.events_of(["u"], limit=1)["u"]:
                pass
            for _ in range(3):
                store.live_users.forget("u", 5000.0)
                assert events_of(store, "u") == seen_by(store, "u") == {"u": []}
            stop.set()
            for one in working:
                one.result()
        assert events_of(store, "u") == {"u": []}
        assert set(served_to(store)) == {"v"}
        assert counts(store).keys() == {"v"}
        (row,) = store.users(None, 9).rows
        assert row.events == sum(len(part) for part in store.all_events())


def test_all_attributes_are_read_in_parts_in_the_order_of_the_ids(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.store.live_users.ROWS_AT_ONCE", 2)
    for user_id in ("b", "é", "a", "B"):
        store.live_users.put(user_id, {"age": 3}, consent=user_id != "a", who=None, timestamp=1)
    said = list(store.live_users.all_attributes())
    assert [(each.user_id, dict(each.attributes), each.consent) for each in said] == [
        ("B", {"age": 3}, True),
        ("a", {}, False),
        ("b", {"age": 3}, True),
        ("é", {"age": 3}, True),
    ]


def test_all_of_a_user_is_read_in_parts(store: Store) -> None:
    numbers = range(2500)
    store.append([event(n, user_id="u" if n % 5 else "v", timestamp=float(n // 100)) for n in reversed(numbers)])
    store.append([], [seen(n, user_id="u" if n % 2 else "v") for n in numbers])
    store.add_served([served("u" if n % 2 else "v", float(n)) for n in numbers])
    store.live_users.merge("u", "anon", 3000.0)
    kept = store.live_users.export("u")
    events = [one for part in kept.events() for one in part]
    assert sorted(one.event_id for one in events) == sorted(f"e{n}" for n in numbers if n % 5)
    assert [one.timestamp for one in events] == sorted(one.timestamp for one in events)
    assert [one.timestamp for part in kept.served() for one in part] == [float(n) for n in numbers if n % 2]
    assert {one for part in kept.list_events() for one in part} == {seen(n) for n in numbers if n % 2}
    assert kept.aliases() == store.live_users.export("anon").aliases() == [Alias("anon", "u", -1.0, 3000.0)]
    nobody = store.live_users.export("\0")
    assert [*nobody.events(), *nobody.list_events(), *nobody.served(), *nobody.aliases()] == []
