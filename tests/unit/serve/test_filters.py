"""Filters restrict lists to what fits, and an answer says when too little does."""

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from recsys.bundle import Bundle, ItemRecord
from recsys.bundle.facet_columns import FacetColumns
from recsys.pipeline.allow import Among
from serve.bundles.facets import Facets, Filter, ItemFacets
from serve.histories.summary import FILTERED
from tests.support.serving import N_ITEMS, get, history_of, query_of, refusal, rows_of

USER, USER_ROW = "user3", 3
ITEMS = [
    ("Acme", ("All", "Tools"), 9.99),
    (None, ("All",), None),
    ("Acme", (), 0.0),
    ("acme", ("Tools", "Tools"), 100.0),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        ((None, None, (), ()), [0, 1, 2, 3]),
        ((9.99, 9.99, (), ()), [0]),
        ((0, None, (), ()), [0, 2, 3]),
        ((None, 99.99, (), ()), [0, 2]),
        ((1e300, None, (), ()), []),
        ((None, 1e300, (), ()), [0, 2, 3]),
        ((None, None, ("Tools",), ()), [0, 3]),
        ((None, None, (), ("Acme",)), [0, 2]),
        ((None, None, (), ("Acme", "acme")), [0, 2, 3]),
        ((None, None, ("Tools", "All"), ("nobody", "Acme")), [0]),
        ((None, 5, ("Tools",), ("Acme",)), []),
        ((None, None, ("tools",), ()), []),
        ((None, None, (), ("nobody",)), []),
    ],
)
def test_a_mask_holds_what_passes_every_filter(
    filters: tuple[float | None, float | None, tuple[str, ...], tuple[str, ...]], rows: list[int]
) -> None:
    assert np.flatnonzero(Facets.of(FacetColumns.of(ITEMS)).mask(Filter(*filters))).tolist() == rows


def fits(record: ItemRecord, parameters: dict[str, object]) -> bool:
    """Read off the catalogue, one item at a time."""
    price = record.price
    least, most = parameters.get("min_price"), parameters.get("max_price")
    return (
        (least is None or (price is not None and price >= least))
        and (most is None or (price is not None and price <= most))
        and parameters.get("category") in (None, *record.categories)
        and parameters.get("brand") in (None, record.brand)
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"min_price": 20},
        {"max_price": 15},
        {"min_price": 10, "max_price": 30, "category": "Group 3"},
        {"category": "Group 6"},
        {"brand": "Brand 5"},
        {"brand": "Brand 5", "category": "Group 6"},
        {"min_price": 1e6},
    ],
)
@pytest.mark.parametrize("exclude_seen", [True, False])
def test_a_filtered_list_is_the_models_order_then_popularity(
    client: TestClient, bundle: Bundle, parameters: dict[str, object], exclude_seen: bool
) -> None:
    answer = get(client, USER, k=15, exclude_seen=exclude_seen, **parameters)
    records = bundle.catalogue.items(range(N_ITEMS))
    seen = history_of(bundle, USER_ROW) if exclude_seen else []
    allowed = np.array([fits(record, parameters) for record in records])
    query = query_of(bundle, USER_ROW)
    ranked = bundle.recommender().recommend(query, 15, exclude_seen=exclude_seen, restrictions=[Among(allowed)])
    own = [int(row) for row in ranked.personal_items[0] if row >= 0]
    assert allowed[own].all()
    popular = bundle.recommender().popularity.propose(query_of(bundle, USER_ROW), N_ITEMS, exclude_seen=False)
    filling = [int(r) for r in popular.items[0] if r not in own and r not in seen and fits(records[r], parameters)]
    expected = [*own, *filling][:15]
    assert rows_of(answer["items"]) == expected
    assert answer["shortfall"] == 15 - len(expected)
    filled = len(expected) > len(own)
    assert answer["fallback_used"] is filled
    assert answer["fallback_reason"] == (FILTERED if filled else None)
    kinds = [item["model_source"] for item in answer["items"]]
    assert kinds == ["ranker"] * len(own) + ["popularity"] * (len(expected) - len(own))


def test_an_unknown_user_gets_popular_items_that_fit(client: TestClient, bundle: Bundle) -> None:
    answer = get(client, "nobody", k=5, category="Group 2")
    counts = np.bincount(bundle.histories.items, minlength=N_ITEMS)
    assert {row % 10 for row in rows_of(answer["items"])} == {2}
    expected = sorted((counts[row] for row in range(2, N_ITEMS, 10)), reverse=True)[:5]
    assert [counts[row] for row in rows_of(answer["items"])] == expected


def test_popular_items_that_fit(client: TestClient, bundle: Bundle) -> None:
    items = client.get("/items/popular", params={"brand": "Brand 7", "max_price": 30, "k": 4}).json()["items"]
    counts = np.bincount(bundle.histories.items, minlength=N_ITEMS)
    records = bundle.catalogue.items(range(N_ITEMS))
    fitting = [r.row for r in records if r.brand == "Brand 7" and r.price is not None and r.price <= 30]
    assert [item["popularity"] for item in items] == sorted((counts[row] for row in fitting), reverse=True)[:4]
    assert set(rows_of(items)) <= set(fitting)
    assert [item["rank"] for item in items] == [1, 2, 3, 4]
    detail = refusal(client.get("/items/popular?min_price=2&max_price=1"), 422)
    assert "min_price must not exceed max_price" in detail


FACETS = st.builds(
    ItemFacets,
    st.none() | st.sampled_from(["", "a", "b"]),
    st.lists(st.sampled_from("xyz"), max_size=3).map(tuple),
    st.none() | st.sampled_from([1.0, 2.0]),
)


@given(st.lists(FACETS, min_size=1, max_size=6), st.lists(FACETS, max_size=3), st.data())
def test_facets_of_some_changed_items_are_those_of_the_changed_catalogue(
    items: list[ItemFacets], new: list[ItemFacets], data: st.DataObject
) -> None:
    changes = data.draw(st.dictionaries(st.integers(0, len(items) - 1), FACETS))
    now = {**changes, **dict(enumerate(new, start=len(items)))}
    before = Facets.of(FacetColumns.of(items))
    changed = before.changed(now, {row: items[row] for row in changes}, len(items) + len(new))
    expected = Facets.of(FacetColumns.of([now.get(row, one) for row, one in enumerate([*items, *new])]))
    np.testing.assert_array_equal(changed.prices, expected.prices)
    for name in ("brands", "categories"):
        found, wanted = getattr(changed, name), getattr(expected, name)
        assert {name: sorted(rows.tolist()) for name, rows in found.items()} == {
            name: sorted(rows.tolist()) for name, rows in wanted.items()
        }
    untouched = Facets.of(FacetColumns.of(items))
    np.testing.assert_array_equal(before.prices, untouched.prices)
    assert {name: rows.tolist() for name, rows in before.brands.items()} == {
        name: rows.tolist() for name, rows in untouched.brands.items()
    }
