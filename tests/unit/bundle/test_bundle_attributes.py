"""Attributes in a bundle: written and read alike, and refused where they cannot be what the manifest says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import Attributes, open_bundle
from recsys.bundle.consistency import require_consistent
from recsys.core.attributes import NO_NAME, check_attribute_name
from recsys.core.errors import BundleError
from tests.support.bundles import make_bundle
from tests.support.damage import Array, change_array, manifest_of, mutation, sign, write_signed

N_ITEMS = 60
FEW: dict[str, list[object]] = {
    "stock": [3.0, 0.0, None, -1.0],
    "organic": [True, False, None, True],
    "seller": ["Beta", "Alpha", None, "Beta"],
    "colours": [["red", "blue"], [], None, ["blue"]],
}


def few() -> Attributes:
    """The attributes of `FEW`, its four items again and again."""
    values = {name: column * (N_ITEMS // 4) for name, column in FEW.items()}
    return Attributes.of({"stock": "number", "organic": "bool", "seller": "text", "colours": "texts"}, values)


def made(folder: Path) -> Path:
    """A version with these attributes."""
    return open_bundle(make_bundle(folder, n_items=N_ITEMS, n_users=20, attributes=few())).path


@pytest.fixture
def version(tmp_path: Path) -> Path:
    return made(tmp_path)


def used(version: Path) -> None:
    with open_bundle(version) as bundle:
        require_consistent(bundle)


def test_a_bundle_gives_back_what_was_written(version: Path) -> None:
    with open_bundle(version) as bundle:
        attributes = bundle.attributes
    assert attributes.types == {"stock": "number", "organic": "bool", "seller": "text", "colours": "texts"}
    np.testing.assert_array_equal(attributes.numbers("stock")[:4], [3, 0, np.nan, -1])
    np.testing.assert_array_equal(attributes.numbers("organic")[:4], [1, 0, np.nan, 1])
    seller = attributes.texts("seller")
    assert seller.names.tolist() == ["Alpha", "Beta"]
    assert seller.codes[:4].tolist() == [1, 0, NO_NAME, 1]
    colours = attributes.text_lists("colours")
    assert colours.names.tolist() == ["blue", "red"]
    assert colours.indptr[:5].tolist() == [0, 2, 2, 2, 3]
    assert colours.codes[:3].tolist() == [1, 0, 0]


def test_an_item_shows_what_is_known_of_it(version: Path) -> None:
    with open_bundle(version) as bundle:
        shown = [bundle.attributes.of_item(row) for row in range(3)]
    assert shown == [
        {"stock": 3.0, "organic": True, "seller": "Beta", "colours": ["red", "blue"]},
        {"stock": 0.0, "organic": False, "seller": "Alpha"},
        {},
    ]
    assert shown[0]["organic"] is True


def test_what_has_no_piece_left_is_sold_out_and_what_nothing_is_known_of_is_not() -> None:
    attributes = Attributes.of({"stock": "number"}, {"stock": FEW["stock"]})
    assert attributes.sold_out is not None
    assert attributes.sold_out.tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    "attributes",
    [
        Attributes(),
        Attributes.of({"stock": "number"}, {"stock": [1.0, None, 0.5]}),
        Attributes.of({"stock": "text"}, {"stock": ["0", "none"]}),
    ],
)
def test_nothing_is_sold_out_where_no_number_says_so(attributes: Attributes) -> None:
    assert attributes.sold_out is None


def test_a_bundle_without_attributes_has_none(tmp_path: Path) -> None:
    with open_bundle(make_bundle(tmp_path, n_items=N_ITEMS)) as bundle:
        assert bundle.attributes.of_item(5) == {}
        assert bundle.manifest.attributes == {}


# Which array, what becomes of it, and what the message says.
MISFITS: list[tuple[str, Callable[[Array], Array], str]] = [
    ("stock", lambda array: array[:-1], "float64 of shape (59,)"),
    ("stock", lambda array: array.astype(np.float32), "float32 of shape (60,)"),
    ("stock", lambda array: np.where(array == 3, np.inf, array), "inf at [0]"),
    ("organic", lambda array: array * 2, "other numbers"),
    ("seller", lambda array: array + 1, "2 at [0]"),
    ("seller", lambda array: array - 1, "-2 at [2]"),
    ("seller", lambda array: array[:-1], "int32 of shape (59,)"),
    ("colours", lambda array: array + 1, "2 at [0]"),
    ("colours", lambda array: array[:-1], "from 0 to 45"),
    ("colours.indptr", lambda array: array[:-1], "int64 of shape (60,)"),
    ("colours.indptr", lambda array: array[::-1].copy(), "from 45 to 0"),
]


@pytest.mark.parametrize(("name", "change", "message"), MISFITS)
def test_columns_that_do_not_fit_are_refused(
    version: Path, name: str, change: Callable[[Array], Array], message: str
) -> None:
    change_array(version, f"attributes/{name}.npy", change)
    with pytest.raises(BundleError) as raised:
        used(version)
    assert message in str(raised.value)
    assert f"attributes/{name.partition('.')[0]}." in str(raised.value)


def test_any_other_array_is_refused_or_harmless(tmp_path: Path) -> None:
    attributes, refusals = few(), []
    attributes.save(tmp_path)
    sound = {path: np.load(path) for path in sorted(tmp_path.glob("*.npy"))}
    for number in range(300):
        random = np.random.default_rng(number)
        path = list(sound)[number % len(sound)]
        np.save(path, mutation(random)(sound[path]))
        try:
            read = Attributes.load(tmp_path, attributes.types, N_ITEMS)
        except BundleError as error:
            refusals.append((path.name, str(error)))
        else:
            assert all(read.of_item(row).keys() <= attributes.types.keys() for row in range(N_ITEMS))
            assert read.sold_out is None or read.sold_out.shape == (N_ITEMS,)
        np.save(path, sound[path])
    assert len(refusals) > 100
    # Offsets tell that texts are missing, and are named then.
    assert all(name in message or name == "colours.npy" for name, message in refusals)


@pytest.mark.parametrize("name", ["stock.npy", "seller.names.json", "colours.indptr.npy"])
def test_a_file_that_is_cut_off_or_missing_is_refused(version: Path, name: str) -> None:
    path = version / "attributes" / name
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(BundleError, match="corrupt"):
        used(version)
    path.unlink()
    with pytest.raises(BundleError, match="partial"):
        used(version)


@pytest.mark.parametrize("names", ["[", "{}", "[1, 2]", '["Alpha", "Alpha"]', '["\\ud800", "b"]', '["one"]'])
def test_names_that_are_none_are_refused(version: Path, names: str) -> None:
    (version / "attributes" / "seller.names.json").write_text(names, "utf8")
    sign(version)
    with pytest.raises(BundleError, match="attributes/seller"):
        used(version)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"../stock": "number"}, "attributes"),
        ({"stock": "integer"}, "attributes"),
        ({"price": "number"}, "'price' is taken"),
        ({"stock": "text"}, "stock.names.json"),
        ({"brightness": "number"}, "brightness.npy"),
    ],
)
def test_a_manifest_that_tells_of_other_attributes_is_refused(
    version: Path, attributes: dict[str, str], message: str
) -> None:
    manifest = manifest_of(version)
    manifest["attributes"] = attributes
    write_signed(version, manifest)
    with pytest.raises(BundleError) as raised:
        used(version)
    assert message in str(raised.value)


@pytest.mark.parametrize("name", ["stock", "Seller", "_x", "a1", "class"])
def test_an_attribute_may_be_called_what_conditions_can_ask_for(name: str) -> None:
    assert check_attribute_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "1a", "a-b", "a b", "größe", "a" * 65, "price", "Price", "brand", "top_category", "age", "true", "id"]
)
def test_an_attribute_is_not_called_what_an_item_has_already(name: str) -> None:
    with pytest.raises(ValueError, match=r"taken|no name"):
        check_attribute_name(name)


def test_names_are_kept_as_they_are_written(tmp_path: Path) -> None:
    texts = ["Ünïcode ☃", "a\x00b", "", "\u2028"]
    attributes = Attributes.of({"seller": "text"}, {"seller": texts})
    attributes.save(tmp_path)
    read = Attributes.load(tmp_path, {"seller": "text"}, 4)
    assert [read.of_item(row)["seller"] for row in range(4)] == texts
    assert json.loads((tmp_path / "seller.names.json").read_text("utf8")) == sorted(texts)
