"""A replay of the served log makes the very lists that the server made."""

from __future__ import annotations

import time
from pathlib import Path

from fastapi.testclient import TestClient

from recsys.bundle import open_bundle
from recsys.core.persons import Persons
from recsys.histories.reading import StoreReader
from recsys.measure.shadow.replay import Replayer, Shop
from recsys.measure.shadow.shadow import shop_of
from tests.support.databases import patient
from tests.support.serving import N_USERS, get, running
from tests.support.waiting import eventually

HIDE = {"action": {"type": "hide"}}


def shown_to(client: TestClient, user: str) -> list[str]:
    return [item["item_id"] for item in get(client, user, k=5)["items"]]


def test_lists_of_the_server_are_made_again(bundle_path: Path, tmp_path: Path) -> None:
    """With events since, a rule and a sold out item, of several models and of a second page."""
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with running(bundle=bundle_path, store=url, rules_poll_s=0.05, live_items_poll_s=0.05) as (client, _):
        hidden, gone, *_ = shown_to(client, "user1")
        assert client.put("/rules/no", json=HIDE | {"where": f'item.id == "{hidden}"'}).is_success
        assert client.patch(f"/items/{gone}", json={"available": False}).is_success
        eventually(lambda: not {hidden, gone} & {*shown_to(client, "user1")})
        for user, item, kind in [
            ("user5", "item7", "view"),
            ("stranger", "item8", "purchase"),
            ("stranger", "item18", "view"),
        ]:
            event = {"user_id": user, "item_id": item, "event_type": kind}
            assert client.post("/events", json=event).is_success
        time.sleep(0.01)
        since = time.time()
        for user in ["user1", *(f"user{n}" for n in range(0, N_USERS, 5)), "stranger", "nobody"]:
            get(client, user, k=7)
        get(client, "user3", k=5, offset=5)
        get(client, "user3", k=5, model="transitions")
    with patient(url) as store, open_bundle(bundle_path) as bundle:
        rows = list(store.served(since, time.time()))
        assert len(rows) == N_USERS // 5 + 5
        replayer = Replayer(bundle, StoreReader(store), shop_of(store), 500)
        assert [replayer.make(row).item_ids for row in rows] == [row.item_ids for row in rows]
        unruled = Replayer(bundle, StoreReader(store), Shop(Persons()), 500)
        assert any(unruled.make(row).item_ids != row.item_ids for row in rows), "rule and item are in no list's way"
