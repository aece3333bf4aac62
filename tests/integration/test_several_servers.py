"""Two servers on one PostgreSQL, as a load balancer has them: what is told to one acts on the other's lists."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from subprocess import Popen
from typing import Any

import pytest

from tests.support.bundles import make_bundle
from tests.support.postgres import PostgresServer
from tests.support.server_processes import Response, delete, get, logged_server, patch, post, put
from tests.support.waiting import eventually

pytest_plugins = "tests.support.store_fixtures"
pytestmark = pytest.mark.slow  # two servers start

USER = "user1"


@dataclass(frozen=True)
class Pair:
    """Two servers that share a store and a bundle."""

    urls: tuple[str, str]
    processes: tuple[Popen[str], Popen[str]]

    def tell(self, response: Response) -> Any:
        assert response.status in (200, 201, 202), response.body
        return response.json()


@pytest.fixture(scope="module")
def pair(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder, store = tmp_path_factory.mktemp("servers"), postgres.new_url()
    bundle = make_bundle(folder / "saved_model", name="shop", item_encoder=True)
    options = ("--bundle", str(bundle), "--port", "0", "--store", store)
    with ExitStack() as stack:
        servers = [stack.enter_context(logged_server(folder / name, *options)) for name in ("one.log", "other.log")]
        (one, first), (other, second) = servers
        yield Pair((one, other), (first, second))


def listed(url: str, user: str = USER, query: str = "") -> list[str]:
    answer = get(f"{url}/recommendations/{user}?k=5{query}").json()
    return [item["item_id"] for item in answer["items"]]


def test_an_event_told_to_one_counts_in_the_very_next_list_of_the_other(pair: Pair) -> None:
    one, other = pair.urls
    best = listed(other)[0]
    assert listed(one)[0] == best
    event = {"user_id": USER, "item_id": best, "event_type": "purchase"}
    pair.tell(post(f"{one}/events", [event]))
    assert best not in listed(other), "without any delay: each list reads the store"
    history = get(f"{other}/users/{USER}/profile").json()["history"]
    assert best in [entry["item_id"] for entry in history]


def test_a_new_user_of_one_is_known_to_the_other(pair: Pair) -> None:
    one, other = pair.urls
    assert get(f"{other}/recommendations/newcomer").json()["fallback_used"]
    item = listed(one)[0]
    pair.tell(post(f"{one}/events", [{"user_id": "newcomer", "item_id": item, "event_type": "view"}]))
    assert get(f"{other}/recommendations/newcomer").json()["fallback_used"] is False


def test_rules_put_to_one_act_on_the_other(pair: Pair) -> None:
    one, other = pair.urls
    best = listed(other)[0]
    pair.tell(put(f"{one}/rules/recalled", {"action": {"type": "hide"}, "where": f'item.id == "{best}"'}))
    eventually(lambda: best not in listed(other))
    pair.tell(delete(f"{other}/rules/recalled"))
    eventually(lambda: listed(one)[0] == best)


def test_items_changed_at_one_are_others_at_the_other(pair: Pair) -> None:
    one, other = pair.urls
    best = listed(other)[0]
    pair.tell(patch(f"{one}/items/{best}", {"available": False}))
    eventually(lambda: best not in listed(other))
    pair.tell(put(f"{one}/items/brand-new", {"title": "Thing 3", "brand": "Brand 3"}))
    eventually(lambda: get(f"{other}/items/brand-new").json().get("live", {}).get("state") == "new")
    pair.tell(patch(f"{other}/items/{best}", {"available": True}))
    eventually(lambda: listed(one)[0] == best)


def test_a_user_forgotten_at_one_is_a_stranger_to_the_other(pair: Pair) -> None:
    one, other = pair.urls
    assert get(f"{other}/recommendations/user2").json()["fallback_used"] is False
    pair.tell(delete(f"{one}/users/user2"))
    eventually(lambda: get(f"{other}/recommendations/user2").json()["fallback_used"])


def test_an_experiment_started_at_one_runs_at_the_other_with_the_same_variants(pair: Pair) -> None:
    one, other = pair.urls
    variants = [{"name": "old"}, {"name": "new", "overrides": {"model": "popularity"}}]
    pair.tell(put(f"{one}/experiments/e", {"variants": variants}))
    pair.tell(post(f"{one}/experiments/e/start"))

    def assigned(url: str) -> list[str]:
        answers = [get(f"{url}/recommendations/visitor{n}").json().get("experiments", []) for n in range(12)]
        return [of_list[0]["variant"] for of_list in answers if of_list]

    eventually(lambda: len(assigned(other)) == 12)
    assert assigned(one) == assigned(other)
    assert set(assigned(one)) == {"old", "new"}
    pair.tell(post(f"{other}/experiments/e/stop"))
    eventually(lambda: assigned(one) == assigned(other) == [])


def test_the_death_of_one_does_not_disturb_the_other(pair: Pair) -> None:
    one, other = pair.urls
    told = {"user_id": "survivor", "item_id": listed(one)[0], "event_type": "view", "event_id": "last-words"}
    pair.tell(post(f"{one}/events", [told]))
    os.killpg(pair.processes[0].pid, signal.SIGKILL)
    pair.processes[0].wait()
    for _ in range(20):
        answer = get(f"{other}/recommendations/survivor")
        assert answer.status == 200
        assert answer.json()["fallback_used"] is False, "what was acknowledged is kept"
    pair.tell(post(f"{other}/events", [told]))  # a client that heard no answer sends again
    history = get(f"{other}/users/survivor/profile").json()["history"]
    assert len(history) == 1
    assert get(f"{other}/ready").status == 200
