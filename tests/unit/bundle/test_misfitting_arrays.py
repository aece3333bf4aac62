"""Arrays with the right checksum that do not fit: each is refused by its name, with what was expected and what came."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.bundle import open_bundle
from recsys.bundle.consistency import require_consistent
from recsys.core.errors import BundleError
from tests.support.bundles import make_bundle
from tests.support.damage import Array, arrays_in, change_array, sign

N_ITEMS, N_USERS = 200, 20


def put(place: Any, value: float) -> Callable[[Array], Array]:
    def change(array: Array) -> Array:
        array[place] = value
        return array

    return change


def longer(array: Array) -> Array:
    return np.append(array, array[-1])


def shorter(array: Array) -> Array:
    return array[:-1]


# Which array, what becomes of it, and what the message says.
MISFITS: list[tuple[str, Callable[[Array], Array], str]] = [
    ("item_embeddings.npy", put((3, 2), np.nan), "nan at [3, 2]"),
    ("item_embeddings.npy", put((0, 0), np.inf), "inf at [0, 0]"),
    ("item_embeddings.npy", shorter, "index of (199, 8)"),
    ("item_embeddings.npy", lambda array: array.astype(np.float32), "float32 of shape (200, 8)"),
    ("scann/dataset.npy", shorter, "float32 of shape (199, 8)"),
    ("scann/dataset.npy", lambda array: array[:, :4].copy(), "float32 of shape (200, 4)"),
    ("histories/indptr.npy", put(0, 1), "from 1 to"),
    ("histories/indptr.npy", put(-1, 10**6), "to 1000000"),
    ("histories/indptr.npy", put(3, -4), "a lower one at 3"),
    ("histories/indptr.npy", lambda array: array[:0], "Got none"),
    ("histories/indptr.npy", longer, "21 in histories"),
    ("histories/items.npy", put(5, N_ITEMS), "200 at [5]"),
    ("histories/items.npy", put(5, -1), "-1 at [5]"),
    ("histories/timestamps.npy", put(0, 2**62), "at [0]"),
    ("histories/ratings.npy", put(0, np.inf), "inf at [0]"),
    ("histories/weights.npy", put(2, np.nan), "nan at [2]"),
    ("histories/weights.npy", put(2, -1), "-1.0 at [2]"),
    ("cycles.npy", put(4, 0.5), "0.5 at [4]"),
    ("cycles.npy", put(4, np.inf), "inf at [4]"),
    ("cycles.npy", shorter, "of shape (200)"),
    ("cycles.npy", lambda array: array.astype(np.float64), "float32 of shape (200)"),
    ("histories/weights.npy", shorter, "of shape"),
    ("retrievers/transitions/neighbours.npy", put((1, 1), N_ITEMS), "200 at [1, 1]"),
    ("retrievers/transitions/neighbours.npy", put((1, 1), -2), "-2 at [1, 1]"),
    ("retrievers/transitions/neighbours.npy", shorter, "float16 of shape (200, 20)"),
    ("retrievers/transitions/neighbours.npy", np.asfortranarray, "another layout in memory"),
    ("retrievers/transitions/support.npy", shorter, "uint16 of shape (200, 20)"),
    ("retrievers/transitions/support.npy", lambda array: array.astype(np.int32), "uint16 of shape (200, 20)"),
    ("retrievers/content_encoder/shares.npy", put((0, 0), np.nan), "nan at [0, 0]"),
    ("retrievers/content_encoder/shares.npy", lambda array: array[:, :-1].copy(), "float16 of shape (200, 19)"),
    ("retrievers/bpr/item_factors.npy", put((0, 0), np.nan), "nan at [0, 0]"),
    ("retrievers/bpr/item_factors.npy", shorter, "199 in retrievers/bpr"),
    ("retrievers/popularity/popularity.npy", put(0, -1), "-1.0 at [0]"),
    (
        "retrievers/popularity/popularity.npy",
        lambda array: np.append(array, np.float32(1)),
        "201 in retrievers/popularity",
    ),
    ("features/brand/brand.npy", put(0, 2**31 - 1), "2147483647 at [0]"),
    ("features/brand/brand.npy", put(0, -1), "-1 at [0]"),
    ("features/category/categories.npy", put((0, 0), 10**6), "1000000 at [0, 0]"),
    ("features/category/categories.npy", lambda array: array[:, 0], "of shape (200,)"),
    ("features/popularity/trend.npy", shorter, "float32 of shape (199,)"),
    ("features/popularity/log_count.npy", put(1, np.nan), "nan at [1]"),
    ("features/price/log_price.npy", put(1, np.inf), "inf at [1]"),
    ("features/price/log_price.npy", shorter, "199 in features/price"),
    ("loans/loan_borrowers.npy", put(0, N_ITEMS), "200 at [0]"),
    ("loans/loan_borrowers.npy", lambda array: array[::-1].copy(), "another order"),
    ("loans/loan_lenders.npy", put((0, 0), -1), "-1 at [0, 0]"),
    ("loans/loan_lenders.npy", lambda array: array[:, :-1].copy(), "of shape"),
    ("loans/loan_weights.npy", put((0, 0), np.nan), "nan at [0, 0]"),
    ("ratings/item_counts.npy", put(0, -1), "-1.0 at [0]"),
    ("ratings/item_sums.npy", shorter, "float64 of shape (200,)"),
    ("ratings/item_factors.npy", put((0, 0), np.inf), "inf at [0, 0]"),
    ("ratings/item_parts.npy", shorter, "199 in ratings/item_parts.npy"),
    ("ranker.npz:edges", put((0, 0), 1e5), "others, of 1 bins"),
    ("ranker.npz:edges", shorter, "of shape"),
    ("ranker.npz:weight_0", shorter, "of shape"),
    ("ranker.npz:weight_1", lambda array: array.T[:0].T.copy(), "of shape (1, 0)"),
    ("ranker.npz:bias_0", lambda array: np.append(array, array), "of shape (2,)"),
    ("ranker.npz:linear", put(0, np.nan), "nan at [0]"),
    ("ranker.npz:sum_column", lambda _: np.array(99), "column 99"),
    ("ranker.npz:sum_column", lambda _: np.array([1, 2]), "TypeError"),
    ("ranker.npz:sum_weight", lambda _: np.array(np.nan), "weight nan"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return open_bundle(make_bundle(tmp_path_factory.mktemp("made"), n_items=N_ITEMS, n_users=N_USERS)).path


@pytest.fixture
def version(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def used(version: Path) -> None:
    with open_bundle(version) as bundle:
        require_consistent(bundle)
        bundle.recommender()
        list(bundle.catalogue.facets())


@pytest.mark.parametrize(("name", "change", "said"), MISFITS, ids=[f"{name}, {said}" for name, _, said in MISFITS])
def test_an_array_that_does_not_fit_is_refused_by_its_name(
    version: Path, name: str, change: Callable[[Array], Array], said: str
) -> None:
    change_array(version, name, change)
    with pytest.raises(BundleError) as refused:
        used(version)
    assert said in str(refused.value)
    assert refused.value.remedy


def test_every_array_of_a_bundle_has_its_misfits(version: Path) -> None:
    kinds = {Path(name).name for name, _, _ in MISFITS}
    assert {Path(name).name for name in arrays_in(version)} - kinds == {"ranker.npz:bias_1"}


CATALOGUES: dict[str, tuple[str, str]] = {
    "a row too high": ("UPDATE items SET row = 1000 WHERE row = 5", "items 0 to 199"),
    "a row that is gone": ("DELETE FROM items WHERE row = 5", "items 0 to 198"),
    "a user that is gone": ("DELETE FROM users WHERE row = 19", "19 in catalogue.sqlite"),
    "an id that is no text": ("UPDATE items SET item_id = x'ff' WHERE row = 5", "row 5"),
    "a price that is no number": ("UPDATE items SET price = 'cheap' WHERE row = 5", "row 5"),
    "an endless price": ("UPDATE items SET price = 9e999 WHERE row = 5", "row 5"),
    "categories that are no JSON": ("UPDATE items SET categories = '[' WHERE row = 5", "categories"),
    "categories that are no list": ("UPDATE items SET categories = '{}' WHERE row = 5", "'{}'"),
    "categories that are numbers": ("UPDATE items SET categories = '[1]' WHERE row = 5", "'[1]'"),
    "no users": ("DROP TABLE users", "no such table"),
}


@pytest.mark.parametrize("damage", CATALOGUES)
def test_a_catalogue_that_does_not_fit_is_refused(version: Path, damage: str) -> None:
    statement, said = CATALOGUES[damage]
    connection = sqlite3.connect(version / "catalogue.sqlite")
    with connection:
        connection.execute(statement)
    connection.close()
    sign(version)
    with pytest.raises(BundleError) as refused:
        used(version)
    assert said in str(refused.value)
    assert "catalogue.sqlite" in str(refused.value)


SOUND_INDEX = {"n_items": N_ITEMS, "dim": 8, "leaves": 0, "leaves_to_search": 0, "reorder": 0}
SOUND_TOWER = {"max_history": 10, "match": None}
SOUND_LISTS = {"name": "transitions", "decay": 1, "scale": 1, "similar_by": "behaviour"}
INDEX, LISTS = "scann/index.json", "retrievers/transitions/parameters.json"
ASSETS, SOUND_ASSETS = (
    "scann/scann_assets.pbtxt",
    'assets {\n  asset_type: DATASET_NPY\n  asset_path: "dataset.npy"\n}\n',
)
RATINGS, POPULARITY = "ratings/ratings.json", "retrievers/popularity/parameters.json"

# Which file, what stands in it (text, or what is written as JSON), and what the message says.
PARAMETERS: list[tuple[str, object, str]] = [
    ("two_tower.json", {**SOUND_TOWER, "max_history": 0}, "max_history"),
    ("two_tower.json", {**SOUND_TOWER, "max_history": 10**9}, "max_history"),
    ("two_tower.json", {**SOUND_TOWER, "max_history": "10"}, "max_history"),
    ("two_tower.json", {"max_history": 10}, "match"),
    ("two_tower.json", {**SOUND_TOWER, "match": {"dim": 0, "scale": 1, "decay": 1}}, "dim"),
    ("two_tower.json", {**SOUND_TOWER, "match": {"dim": 9, "scale": 1, "decay": 1}}, "text part within 8 columns"),
    ("two_tower.json", {**SOUND_TOWER, "match": {"dim": 4, "scale": 0, "decay": 1}}, "scale"),
    ("two_tower.json", {**SOUND_TOWER, "match": {"dim": 4, "scale": 1, "decay": 1.5}}, "decay"),
    (INDEX, {**SOUND_INDEX, "leaves": -1}, "leaves"),
    (INDEX, {**SOUND_INDEX, "leaves": 5, "leaves_to_search": 9, "reorder": 1}, "allow"),
    (INDEX, {**SOUND_INDEX, "leaves": 5, "leaves_to_search": 1, "reorder": N_ITEMS + 1}, "allow"),
    (INDEX, {**SOUND_INDEX, "leaves": 5, "leaves_to_search": 1, "reorder": 9}, "ah_codebook.pb"),
    (INDEX, {**SOUND_INDEX, "n_items": 3}, "(3, 8)"),
    (ASSETS, SOUND_ASSETS.replace("dataset.npy", "/etc/passwd"), "/etc/passwd"),
    (ASSETS, SOUND_ASSETS.replace("DATASET_NPY", "PARTITIONER"), "dataset.npy"),
    (ASSETS, SOUND_ASSETS + "assets {\x01", "other text"),
    (ASSETS, "", "Got none"),
    (LISTS, {**SOUND_LISTS, "decay": 0}, "decay"),
    (LISTS, {**SOUND_LISTS, "scale": 1e300}, "scale"),
    (LISTS, {**SOUND_LISTS, "similar_by": "luck"}, "luck"),
    (LISTS, '{"scale": 1e999}', "parameters.json"),
    (RATINGS, {"global_mean": 3, "damping": 5, "noise": 0}, "noise"),
    (RATINGS, [], "ratings.json"),
    (RATINGS, "[" * 100_000, "ratings.json"),
    (RATINGS, "x" * (1 << 21), "ratings.json"),
    (POPULARITY, "no JSON", "parameters.json"),
    (POPULARITY, {"name": "popularity", "colour": "red"}, "colour"),
    ("retrievers/bpr/parameters.json", {"name": "bpr", "regularization": 1, "alpha": 1}, "gram.npy"),
]


@pytest.mark.parametrize(
    ("name", "content", "said"), PARAMETERS, ids=[f"{name}, {said}" for name, _, said in PARAMETERS]
)
def test_parameters_that_make_no_sense_are_refused(version: Path, name: str, content: object, said: str) -> None:
    (version / name).write_text(content if isinstance(content, str) else json.dumps(content))
    sign(version)
    with pytest.raises(BundleError) as refused:
        used(version)
    assert said in str(refused.value)
