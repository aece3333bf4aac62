"""Several items by their ids, in one request."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle
from tests.support.live_items_over_http import delete, patch, put
from tests.support.serving import N_ITEMS, refusal, running


def look_up(client: TestClient, *item_ids: str) -> dict[str, Any]:
    response = client.post("/items/lookup", json={"item_ids": item_ids})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_items_in_the_order_asked_and_what_nobody_knows(client: TestClient, bundle: Bundle) -> None:
    answer = look_up(client, "item7", "nix", "item3", "item7", "nix", "a b")
    assert [item["item_id"] for item in answer["items"]] == ["item7", "item3", "item7"]
    assert answer["unknown_items"] == ["nix", "a b"]
    (record,) = bundle.catalogue.items([3])
    assert answer["items"][1] == {
        "item_id": "item3",
        "title": record.title,
        "brand": record.brand,
        "categories": ["All", "Group 3"],
        "price": record.price,
        "image": record.image,
        "popularity": np.bincount(bundle.histories.items, minlength=N_ITEMS)[3],
    }
    assert answer["bundle"]["version"] == bundle.version


def test_items_as_the_shop_has_them_now(bundle_path: Path, tmp_path: Path) -> None:
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path}/store.sqlite") as (client, _):
        patch(client, "item3", {"price": 1.25})
        delete(client, "item4")
        put(client, "new", {"title": "New thing"})
        answer = look_up(client, "new", "item4", "item3")
    new, changed = answer["items"]
    assert (new["item_id"], new["title"], new["categories"], new["popularity"]) == ("new", "New thing", [], None)
    assert (changed["item_id"], changed["price"]) == ("item3", 1.25)
    assert answer["unknown_items"] == ["item4"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "item_ids: Field required"),
        ({"item_ids": []}, "at least 1 item"),
        ({"item_ids": ["x"] * 101}, "at most 100 items"),
        ({"item_ids": "item3"}, "item_ids: Input should be a valid list"),
        ({"item_ids": [""]}, "at least 1 character"),
        ({"item_ids": ["item3"], "fields": ["price"]}, "fields: Extra inputs"),
    ],
)
def test_what_is_no_list_of_ids_is_refused(client: TestClient, body: dict[str, object], fault: str) -> None:
    assert fault in refusal(client.post("/items/lookup", json=body), 422)
