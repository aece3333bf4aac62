"""Items: one, similar ones, popular ones, found ones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle
from recsys.core.histories import Histories
from recsys.core.queries import Queries
from serve.items.search_index import catalogue_version
from tests.support.renaming import with_item_ids
from tests.support.serving import N_ITEMS, refusal, row_of, rows_of, running
from tests.support.waiting import eventually


def similar(client: TestClient, item_id: str, **parameters: object) -> dict[str, Any]:
    response = client.get(f"/items/{item_id}/similar", params=parameters)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def neighbours(bundle: Bundle, name: str, row: int) -> list[int]:
    history = Histories.from_rows(1, np.zeros(1, np.int64), np.array([row]), np.zeros(1, np.int64))
    query = Queries(history, np.array([-1], np.int32), np.zeros(1, np.int64))
    return [int(item) for item in bundle.source(name).propose(query, N_ITEMS).items[0] if item >= 0]


def test_an_item_as_the_catalogue_has_it(client: TestClient, bundle: Bundle) -> None:
    answer = client.get("/items/item7").json()
    (record,) = bundle.catalogue.items([7])
    assert answer["item_id"] == "item7"
    assert (answer["title"], answer["brand"], answer["price"]) == (record.title, record.brand, record.price)
    assert answer["categories"] == ["All", "Group 7"]
    assert (answer["image"], answer["description"]) == (record.image, record.description)
    assert answer["popularity"] == np.bincount(bundle.histories.items, minlength=N_ITEMS)[7]


@pytest.mark.parametrize("item_id", ["nix", "../../etc/passwd", "a/b", "🛒", "'; DROP TABLE items; --", "popular "])
def test_an_unknown_item_is_not_found(client: TestClient, item_id: str) -> None:
    for path in (f"/items/{quote(item_id, safe='')}", f"/items/{quote(item_id, safe='')}/similar"):
        assert "the catalogue holds no item" in refusal(client.get(path), 404)


def test_an_item_whose_id_another_address_looks_like(bundle_path: Path, tmp_path: Path) -> None:
    renamed = {3: "popular", 4: "by-id", 5: "item7/similar", 6: "lookup"}
    renamed_path = with_item_ids(bundle_path, tmp_path, renamed)
    with running(bundle=renamed_path, store="none", verify="quick") as (client, _):
        for row, item_id in renamed.items():
            answer = client.get("/items/by-id", params={"item_id": item_id}).json()
            assert (answer["item_id"], answer["categories"]) == (item_id, ["All", f"Group {row}"])
            assert similar(client, quote(item_id, safe=""), k=1)["item_id"] == item_id
        assert client.get("/items/by-id?item_id=item7").json() == client.get("/items/item7").json()
        assert "popularity" not in client.get("/items/popular").json()  # a list, as before
        assert "item_id: Field required" in refusal(client.get("/items/by-id"), 422)
        assert "holds no item 'nix'" in refusal(client.get("/items/by-id?item_id=nix"), 404)


def test_similar_by_content_is_the_content_retrievers_list(client: TestClient, bundle: Bundle) -> None:
    answer = similar(client, "item3", by="content", k=7)
    assert rows_of(answer["items"]) == neighbours(bundle, "content_encoder", 3)[:7]
    assert answer["fallback_used"] is False
    scores = [item["score"] for item in answer["items"]]
    np.testing.assert_allclose(scores, [61 / (60 + rank) for rank in range(1, 8)], atol=1e-6)


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("behaviour", ["neighbours_bm25", "transitions"]),
        ("both", ["neighbours_bm25", "transitions", "content_encoder"]),
    ],
)
def test_several_lists_are_fused_by_rank(client: TestClient, bundle: Bundle, by: str, names: list[str]) -> None:
    lists = {name: neighbours(bundle, name, 13) for name in names}
    expected = {
        row: sum(61 / (61 + rows.index(row)) for rows in lists.values() if row in rows) / len(names)
        for row in set().union(*lists.values())
    }
    answer = similar(client, "item13", by=by, k=10)
    scores = [item["score"] for item in answer["items"]]
    np.testing.assert_allclose(scores, sorted(expected.values(), reverse=True)[:10], atol=1e-6)
    for item in answer["items"]:
        row = row_of(item["item_id"])
        assert item["score"] == pytest.approx(expected[row], abs=1e-6)
        assert item["sources"] == [name for name in names if row in lists[name]]
        assert row != 13
    assert similar(client, "item13", k=10) == similar(client, "item13", by="both", k=10)


def test_an_item_without_neighbours_gets_the_nearest_vectors(client: TestClient, bundle: Bundle) -> None:
    lonely = next(
        row
        for row in range(N_ITEMS)
        if not neighbours(bundle, "neighbours_bm25", row) and not neighbours(bundle, "transitions", row)
    )
    answer = similar(client, f"item{lonely}", by="behaviour", k=5)
    assert answer["fallback_used"] is True
    embeddings = bundle.item_embeddings.astype(np.float32)
    nearest = np.argsort(-(embeddings @ embeddings[lonely]))
    assert rows_of(answer["items"]) == [row for row in nearest.tolist() if row != lonely][:5]
    assert {source for item in answer["items"] for source in item["sources"]} == {"two_tower"}


def test_parameters_that_do_not_exist_are_refused(client: TestClient) -> None:
    assert "by: Input should be" in refusal(client.get("/items/item1/similar?by=magic"), 422)
    assert "k: Input should be" in refusal(client.get("/items/item1/similar?k=0"), 422)
    assert "user: Extra inputs" in refusal(client.get("/items/popular?user=1"), 422)
    assert "x: this address takes no" in refusal(client.get("/items/item1?x=1"), 422)
    assert "limit: Input should be" in refusal(client.get("/items?limit=101"), 422)
    assert "page: Extra inputs" in refusal(client.get("/items?page=2"), 422)
    assert "cursor:" in refusal(client.get("/items?cursor=nonsense"), 422)


def test_popular_items_in_order(client: TestClient, bundle: Bundle) -> None:
    answer = client.get("/items/popular", params={"k": 100}).json()
    counts = np.bincount(bundle.histories.items, minlength=N_ITEMS)
    assert [item["popularity"] for item in answer["items"]] == sorted(counts, reverse=True)[:100]
    for item in answer["items"]:
        assert counts[row_of(item["item_id"])] == item["popularity"]


@pytest.fixture(scope="module")
def searching(bundle_path: Path, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    url = f"sqlite:///{tmp_path_factory.mktemp('search')}/store.sqlite"
    with running(bundle=bundle_path, store=url, index_items=True) as (client, server):
        eventually(lambda: server._indexing is not None)
        process = server._indexing
        assert process is not None
        eventually(lambda: process.returncode is not None)  # the server itself has taken note of its end
        assert process.returncode == 0
        yield client


def pages(client: TestClient, **parameters: object) -> list[dict[str, Any]]:
    """Every item found, page by page."""
    found: list[dict[str, Any]] = []
    cursor = {}
    while True:
        answer = client.get("/items", params={**parameters, **cursor}).json()
        found += answer["items"]
        assert 0 < len(answer["items"]) <= int(str(parameters["limit"])) or not found
        if answer["next_cursor"] is None:
            return found
        cursor = {"cursor": answer["next_cursor"]}


def test_all_items_page_by_page(searching: TestClient, bundle: Bundle) -> None:
    found = pages(searching, limit=30)
    assert sorted(rows_of(found)) == list(range(N_ITEMS))
    counts = np.bincount(bundle.histories.items, minlength=N_ITEMS)
    assert [counts[row] for row in rows_of(found)] == sorted(counts, reverse=True)


def test_items_that_search_finds_already_are_not_put_again(
    searching: TestClient, bundle_path: Path, bundle: Bundle
) -> None:
    url = searching.app.state.parts.settings.store  # type: ignore[attr-defined]
    with running(bundle=bundle_path, store=url, index_items=True) as (_, server):
        server._index_items(server.parts.bundles.loaded)
        assert server._indexing is None


def test_search_by_words_and_category(searching: TestClient, bundle: Bundle) -> None:
    assert set(rows_of(pages(searching, query="SIZE 4", limit=50))) >= set(range(4, N_ITEMS, 10))
    assert sorted(rows_of(pages(searching, category="Group 4", limit=50))) == list(range(4, N_ITEMS, 10))
    (found,) = pages(searching, query="thing 123", category="Group 3", limit=50)
    (record,) = bundle.catalogue.items([123])
    assert found == {
        "item_id": "item123",
        "title": record.title,
        "brand": record.brand,
        "categories": list(record.categories),
        "price": record.price,
        "image": record.image,
        "popularity": np.bincount(bundle.histories.items, minlength=N_ITEMS)[123],
    }
    for query in ("no such word", "'; DROP TABLE items; --", '"*" AND (', "?!", "\x00"):
        answer = searching.get("/items", params={"query": query})
        assert answer.status_code == 200, query
    assert searching.get("/items", params={"query": "unheard"}).json()["items"] == []
    version = searching.get("/items").json()["catalogue_version"]
    assert version == catalogue_version("tiny", bundle.version)


def test_a_search_is_sorted_filtered_and_counted(searching: TestClient, bundle: Bundle) -> None:
    records = bundle.catalogue.items(range(N_ITEMS))
    priced = [record for record in records if record.price is not None and 10 <= record.price <= 30]
    answer = searching.get("/items", params={"min_price": 10, "max_price": 30, "sort": "-price", "limit": 100}).json()
    assert [item["price"] for item in answer["items"]] == sorted((r.price for r in priced), reverse=True)[:100]
    assert (answer["total"], answer["total_exact"]) == (len(priced), True)
    of_brand = sorted((record.title or "", record.item_id) for record in records if record.brand == "Brand 3")
    answer = searching.get("/items", params={"brand": "Brand 3", "sort": "title", "limit": 5}).json()
    assert answer["total"] == len(of_brand)
    assert [item["item_id"] for item in answer["items"]] == [item_id for _, item_id in of_brand[:5]]
    cursor = answer["next_cursor"]
    after = searching.get("/items", params={"brand": "Brand 3", "sort": "title", "limit": 5, "cursor": cursor}).json()
    assert not {item["item_id"] for item in after["items"]} & {item["item_id"] for item in answer["items"]}
    for sort in ("popularity", "-title", "price"):
        assert "cursor:" in refusal(searching.get("/items", params={"sort": sort, "cursor": cursor}), 422)
    assert "min_price must not exceed" in refusal(searching.get("/items?min_price=2&max_price=1"), 422)
    assert "sort: Input should be" in refusal(searching.get("/items?sort=rating"), 422)
    assert searching.get("/items").json()["total"] == N_ITEMS
