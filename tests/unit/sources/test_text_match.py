"""The text part of the two-tower's score, told by interaction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.sources.two_tower.index import ScannIndex
from recsys.sources.two_tower.query_tower import QueryTower
from recsys.sources.two_tower.settings import IndexConfig
from recsys.sources.two_tower.source import TwoTowerSource
from recsys.sources.two_tower.text_match import TextMatch
from tests.support.bundles import write_query_tower

# The first two columns are learned, the last two of text.
EMBEDDINGS = np.array([[1, 2, 1, 0], [0, 1, 0, 1], [2, 0, 3, 4], [1, 1, -2, 1], [4, 4, 0, 0]], np.float16)
MAX_HISTORY = 3


def two_tower(folder: Path, match: TextMatch | None) -> TwoTowerSource:
    """Its user vector is the mean of the history's latest items."""
    write_query_tower(folder / "tower.onnx", EMBEDDINGS.shape[1])
    tower = QueryTower(folder / "tower.onnx", MAX_HISTORY)
    return TwoTowerSource(tower, EMBEDDINGS, ScannIndex.build(EMBEDDINGS, IndexConfig()), match)


def queries(*histories: list[int]) -> Queries:
    rows = np.repeat(np.arange(len(histories)), [len(history) for history in histories])
    items = np.array([item for history in histories for item in history])
    count = len(histories)
    return Queries(
        Histories.from_rows(count, rows, items, np.arange(len(items))),
        np.full(count, -1, np.int32),
        np.zeros(count, np.int64),
    )


def test_weights_fall_off_by_the_decay_and_add_up_to_the_scale() -> None:
    assert TextMatch(2, scale=7, decay=0.5).weights(3).tolist() == pytest.approx([1, 2, 4])
    assert TextMatch(2, scale=6, decay=1).weights(3).tolist() == pytest.approx([2, 2, 2])
    assert TextMatch(2, scale=6, decay=0.1).weights(0).tolist() == []


def test_shares_are_weighted_inner_products_of_the_text_columns() -> None:
    match = TextMatch(2, scale=3, decay=0.5)  # weights 1 and 2
    shares = match.shares(EMBEDDINGS, np.array([0, 1], np.int32), np.array([2, 3, 4], np.int32))
    assert shares.tolist() == [[3, 8], [-2, 2], [0, 0]]


def test_the_learned_part_is_the_rest(tmp_path: Path) -> None:
    source = two_tower(tmp_path, TextMatch(2, scale=1, decay=1))
    shares = source.why(queries([0, 1], []), np.array([[2, 3, NO_ITEM], [2, 3, NO_ITEM]], np.int32))
    # The user's vector is (0.5, 1.5, 0.5, 0.5).
    np.testing.assert_allclose(shares.by_position[0], [[1.5, 2], [-1, 0.5], [0, 0]])
    assert shares.rest[0].tolist() == pytest.approx([1, 2, 0])
    assert not shares.by_position[1].any()
    assert not shares.rest[1].any()


def test_what_the_tower_does_not_read_has_no_share(tmp_path: Path) -> None:
    source = two_tower(tmp_path, TextMatch(4, scale=1, decay=1))  # all of the vector
    items = np.array([[2]], np.int32)
    shares = source.why(queries([4, 0, 1, 3]), items)
    assert shares.by_position[0, 0].tolist() == pytest.approx([0, 5 / 3, 4 / 3, 0])
    assert shares.rest[0, 0] == pytest.approx(0, abs=1e-6)
    assert shares.total[0, 0] == pytest.approx(source.score(queries([4, 0, 1, 3]), items)[0, 0])


def test_without_a_text_part_all_is_the_rest(tmp_path: Path) -> None:
    shares = two_tower(tmp_path, None).why(queries([0, 1]), np.array([[2, NO_ITEM]], np.int32))
    assert not shares.by_position.any()
    assert shares.rest.tolist() == [pytest.approx([4.5, 0])]


@pytest.mark.parametrize("match", [None, TextMatch(3, 12.5, 0.4)])
def test_it_is_noted_in_the_bundle(tmp_path: Path, match: TextMatch | None) -> None:
    source, folder = two_tower(tmp_path, match), tmp_path / "saved"
    folder.mkdir()
    source.save(folder)
    assert TwoTowerSource.load(folder).match == match


@pytest.mark.parametrize(
    ("history", "item", "expected"),
    [
        ([0], 2, 0.6),  # (1, 0) and (3, 4)
        ([0, 1], 2, 11 / (5 * 5**0.5)),  # (1/3, 2/3) of the scale, and (3, 4)
        ([0], 4, None),  # no text
        ([], 2, None),
        ([2], 2, 1.0),
    ],
)
def test_likeness_is_the_cosine_of_the_text_parts(history: list[int], item: int, expected: float | None) -> None:
    found = TextMatch(2, scale=3, decay=0.5).likeness(EMBEDDINGS, np.array(history, np.int32), item)
    assert found == (None if expected is None else pytest.approx(expected))
