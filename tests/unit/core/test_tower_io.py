"""What the two sides of an exported tower agree on, and that both keep to it."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM
from recsys.core.tower_io import OUT_OF_VOCABULARY, QUERY_TOWER, Padded, id_rows
from recsys.sources.two_tower.kernels import tower_inputs

DAY = 86_400


def test_rows_that_training_did_not_see_share_the_first_row_of_a_table() -> None:
    assert id_rows(np.array([NO_ITEM, 0, 7])).tolist() == [OUT_OF_VOCABULARY, 1, 8]
    assert id_rows(np.array([3], np.int64)).dtype == np.int32


def test_values_are_named_in_order_and_all_of_them() -> None:
    assert list(QUERY_TOWER.named(1, 2, 3, 4).items()) == [("history", 1), ("lengths", 2), ("gaps", 3), ("user", 4)]
    with pytest.raises(ValueError, match="shorter"):
        QUERY_TOWER.named(1, 2)
    assert QUERY_TOWER.onnx_file == "onnx/query_tower.onnx"


def test_training_and_server_read_the_same_of_a_history() -> None:
    """Users 0 and 1 of two and three interactions, of whom the longest two are read; user -1 is a stranger."""
    users = np.array([4, NO_ITEM], np.int32)
    times = np.array([0, 3, 0, 1, 2]) * DAY
    histories = Histories.from_rows(2, np.array([0, 0, 1, 1, 1]), np.array([2, 0, 1, 2, 3]), times)
    padded = Padded.of(histories.last(2), users)
    assert padded.history.tolist() == [[2, 0], [2, 3]]
    assert padded.lengths.tolist() == [2, 2]
    np.testing.assert_allclose(padded.gaps, [[0, np.log(4)], [0, np.log(2)]], rtol=1e-6)
    assert padded.user.tolist() == [5, OUT_OF_VOCABULARY]

    embeddings = np.arange(4, dtype=np.float16)[:, None]  # of one number, the item's row
    served = tower_inputs(
        histories.indptr,
        histories.items,
        histories.timestamps,
        users,
        np.arange(2),
        2,
        embeddings.view(np.uint16),
    )
    for value, expected in zip(
        served, (padded.history[..., None], padded.lengths, padded.gaps, padded.user), strict=True
    ):
        np.testing.assert_allclose(value, expected, rtol=1e-6)
