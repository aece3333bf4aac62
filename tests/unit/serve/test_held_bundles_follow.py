"""What becomes of items and users reaches the lists of held versions as it reaches those of the served one."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serve.bundles import held as held_module
from serve.live_items import watch
from serve.live_items.overlays import Overlays
from serve.server import Server
from tests.support.live_items_over_http import delete, patch
from tests.support.serving import running
from tests.support.variants import experiment, hold, made, run, variant_names
from tests.support.versions import make_versions, point_to, publish
from tests.support.waiting import eventually

FAST = {"live_items_poll_s": 0.02, "users_poll_s": 0.02, "reload_poll_s": 0.02}


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_versions(tmp_path_factory.mktemp("versions"), 2)


@pytest.fixture
def served(tmp_path: Path, versions: list[Path]) -> Iterator[tuple[TestClient, Server]]:
    """A server of the second version, where every list is made from the first."""
    shop, old = tmp_path / "shop", versions[0].name
    publish(shop, versions[0], current=False)
    publish(shop, versions[1])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(held_module, "POLL_S", 0.02)
        with running(bundle=shop, store=f"sqlite:///{tmp_path}/store.sqlite", **FAST) as (client, server):
            eventually(lambda: server.parts.experiments.state == "live")
            run(server, experiment({"bundle": old}, {"bundle": old}))
            hold(server, old)
            yield client, server


def listed(server: Server, user_id: str = "user1") -> list[str]:
    one = made(server, user_id)
    assert one.undelivered == ()
    return [item.item_id for item in one.answer.items]


def test_items_that_are_sold_out_deleted_or_dearer(served: tuple[TestClient, Server], versions: list[Path]) -> None:
    client, server = served
    first, second, third, *_ = listed(server)
    patch(client, first, {"available": False})
    delete(client, second)
    patch(client, third, {"price": 123.0})
    eventually(lambda: not {first, second} & set(listed(server)))
    price = {item.item_id: item.price for item in made(server, "user1").answer.items}
    assert price[third] == 123.0
    run(server)
    eventually(lambda: server.parts.held.of(versions[0].name) is None)
    patch(client, first, {"available": True})
    old = versions[0].name
    run(server, experiment({"bundle": old}, {"bundle": old}))
    hold(server, old)
    eventually(lambda: first in listed(server))  # taken up again, it knows what changed meanwhile
    assert second not in listed(server)


def test_what_was_changed_is_known_when_another_version_is_served(
    served: tuple[TestClient, Server], versions: list[Path]
) -> None:
    client, server = served
    old = versions[0].name
    first = listed(server)[0]
    point_to(server.parts.settings.bundle, old)  # the held one is served, too
    eventually(lambda: server.parts.bundles.loaded.info.version == old)
    patch(client, first, {"available": False})
    eventually(lambda: first not in listed(server))
    point_to(server.parts.settings.bundle, versions[1].name)
    eventually(lambda: server.parts.bundles.loaded.info.version == versions[1].name)
    assert first not in listed(server)


def test_a_forgotten_user_has_no_past_in_a_held_version(served: tuple[TestClient, Server]) -> None:
    client, server = served
    assert made(server, "user1").answer.user.interactions > 0
    assert client.delete("/users/user1").status_code in (200, 202, 204)
    eventually(lambda: made(server, "user1").answer.user.interactions == 0)


def test_what_is_wrong_with_a_held_version_keeps_the_served_one_from_nothing(
    served: tuple[TestClient, Server], versions: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, server = served
    make = Overlays.make

    def broken(overlays: Overlays, *given: object) -> object:
        if overlays.base.info.version == versions[0].name:
            raise RuntimeError("broken")
        return make(overlays, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Overlays, "make", broken)
    monkeypatch.setattr(watch, "RETRY_S", 0.05)
    run(server, experiment({}, {"bundle": versions[0].name}))
    users = {name: user_id for user_id, name in variant_names(server, [f"user{row}" for row in range(7)]).items()}
    of_served, of_held = listed(server, users["a"])[0], listed(server, users["b"])[0]
    patch(client, of_held, {"available": False})
    patch(client, of_served, {"available": False})
    eventually(lambda: of_served not in listed(server, users["a"]))
    assert of_held in listed(server, users["b"])
    monkeypatch.setattr(Overlays, "make", make)
    eventually(lambda: of_held not in listed(server, users["b"]))


def test_lists_go_on_while_items_change_and_versions_come_and_go(
    served: tuple[TestClient, Server], versions: list[Path]
) -> None:
    client, server = served
    old, new = versions[0].name, versions[1].name
    one = experiment({"bundle": old}, {"bundle": new})
    run(server, one)
    ended, failures = threading.Event(), []

    def ask() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            response = client.get(f"/recommendations/user{number % 8}")
            if response.status_code != 200 or len(response.json()["items"]) != 10:
                failures.append(response.text)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    for turn in range(8):
        patch(client, f"item{turn}", {"price": float(turn), "available": turn % 2 == 0})
        point_to(server.parts.settings.bundle, (old, new)[turn % 2])
        run(server, *([one] if turn % 3 else []))
        time.sleep(0.1)
    ended.set()
    for thread in asking:
        thread.join(30)
    assert failures == []
