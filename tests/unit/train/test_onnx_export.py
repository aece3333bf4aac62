"""ONNX files compute what TensorFlow does, or are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tensorflow as tf

from recsys.core.errors import BundleError
from recsys.sources.onnx_session import OnnxModel
from recsys.train import onnx_export
from recsys.train.onnx_export import export_onnx, relative_difference, renumbered

X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


def function(compute: Any) -> Any:
    return tf.function(lambda x: {"y": compute(x)}, input_signature=[tf.TensorSpec([None, 3], tf.float32, "x")])


def test_variables_captured_tensors_and_gelu_are_converted(tmp_path: Path) -> None:
    weight, shift = tf.Variable(tf.ones([3, 2])), tf.constant([0.5, -0.5])
    path = tmp_path / "m.onnx"
    difference = export_onnx(function(lambda x: tf.nn.gelu(x @ weight + shift)), path, {"x": X})
    assert difference < 1e-6
    np.testing.assert_allclose(OnnxModel(path)(x=X[:2]), tf.nn.gelu(X[:2] @ np.ones((3, 2)) + [0.5, -0.5]), rtol=1e-5)


def test_an_onnx_file_that_computes_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong_erfc(ctx: Any, node: Any, *_: object, **__: object) -> None:
        output, source = node.output[0], node.input[0]
        dtype, shape = ctx.get_dtype(output), ctx.get_shape(output)
        ctx.remove_node(node.name)
        ctx.make_node("Erf", [source], outputs=[output], name=node.name, dtypes=[dtype], shapes=[shape])

    monkeypatch.setattr(onnx_export, "_convert_erfc", wrong_erfc)
    with pytest.raises(BundleError, match=r"m\.onnx to compute what TensorFlow does"):
        export_onnx(function(tf.nn.gelu), tmp_path / "m.onnx", {"x": X})


def test_not_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="relative difference of nan"):
        export_onnx(function(lambda x: x * np.nan), tmp_path / "m.onnx", {"x": X})


def test_difference_is_relative_to_the_largest_output() -> None:
    expected = np.array([[100.0, 1.0]])
    assert relative_difference(np.array([[100.0, 1.5]]), expected) == pytest.approx(0.005)
    assert relative_difference(expected[:, :1], expected) == np.inf


def test_what_the_converter_calls_its_constants_leaves_no_trace(tmp_path: Path) -> None:
    """Names and the order of constants differ between processes; the files do not."""
    path = tmp_path / "m.onnx"
    table, weight = tf.constant(X[:3, :2]), tf.Variable(tf.ones([3, 2]))
    export_onnx(function(lambda x: tf.nn.gelu(x @ weight) @ tf.transpose(table) + tf.gather(x, [0])), path, {"x": X})
    model = onnx.load(path)
    other = onnx.ModelProto()
    other.CopyFrom(model)
    new = {name: f"other_{number * 7 % 31}" for number, name in enumerate(_inner_names(model))}
    assert len(set(new.values())) == len(new) > 4
    for node in other.graph.node:
        node.name = f"{node.name}__{len(node.name)}"
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
    for constant in other.graph.initializer:
        constant.name = new[constant.name]
    backwards = list(other.graph.initializer)[::-1]
    del other.graph.initializer[:]
    other.graph.initializer.extend(backwards)
    assert other.SerializeToString() != path.read_bytes()
    assert renumbered(other).SerializeToString() == path.read_bytes()


def _inner_names(model: onnx.ModelProto) -> list[str]:
    outputs = {value.name for value in model.graph.output}
    made = [name for node in model.graph.node for name in node.output if name not in outputs]
    return [*made, *(constant.name for constant in model.graph.initializer)]
