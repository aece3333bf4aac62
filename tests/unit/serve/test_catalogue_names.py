"""Brands and categories, found as somebody types them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle
from serve.bundles.names import Names
from tests.support.live_items_over_http import patch
from tests.support.serving import N_ITEMS, refusal, running

BRANDS = {
    name: np.arange(count, dtype=np.int32)
    for name, count in {"L'Oréal Paris": 3, "Paris Nail Co": 5, "OPI": 5, "Parker": 1, "?": 9}.items()
}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (None, ["?", "OPI", "Paris Nail Co", "L'Oréal Paris", "Parker"]),
        ("  ", ["?", "OPI", "Paris Nail Co", "L'Oréal Paris", "Parker"]),
        ("par", ["Paris Nail Co", "L'Oréal Paris", "Parker"]),
        ("PARIS", ["Paris Nail Co", "L'Oréal Paris"]),
        ("oreal", ["L'Oréal Paris"]),
        ("par o", ["L'Oréal Paris"]),
        ("paris nail", ["Paris Nail Co"]),
        ("aris", []),
        ("?", []),
    ],
)
def test_each_word_begins_a_word_of_the_name(query: str | None, found: list[str]) -> None:
    names = Names(BRANDS)
    assert [one.name for one in names.find(query)] == found
    assert {one.name: one.items for one in names.find(query)} == {name: len(BRANDS[name]) for name in found}


def test_names_are_read_again_only_where_there_are_others() -> None:
    names = Names(BRANDS)
    assert Names.of(BRANDS, names) is names
    assert Names.of(dict(BRANDS), names) is not names


def ask(client: TestClient, what: str, **parameters: object) -> dict[str, Any]:
    response = client.get(f"/catalogue/{what}", params=parameters)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_names_of_the_catalogue_with_the_most_items_first(client: TestClient, bundle: Bundle) -> None:
    records = bundle.catalogue.items(range(N_ITEMS))
    brands = Counter(record.brand for record in records if record.brand)
    answer = ask(client, "brands", query="brand", limit=100)
    assert {one["name"]: one["items"] for one in answer["names"]} == brands
    counts = [one["items"] for one in answer["names"]]
    assert counts == sorted(counts, reverse=True)
    assert answer["total"] == len(brands)
    top = ask(client, "categories", limit=1)
    assert top["names"] == [{"name": "All", "items": N_ITEMS}]
    assert (top["total"], top["bundle"]["version"]) == (11, bundle.version)
    assert ask(client, "categories", query="gro 7")["names"] == [{"name": "Group 7", "items": N_ITEMS // 10}]
    assert "limit: Input should be" in refusal(client.get("/catalogue/brands?limit=0"), 422)
    assert "q: Extra inputs" in refusal(client.get("/catalogue/brands?q=x"), 422)


def test_names_as_the_shop_has_them_now(bundle_path: Path, tmp_path: Path) -> None:
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path}/store.sqlite") as (client, _):
        patch(client, "item3", {"brand": "Newcomer"})
        assert ask(client, "brands", query="new")["names"] == [{"name": "Newcomer", "items": 1}]
        patch(client, "item3", {"brand": "Brand 3", "price": 2})
        assert ask(client, "brands", query="new")["total"] == 0
