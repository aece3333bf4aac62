from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recsys.core.errors import BundleError
from recsys.sources.base import Source
from recsys.sources.factors import ImplicitFactors
from recsys.sources.item_to_item import ItemToItem
from recsys.sources.kinds import KINDS, kind_of, load_source
from recsys.sources.popularity import Popularity

MADE: dict[str, Callable[[], Source]] = {
    "popularity": lambda: Popularity(np.ones(3, np.float32), "recent_popularity"),
    "item_to_item": lambda: ItemToItem("ease", np.zeros((3, 1), np.int32), np.ones((3, 1), np.float32), 0.5),
    "factors": lambda: ImplicitFactors("bpr", np.ones((3, 2), np.float32)),
}


def test_every_kind_is_tried_here() -> None:
    assert set(MADE) == set(KINDS)


@pytest.mark.parametrize("kind", MADE)
def test_kind_and_folder_bring_a_retriever_back(kind: str, tmp_path: Path) -> None:
    retriever = MADE[kind]()
    assert kind_of(retriever) == kind
    retriever.save(tmp_path)
    loaded = load_source(kind, tmp_path)
    assert type(loaded) is type(retriever)
    assert loaded.name == retriever.name


def test_an_object_of_no_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="int"):
        kind_of(3)  # type: ignore[arg-type]


def test_an_unknown_kind_in_a_bundle_is_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="oracle"):
        load_source("oracle", tmp_path)
