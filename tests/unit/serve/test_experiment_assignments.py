"""Which variants users get over HTTP, and keep: through versions, and when they log in."""

from fastapi.testclient import TestClient

from recsys.experiments.experiment import BUCKETS
from recsys.store import AssignedVariant, ListDetails, Served
from serve.server import Server
from tests.support.experiments_over_http import assignment, define, start, taken
from tests.support.waiting import eventually

pytest_plugins = "tests.support.experiment_fixtures"
URL = "/experiments/e"


def test_users_are_told_their_variant_and_why(shop: TestClient) -> None:
    define(shop, traffic=0.5)
    before = assignment(shop, "user1")
    assert (before["variant"], before["reason"], before["unit"]) == (None, "not_running", "user1")
    taken(shop.post(f"{URL}/start"))
    told = {}
    for number in range(100):
        answer = assignment(shop, f"u{number}")
        inside = answer["bucket"] < BUCKETS // 2
        assert answer["reason"] == ("assigned" if inside else "other_bucket")
        assert (answer["variant"] is not None) == inside
        told[f"u{number}"] = answer["variant"]
    assert set(told.values()) == {None, "old", "new"}
    taken(shop.post(f"{URL}/stop"))
    taken(shop.post(f"{URL}/start"))
    again = {name: assignment(shop, name)["variant"] for name in told}
    assert [name for name in told if (told[name] is None) != (again[name] is None)] == [], "buckets stay"
    assert again != told, "another version assigns anew"


def test_the_same_salt_assigns_the_same(shop: TestClient) -> None:
    start(shop, salt="kept")
    told = [assignment(shop, f"u{number}")["variant"] for number in range(50)]
    taken(shop.post(f"{URL}/stop"))
    assert taken(shop.post(f"{URL}/start"))["experiment"]["version"] == 2
    assert [assignment(shop, f"u{number}")["variant"] for number in range(50)] == told


def test_who_logs_in_keeps_the_variant_of_before(served: tuple[TestClient, Server]) -> None:
    shop, server = served
    start(shop)
    session = next(name for name in map(str, range(50)) if assignment(shop, name)["variant"] == "new")
    user = next(f"user{n}" for n in range(50) if assignment(shop, f"user{n}")["variant"] == "old")
    details = ListDetails(variants=(AssignedVariant("e", 1, "new"),))
    assert server.parts.link is not None
    server.parts.link.store.add_served([Served("r", session, 1e9, "v", "m", ("i",), (), "x" * 32, details)])
    taken(shop.post(f"/users/{user}/merge", json={"from": session}))
    answer = assignment(shop, user)
    assert (answer["variant"], answer["unit"]) == ("new", session)
    assert taken(shop.get(f"/users/{user}/export"))["assigned_as"] == {"e": session}
    taken(shop.delete(f"/users/{user}"))
    assert assignment(shop, user)["variant"] == "old", "a new person of that id"


def variant_of_list(shop: TestClient, user_id: str) -> str:
    """The variant that a list of a user was made for, which is logged some time later."""
    (told,) = taken(shop.get(f"/recommendations/{user_id}", params={"k": 3}))["experiments"]
    variant: str = told["variant"]
    return variant


def logged(server: Server, lists: int) -> None:
    """Wait until so many lists are in the log."""
    assert server.parts.link is not None
    store = server.parts.link.store
    eventually(lambda: len(list(store.served(0, 1e10))) == lists)


def test_lists_before_and_after_a_login_are_of_one_variant(served: tuple[TestClient, Server]) -> None:
    """A session that was served first, one whose list is on its way to the log, one that came after the user."""
    shop, server = served
    start(shop)
    sessions: dict[str, list[str]] = {"old": [], "new": []}
    for number in range(40):
        sessions[assignment(shop, f"s{number}")["variant"]].append(f"s{number}")
    users = [f"user{n}" for n in range(50) if assignment(shop, f"user{n}")["variant"] == "old"]
    first, hurried, late = sessions["new"][:3]

    assert variant_of_list(shop, first) == "new"
    logged(server, 1)
    taken(shop.post(f"/users/{users[0]}/merge", json={"from": first}))
    assert variant_of_list(shop, users[0]) == "new"

    assert variant_of_list(shop, hurried) == "new"
    taken(shop.post(f"/users/{users[1]}/merge", json={"from": hurried}))
    assert variant_of_list(shop, users[1]) == "new", "whether or not the log had its list already"

    assert variant_of_list(shop, users[2]) == "old"
    logged(server, 5)
    assert variant_of_list(shop, late) == "new"
    logged(server, 6)
    taken(shop.post(f"/users/{users[2]}/merge", json={"from": late}))
    assert variant_of_list(shop, users[2]) == "old"
    assert variant_of_list(shop, late) == "new", "what the session does later is its own"

    logged(server, 8)
    results = taken(shop.get(f"{URL}/results"))
    assert results["observed"]["crossovers"] == 1, "whose session had seen the other variant"
    assert results["observed"]["left_out"] == 1


def test_a_session_is_assigned_by_its_visitor_and_logs_in(served: tuple[TestClient, Server]) -> None:
    shop, server = served
    start(shop)
    visitor = next(f"v{n}" for n in range(50) if assignment(shop, f"v{n}")["variant"] == "new")
    user = next(f"user{n}" for n in range(50) if assignment(shop, f"user{n}")["variant"] == "old")
    session = {"history": ["item1"], "k": 3}
    (without,) = taken(shop.post("/recommendations", json=session))["results"]
    assert "experiments" not in without, "a session that nobody knows is in none"
    (answer,) = taken(shop.post("/recommendations", json={**session, "visitor_id": visitor}))["results"]
    assert [told["variant"] for told in answer["experiments"]] == ["new"]
    logged(server, 2)
    taken(shop.post(f"/users/{user}/merge", json={"from": visitor}))
    assert variant_of_list(shop, user) == "new"
