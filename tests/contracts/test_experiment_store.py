"""What every store does with experiments and the units of their users, whatever its database."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from recsys.store import AssignedVariant, ListDetails, Served, Store, StoredExperiments, StoredText, TextConflict
from tests.support.databases import patient

pytest_plugins = "tests.support.store_fixtures"
NOTHING = StoredExperiments()


def put(store: Store, key: str, body: str = "{}", **options: Any) -> Any:
    return store.experiments.put(key, body, **{"who": "boss", "timestamp": 1.0, "most": 100, **options})


def serve(store: Store, user_id: str, at: float, key: str = "e", version: int = 1, variant: str = "a") -> None:
    details = ListDetails(scenario=f'["{key}",7,"', variants=(AssignedVariant(key, version, variant),))
    store.add_served([Served(f"r{at}", user_id, at, "v", "m", ("i",), (), f"{user_id} {at}", details)])


def units(store: Store) -> Mapping[str, Mapping[str, str]]:
    return store.experiments.follow(NOTHING).units


def test_a_new_store_holds_no_experiments(store: Store) -> None:
    assert store.experiments.version() == 0
    assert store.experiments.follow(NOTHING) is NOTHING
    assert store.experiments.changes(None, None, 9).rows == []


def test_experiments_are_kept_beside_rules(store: Store) -> None:
    store.rules.put("e", "rule", who=None, timestamp=1.0, most=9)
    assert put(store, "e", "1") == (StoredText("e", "1", 1, 1.0, "boss"), "created")
    assert put(store, "e", "2", who="ann", timestamp=2.0) == (StoredText("e", "2", 2, 2.0, "ann"), "replaced")
    assert store.experiments.follow(NOTHING) == (2, (StoredText("e", "2", 2, 2.0, "ann"),), {})
    changes = store.experiments.changes("e", None, 9).rows
    assert [(change.action, change.before, change.after) for change in changes] == [
        ("replaced", "1", "2"),
        ("created", None, "1"),
    ]
    assert store.rules.read().texts[0].body == "rule"
    with pytest.raises(TextConflict, match="experiment 'e' of version 1"):
        put(store, "e", "3", expected=1)


def test_a_body_may_follow_from_all_experiments_of_the_moment(store: Store, store_url: str) -> None:
    """Eight writers at once: each may only be there if nobody is; exactly one finds nobody."""

    def alone(texts: Mapping[str, StoredText]) -> str:
        if texts:
            raise ValueError("not alone")
        return "alone"

    def start(number: int) -> bool:
        with patient(store_url) as own:
            try:
                own.experiments.revise(f"e{number}", alone, who=None, timestamp=1.0, most=9)
            except ValueError:
                return False
            return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(start, range(8))) == 1
    assert (store.experiments.version(), len(store.experiments.read().texts)) == (1, 1)


def test_what_a_check_refuses_stays(store: Store) -> None:
    put(store, "e", "running")

    def stopped(text: StoredText) -> None:
        if text.body == "running":
            raise ValueError("it runs")

    with pytest.raises(ValueError, match="it runs"):
        store.experiments.delete("e", who=None, timestamp=2.0, check=stopped)
    assert store.experiments.version() == 1
    put(store, "e", "stopped")
    assert store.experiments.delete("e", who=None, timestamp=3.0, check=stopped) is not None
    assert store.experiments.read() == (3, ())


@pytest.mark.parametrize(
    ("lists", "unit"),
    [
        ([("anonymous", 5.0)], "anonymous"),
        ([("user", 5.0)], None),
        ([("anonymous", 5.0), ("user", 6.0)], "anonymous"),
        ([("user", 5.0), ("anonymous", 6.0)], None),
        ([], "anonymous"),  # a list that is on its way to the log is more likely that of the session
    ],
)
def test_who_was_served_first_stays_the_unit(store: Store, lists: list[tuple[str, float]], unit: str | None) -> None:
    for user_id, at in lists:
        serve(store, user_id, at)
    store.live_users.merge("user", "anonymous", 10.0, {"e": 1})
    assert units(store) == ({} if unit is None else {"e": {"user": unit}})
    store.live_users.merge("user", "anonymous", 11.0, {"e": 1})
    assert units(store) == ({} if unit is None else {"e": {"user": unit}}), "a merge may be repeated"


def test_each_experiment_has_units_of_its_own_and_its_version_alone_counts(store: Store) -> None:
    serve(store, "user", 1.0, "old", version=1)
    serve(store, "user", 2.0, "Other")
    serve(store, "user", 3.0, "mine", version=1)
    serve(store, "anonymous", 4.0, "old", version=2)
    serve(store, "anonymous", 5.0, "mine", version=1)
    serve(store, "anonymous", 6.0, "other")
    store.live_users.merge("user", "anonymous", 10.0, {"old": 2, "mine": 1, "other": 1})
    assert units(store) == {"old": {"user": "anonymous"}, "other": {"user": "anonymous"}}
    store.live_users.merge("user", "third", 11.0)
    assert units(store)["old"] == {"user": "anonymous"}, "without experiments nothing is asked"


def test_one_id_names_the_unit_in_all_experiments_of_a_layer(store: Store) -> None:
    """By one id in the one and by the other in the other, the user would be in two that are to have different users."""
    running, layers = {"e": 1, "f": 1, "g": 1}, {"e": "home", "f": "home", "g": "cart"}
    serve(store, "user", 1.0, "e")
    serve(store, "anonymous", 2.0, "f")
    store.live_users.merge("user", "anonymous", 10.0, running, layers)
    assert units(store) == {"g": {"user": "anonymous"}}
    serve(store, "session", 3.0, "f")
    serve(store, "ann", 4.0, "e")
    store.live_users.merge("ann", "session", 10.0, running, layers)
    assert {key: of["ann"] for key, of in units(store).items()} == dict.fromkeys("efg", "session")


def test_a_unit_goes_on_through_further_merges(store: Store) -> None:
    serve(store, "phone", 1.0)
    store.live_users.merge("laptop", "phone", 2.0, {"e": 1})
    serve(store, "laptop", 3.0)
    serve(store, "user", 4.0)
    store.live_users.merge("user", "laptop", 5.0, {"e": 1})
    assert units(store)["e"]["user"] == "phone", "the lists of both others are the user's now, the first one leads"


def test_units_go_with_forgetting_and_with_their_experiment(store: Store) -> None:
    put(store, "e")
    put(store, "f")
    for user, session in (("u1", "s1"), ("u2", "s2")):
        store.live_users.merge(user, session, 1.0, {"e": 1, "f": 1})
    assert units(store) == {key: {"u1": "s1", "u2": "s2"} for key in "ef"}
    version = store.experiments.version()
    store.live_users.forget("u1", 2.0)
    assert units(store) == {key: {"u2": "s2"} for key in "ef"}
    assert store.experiments.version() == version + 1, "others are to follow"
    store.live_users.forget("nobody", 2.0)
    assert store.experiments.version() == version + 1
    store.experiments.delete("e", who=None, timestamp=3.0)
    assert units(store) == {"f": {"u2": "s2"}}


def test_who_is_followed_knows_what_was_removed(store: Store) -> None:
    """What one who looks time and again knows is what one knows who looks for the first time."""
    known = store.experiments.follow(NOTHING)
    put(store, "e")

    def step() -> StoredExperiments:
        nonlocal known
        known = store.experiments.follow(known)
        assert known == store.experiments.follow(NOTHING)
        return known

    step()
    for number in range(5):
        store.live_users.merge(f"u{number}", f"s{number}", 1.0, {"e": 1})
        step()
    store.live_users.forget("u1", 2.0)
    store.live_users.merge("u9", "s9", 2.0, {"e": 1})  # as many as before, others
    assert set(step().units["e"]) == {"u0", "u2", "u3", "u4", "u9"}
    store.live_users.forget("u0", 3.0)
    store.live_users.put("u0", {}, consent=True, who=None, timestamp=4.0)
    store.live_users.merge("u0", "s8", 5.0, {"e": 1})  # a new person of that id
    assert step().units["e"]["u0"] == "s8"
    before = known
    assert store.experiments.follow(before) is before


def test_a_person_may_read_the_units(store: Store) -> None:
    store.live_users.merge("u", "s", 1.0, {"e": 1, "d": 3})
    assert store.live_users.export("u").units() == {"d": "s", "e": "s"}
    assert store.live_users.export("s").units() == store.live_users.export("\0").units() == {}
