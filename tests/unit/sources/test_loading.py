from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recsys.core.dotted import imported
from recsys.core.errors import BundleError
from recsys.sources.base import Source
from recsys.sources.factors.source import ImplicitFactors
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.loading import load_source
from recsys.sources.popularity.source import Popularity
from recsys.sources.registry import KINDS
from recsys.sources.two_tower.source import TwoTowerSource

MADE: dict[str, Callable[[], Source]] = {
    "popularity": lambda: Popularity(np.ones(3, np.float32), "recent_popularity"),
    "item_to_item": lambda: ItemToItem("ease", np.zeros((3, 1), np.int32), np.ones((3, 1), np.float32), 0.5),
    "factors": lambda: ImplicitFactors("bpr", np.ones((3, 2), np.float32)),
}


class FromOutside(Popularity):
    """A class that no registry names."""


def test_every_kind_names_the_class_of_that_kind() -> None:
    assert {kind: imported(path).kind for kind, path in KINDS.items()} == {kind: kind for kind in KINDS}
    assert set(KINDS) == {*MADE, TwoTowerSource.kind}


@pytest.mark.parametrize("kind", MADE)
def test_kind_and_folder_bring_a_source_back(kind: str, tmp_path: Path) -> None:
    source = MADE[kind]()
    assert source.kind == kind
    source.save(tmp_path)
    loaded = load_source(kind, tmp_path, source.name)
    assert type(loaded) is type(source)
    assert loaded.name == source.name


def test_a_class_from_outside_is_found_by_its_dotted_path(tmp_path: Path) -> None:
    assert FromOutside.kind == f"{__name__}.FromOutside"
    FromOutside(np.ones(3, np.float32)).save(tmp_path)
    loaded = load_source(FromOutside.kind, tmp_path, "toy")
    assert type(loaded) is FromOutside
    assert loaded.name == "toy"


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("oracle", "item_to_item"),
        ("nowhere.at.All", "No module named 'nowhere'"),
        (f"{__name__}.Absent", "AttributeError: .*Absent"),
        (".foo.Bar", "ValueError: Empty module name"),
        ("recsys.core.histories.Histories", "a source at"),
    ],
)
def test_an_unknown_kind_in_a_bundle_is_told(kind: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=told) as error:
        load_source(kind, tmp_path, "toy")
    assert kind in str(error.value)


def test_a_class_whose_module_fails_to_be_imported_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "damaged_source.py").write_text("class Bar(:", "utf8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BundleError, match="SyntaxError: ") as error:
        load_source("damaged_source.Bar", tmp_path, "toy")
    assert "the class damaged_source.Bar" in error.value.expected
