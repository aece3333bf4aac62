from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from recsys.core.errors import BundleError
from recsys.core.histories import Histories
from recsys.core.queries import Queries
from recsys.sources.two_tower import query_tower
from recsys.sources.two_tower.query_tower import QueryTower
from tests.support.bundles import DAY, MAX_HISTORY, make_embeddings, make_histories, write_query_tower


def queries(histories: Histories) -> Queries:
    users = np.arange(len(histories), dtype=np.int32)
    return Queries(histories, users, np.zeros(len(histories), np.int64))


def write_probe(path: Path) -> None:
    """user_embedding = [sum of history, length, sum of gaps, user]: shows what is fed."""
    info, make, floating = helper.make_tensor_value_info, helper.make_node, TensorProto.FLOAT
    nodes = [
        make("ReduceSum", ["history", "both"], ["items"], keepdims=1),
        make("Squeeze", ["items", "axis"], ["total"]),
        make("ReduceSum", ["gaps", "axis"], ["gap_total"], keepdims=1),
        make("Cast", ["lengths"], ["count"], to=floating),
        make("Unsqueeze", ["count", "axis"], ["count_column"]),
        make("Cast", ["user"], ["id"], to=floating),
        make("Unsqueeze", ["id", "axis"], ["id_column"]),
        make("Concat", ["total", "count_column", "gap_total", "id_column"], ["user_embedding"], axis=1),
    ]
    inputs = [
        info("history", floating, ["B", "L", 4]),
        info("lengths", TensorProto.INT32, ["B"]),
        info("gaps", floating, ["B", "L"]),
        info("user", TensorProto.INT32, ["B"]),
    ]
    constants = [
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("both", TensorProto.INT64, [2], [1, 2]),
    ]
    graph = helper.make_graph(nodes, "probe", inputs, [info("user_embedding", floating, ["B", 4])], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def test_feeds_history_lengths_gaps_and_user(tmp_path: Path) -> None:
    write_probe(tmp_path / "tower.onnx")
    embeddings = np.array([[1, 0, 0, 0], [10, 0, 0, 0], [100, 0, 0, 0]], np.float32)
    histories = Histories.from_rows(
        3, np.array([0, 0, 0, 2]), np.array([0, 1, 2, 1]), np.array([0, 5 * DAY, 7 * DAY, 9 * DAY])
    )
    found = QueryTower(tmp_path / "tower.onnx", max_history=2).encode(queries(histories), embeddings)
    # The two latest of user 0 are items 1 and 2, two days apart; what lies before the window leaves no gap.
    assert found[0].tolist() == pytest.approx([110, 2, np.log(3), 1])
    assert found[1].tolist() == [0, 0, 0, 0]
    assert found[2].tolist() == pytest.approx([10, 1, 0, 3])


def test_an_unknown_user_is_row_0(tmp_path: Path) -> None:
    write_probe(tmp_path / "tower.onnx")
    histories = Histories.from_rows(1, np.array([0]), np.array([0]), np.array([0]))
    stranger = Queries(histories, np.array([-1], np.int32), np.zeros(1, np.int64))
    assert QueryTower(tmp_path / "tower.onnx", 5).encode(stranger, np.ones((1, 4), np.float32))[0, 3] == 0


def test_blocks_by_length_come_back_in_the_order_of_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_query_tower(tmp_path / "tower.onnx", 4)
    monkeypatch.setattr(query_tower, "_BLOCK_QUERIES", 3)
    embeddings, histories = make_embeddings(30, 4), make_histories(20, 30)
    found = QueryTower(tmp_path / "tower.onnx", MAX_HISTORY).encode(queries(histories), embeddings)
    for row in range(19):
        items = histories.items[histories.indptr[row] : histories.indptr[row + 1]][-MAX_HISTORY:]
        np.testing.assert_allclose(found[row], embeddings[items].mean(axis=0), rtol=1e-5, atol=1e-6)
    assert (found[19] == 0).all()


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tower.onnx").write_bytes(b"not a model")
    with pytest.raises(BundleError, match="ONNX model"):
        QueryTower(tmp_path / "tower.onnx", 5)
    with pytest.raises(BundleError, match=r"missing\.onnx"):
        QueryTower(tmp_path / "missing.onnx", 5)


def test_a_model_with_other_inputs_is_refused(tmp_path: Path) -> None:
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Identity", ["surprise"], ["user_embedding"])],
        "other",
        [info("surprise", TensorProto.FLOAT, ["B", 4])],
        [info("user_embedding", TensorProto.FLOAT, ["B", 4])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "t.onnx")
    with pytest.raises(BundleError, match="surprise"):
        QueryTower(tmp_path / "t.onnx", 5).encode(queries(make_histories(3, 5)), make_embeddings(5, 4))
