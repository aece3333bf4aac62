"""ONNX files of TensorFlow functions, each compared with its function."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from recsys.core.errors import BundleError
from recsys.models.onnx_graph import OPSET
from recsys.sources.onnx_session import OnnxModel

MAX_DIFFERENCE = 1e-4  # relative to the largest output


def export_onnx(
    function: Any, path: Path, example: Mapping[str, NDArray[np.generic]], graph: onnx.ModelProto | None = None
) -> float:
    """Write an ONNX file that computes what `function` does, and compare both on `example`.

    Args:
        function: tf.function with an input signature and one named output.
        path: the ONNX file to write.
        example: input name -> values.
        graph: what to write; None: `function` is converted.

    Returns:
        Largest absolute difference of the outputs, relative to the largest output.

    Raises:
        BundleError: the outputs differ by more than `MAX_DIFFERENCE`, or the model cannot be loaded.
    """
    model = _converted(function.get_concrete_function(), path.stem) if graph is None else graph
    path.write_bytes(model.SerializeToString())
    (expected,) = function(**{name: tf.constant(values) for name, values in example.items()}).values()
    return checked_difference(path.name, OnnxModel(path)(**example), expected.numpy())


def checked_difference(name: str, actual: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """`relative_difference` of what is served and what TensorFlow computes.

    Raises:
        BundleError: it exceeds `MAX_DIFFERENCE`; `name` says whose.
    """
    difference = relative_difference(actual, expected)
    if not difference <= MAX_DIFFERENCE:  # NaN fails too
        raise BundleError(
            f"{name} to compute what TensorFlow does, within {MAX_DIFFERENCE:g}",
            f"a relative difference of {difference:g}",
            "use the package versions of requirements.txt; or train with a lower learning rate, if weights grew huge",
        )
    return difference


def relative_difference(actual: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Largest absolute difference relative to the largest expected value; infinite for unlike shapes."""
    if actual.shape != expected.shape:
        return float("inf")
    return float(np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-12))


def _converted(concrete: Any, name: str) -> onnx.ModelProto:
    """The ONNX twin of a concrete function; variables and captured tensors become constants.

    The converters of tf2onnx.convert would ask for captured tensors as inputs.
    """
    import tf2onnx  # noqa: PLC0415 - takes a second; only exports need it

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)  # at WARNING it lists every rewritten node
    names = [spec.name for spec in concrete.structured_input_signature[0]]
    (output,) = concrete.structured_outputs
    with _native_log_hidden():
        frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=False, aggressive_inlining=True)
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(frozen.graph.as_graph_def(add_shapes=True), name="")
            converted = tf2onnx.tfonnx.process_tf_graph(
                graph,
                opset=OPSET,
                custom_op_handlers={"Erfc": (_convert_erfc, [])},
                input_names=[tensor.name for tensor in frozen.inputs],
                output_names=[tensor.name for tensor in frozen.outputs],
                tensors_to_rename={
                    **{tensor.name: name for tensor, name in zip(frozen.inputs, names, strict=True)},
                    frozen.outputs[0].name: output,
                },
            )
            return renumbered(tf2onnx.optimizer.optimize_graph(converted).make_model(name))


def renumbered(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model, with nodes in the order of their use and everything inside named by its place in it.

    The converter walks sets of names, in an order that differs from process to process, and so numbers constants:
    without this two runs of one seed would write different bytes.
    """
    nodes, constants, names = _in_order_of_use(model.graph)
    renamed = onnx.ModelProto()
    renamed.CopyFrom(model)
    for field in ("node", "initializer", "value_info"):
        renamed.graph.ClearField(field)
    for number, node in enumerate(nodes):
        copy = renamed.graph.node.add()
        copy.CopyFrom(node)
        copy.name = f"{node.op_type}_{number}"
        copy.input[:] = [names.get(name, name) for name in node.input]
        copy.output[:] = [names[name] for name in node.output]
    for constant in constants:
        copy = renamed.graph.initializer.add()
        copy.CopyFrom(constant)
        copy.name = names[constant.name]
    _number_free_sizes(renamed.graph)
    onnx.checker.check_model(renamed)
    return renamed


def _number_free_sizes(graph: onnx.GraphProto) -> None:
    """Name the sizes that inputs and outputs leave open by their order: the converter counts on from file to file."""
    names: dict[str, str] = {}
    for value in (*graph.input, *graph.output):
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_param = names.setdefault(size.dim_param, f"size_{len(names)}")


def _in_order_of_use(graph: onnx.GraphProto) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto], dict[str, str]]:
    """The nodes and constants that the outputs need, in the order of their use, and a new name for each value."""
    makers = {name: node for node in graph.node for name in node.output}
    constants = {constant.name: constant for constant in graph.initializer}
    names = {value.name: value.name for value in (*graph.input, *graph.output)}
    nodes: dict[int, onnx.NodeProto] = {}
    used: dict[str, onnx.TensorProto] = {}

    def visit(name: str) -> None:
        if name in constants:
            names.setdefault(name, f"constant_{len(used)}")
            used.setdefault(name, constants[name])
        maker = makers.get(name)
        if maker is None or id(maker) in nodes:
            return
        for needed in maker.input:
            visit(needed)
        number = len(nodes)
        nodes[id(maker)] = maker
        for position, output in enumerate(maker.output):
            names.setdefault(output, f"{maker.op_type}_{number}_{position}")

    for value in graph.output:
        visit(value.name)
    return list(nodes.values()), list(used.values()), names


@contextmanager
def _native_log_hidden() -> Iterator[None]:
    """TensorFlow's graph optimizer reports to stderr from C++, whatever the log level: keep that off the screen."""
    sys.stderr.flush()
    stderr = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _convert_erfc(ctx: Any, node: Any, *_: object, **__: object) -> None:
    """GELU becomes Erfc, which tf2onnx cannot convert and only warns of: 1 - Erf."""
    output, dtype, shape = node.output[0], ctx.get_dtype(node.output[0]), ctx.get_shape(node.output[0])
    source = node.input[0]
    ctx.remove_node(node.name)
    erf = ctx.make_node("Erf", [source], dtypes=[dtype], shapes=[shape])
    one = ctx.make_const(f"{node.name}_one", np.ones((), np.float32))
    ctx.make_node(
        "Sub", [one.output[0], erf.output[0]], outputs=[output], name=node.name, dtypes=[dtype], shapes=[shape]
    )
