"""Write ONNX graphs node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from recsys.core.types import Float32Array, Int64Array

OPSET = 18

Value = str | NDArray[np.generic]
Inputs = Mapping[str, tuple[type[np.generic], Sequence[int | str]]]


class GraphBuilder:
    """Collects the nodes of a graph; values are referred to by name or given as constants."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: Value, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node of an operator `kind`; the name of its output, or a list of them."""
        prefix = f"{kind}_{len(self._nodes)}"
        names = [f"{prefix}_{number}" for number in range(outputs)]
        self._nodes.append(helper.make_node(kind, [self._name(value) for value in inputs], names, prefix, **attributes))
        return names[0] if outputs == 1 else names

    def dense(self, rows: str, kernel: NDArray[np.floating], bias: NDArray[np.floating]) -> str:
        """The matrix `rows` [R, D] times the kernel [D, E], plus the bias."""
        return str(self.node("Gemm", rows, floats(kernel), floats(bias)))

    def model(self, name: str, inputs: Inputs, output: str, shape: Sequence[int | str]) -> onnx.ModelProto:
        """The finished model.

        Args:
            name: of the graph.
            inputs: input name -> NumPy dtype and shape, names for sizes that vary. Unused ones are left out.
            output: what the last node gives, floats, is called so.
            shape: of the output.
        """
        used = {value for node in self._nodes for value in node.input}
        self._nodes[-1].output[0] = output
        given = [_info(key, *kind) for key, kind in inputs.items() if key in used]
        graph = helper.make_graph(self._nodes, name, given, [_info(output, np.float32, shape)], self._constants)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets))
        onnx.checker.check_model(model, full_check=True)
        return model

    def _name(self, value: Value) -> str:
        if isinstance(value, str):
            return value
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name


def floats(values: Any) -> Float32Array:
    """A constant of floats."""
    return np.asarray(values, np.float32)


def ints(*values: int) -> Int64Array:
    """A constant list of sizes or indices."""
    return np.array(values, np.int64)


def _info(name: str, dtype: Any, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)
