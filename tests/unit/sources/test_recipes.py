from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from recsys.config import RetrievalConfig
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.sources.factors import fit as fit_module
from recsys.sources.factors.source import ImplicitFactors
from recsys.sources.fitting import FitData
from recsys.sources.item_to_item.neighbours_fit import fit_neighbours
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.popularity.source import Popularity
from recsys.sources.recipes import Chosen, Recipe, recipes
from recsys.sources.registry import ENTRIES
from tests.support.bundles import make_embeddings, make_histories

NAMES = tuple(ENTRIES)
N_USERS, N_ITEMS = 40, 30
CONFIG = RetrievalConfig(als_factors=[4], bpr_factors=[4], als_iterations=2, bpr_iterations=3)
DATA = FitData(
    make_histories(N_USERS, N_ITEMS),
    N_ITEMS,
    texts=[f"thing of group {item % 10}" for item in range(N_ITEMS)],
    text_vectors=make_embeddings(N_ITEMS, 8),
)


def recipe(name: str, config: RetrievalConfig = CONFIG) -> Recipe:
    return recipes(config)[name]


def grid(name: str, config: RetrievalConfig = CONFIG) -> list[Chosen]:
    return recipe(name, config).grid()


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_of_every_name_is_fitted_under_that_name(name: str) -> None:
    assert recipe(name).obstacle(DATA) is None
    first, *_, last = [*grid(name), *grid(name)]
    for settings in (first, last):
        retriever = recipe(name).fitted(DATA, settings)
        assert retriever.name == name
        assert retriever.n_items == N_ITEMS
        queries = Queries(DATA.histories, np.arange(N_USERS, dtype=np.int32), np.zeros(N_USERS, np.int64))
        assert (retriever.propose(queries, 3).items != NO_ITEM).any()
        if "decay" in settings:
            assert isinstance(retriever, ItemToItem)
            assert retriever.decay == settings["decay"]


@pytest.mark.parametrize("name", NAMES)
def test_the_decay_is_tried_for_item_to_item_retrievers_alone(name: str) -> None:
    is_item_to_item = isinstance(recipe(name).fitted(DATA, grid(name)[0]), ItemToItem)
    assert all(("decay" in settings) == is_item_to_item for settings in grid(name))


def test_the_grid_is_the_product_of_the_lists() -> None:
    config = RetrievalConfig(neighbours_k=[5, 9], bm25_k1=[1.0], bm25_b=[0.1, 0.7], decay=[0.5, 1.0])
    assert grid("neighbours_bm25", config) == [
        {"k": k, "k1": 1.0, "b": b, "decay": decay} for k in (5, 9) for b in (0.1, 0.7) for decay in (0.5, 1.0)
    ]
    assert grid("popularity", config) == [{}]
    assert grid("recent_popularity", RetrievalConfig(half_life_days=[7.0])) == [{"half_life_days": 7.0}]


@pytest.mark.parametrize("name", NAMES)
def test_settings_of_one_fit_stand_together(name: str) -> None:
    of = recipe(name, RetrievalConfig())
    keys = [of.same_fit(chosen) for chosen in of.grid()]
    changes = sum(before != after for before, after in itertools.pairwise(keys))
    assert changes + 1 == len(set(keys))


def test_same_fit_ignores_the_decay_and_nothing_else() -> None:
    one, same_fit = {"k": 5, "days": None, "decay": 0.5}, recipe("transitions").same_fit
    assert same_fit(one) == same_fit({"decay": 0.9, "days": None, "k": 5}) == same_fit({"k": 5, "days": None})
    assert same_fit(one) != same_fit({**one, "k": 6})
    assert same_fit(one) != same_fit({**one, "days": 3.0})


def test_a_decay_taken_afterwards_is_the_same_as_one_fitted() -> None:
    settings = grid("neighbours_bm25")[0]
    fitted = recipe("neighbours_bm25").fitted(DATA, settings)
    without = recipe("neighbours_bm25").fitted(DATA, {"k": settings["k"], "k1": settings["k1"], "b": settings["b"]})
    assert isinstance(fitted, ItemToItem)
    assert isinstance(without, ItemToItem)
    assert without.decay == 1
    np.testing.assert_array_equal(without.with_decay(settings["decay"]).neighbours, fitted.neighbours)
    np.testing.assert_array_equal(without.similarities, fitted.similarities)


def test_settings_reach_the_fit() -> None:
    found = recipe("neighbours_bm25").fitted(DATA, {"k": 4, "k1": 0.5, "b": 0.9, "decay": 0.3})
    expected = fit_neighbours(DATA.histories, N_ITEMS, k=4, k1=0.5, b=0.9)
    assert isinstance(found, ItemToItem)
    np.testing.assert_array_equal(found.similarities, expected.similarities)


def test_recent_popularity_decays_and_plain_popularity_does_not() -> None:
    times = np.array([0, 30, 60]) * 86_400
    known = Histories.from_rows(1, np.zeros(3, np.int64), np.array([0, 1, 2]), times, weights=np.array([1.0, 2.0, 4.0]))
    data = FitData(known, 3)
    plain = recipe("popularity").fitted(data, {})
    recent = recipe("recent_popularity").fitted(data, {"half_life_days": 30.0})
    assert isinstance(plain, Popularity)
    assert isinstance(recent, Popularity)
    assert plain.popularity.tolist() == [1, 2, 4]
    assert recent.popularity.tolist() == pytest.approx([0.25, 1, 4])


@pytest.mark.parametrize("name", ["als", "bpr"])
def test_prices_and_quantities_weigh_in_als_and_bpr(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Histories] = []

    def fake(histories: Histories, n_items: int, **settings: object) -> ImplicitFactors:
        seen.append(histories)
        return ImplicitFactors(name, np.ones((n_items, 1), np.float32))

    monkeypatch.setattr(fit_module, f"fit_{name}", fake)
    # One user: items 0 and 1 cost 1 and 3, a mean of 2. Item 0 is bought by the piece, then by three: a mean of 2.
    known = Histories.from_rows(1, np.zeros(3, np.int64), np.array([0, 1, 0]), np.arange(3))
    data = FitData(known, 2, prices=np.array([1.0, 3.0]), quantities=np.array([1, np.nan, 3], np.float32))
    settings = grid(name)[0]
    recipe(name).fitted(data, settings)
    recipe(name, CONFIG.model_copy(update={"spending_power": 1.0})).fitted(data, settings)
    recipe(name, CONFIG.model_copy(update={"quantity_power": 2.0})).fitted(data, settings)
    plain, spending, quantity = (histories.weights.tolist() for histories in seen)
    assert plain == [1, 1, 1]
    assert spending == pytest.approx([1 / (5 / 3), 3 / (5 / 3), 1 / (5 / 3)])
    assert quantity == pytest.approx([0.25, 1, 2.25])


@pytest.mark.parametrize(
    ("name", "lacking", "reason"),
    [
        ("ease", {"n_items": 15_001}, "15,001"),
        ("content_tfidf", {"texts": ()}, "text"),
        ("content_tfidf", {"texts": [""] * N_ITEMS}, "text"),
        ("content_encoder", {"text_vectors": None}, "text vector"),
        ("content_encoder", {"text_vectors": np.zeros((N_ITEMS, 8), np.float32)}, "text vector"),
        (
            "recent_popularity",
            {"histories": replace(DATA.histories, timestamps=np.full(len(DATA.histories.items), 7))},
            "timestamp",
        ),
    ],
)
def test_what_cannot_be_fitted_says_why(name: str, lacking: dict[str, object], reason: str) -> None:
    data = replace(DATA, **lacking)  # type: ignore[arg-type]
    assert reason in (recipe(name).obstacle(data) or "")
    assert all(recipe(other).obstacle(data) is None for other in NAMES if other != name)
