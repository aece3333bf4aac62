"""An ONNX graph whose matrix products with constants are by 8-bit integers, in blocks.

Each 64 weights of a column share a scale, and so do the 64 numbers that they are multiplied with, which are rounded
while the graph runs (block-wise quantisation, as of Dettmers et al., 8-bit Optimizers via Block-wise Quantization,
ICLR 2022). One scale for all that a layer reads, ONNX Runtime's dynamic quantisation, is faster by half and moves the
vectors of text encoders ten times as far: a few of their hidden numbers are much larger than all others.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from recsys.core.types import Float32Array

BLOCK = 64
_MIDDLE = 128  # stands for zero among unsigned bytes
_BY_INTEGERS = 4  # ONNX Runtime's level of accuracy at which products are of integers


def with_integers(model: onnx.ModelProto, block: int = BLOCK) -> onnx.ModelProto:
    """The graph of the float `model` with integers, `block` of which share a scale; for ONNX Runtime alone."""
    constants = {constant.name: constant for constant in model.graph.initializer}
    nodes, made, replaced = [], [], set()
    for node in model.graph.node:
        weights = constants.get(node.input[1]) if node.op_type == "MatMul" else None
        if weights is None:
            nodes.append(node)
            continue
        kernel = numpy_helper.to_array(weights)
        numbers, scales = in_blocks(kernel, block)
        names = f"{weights.name}_numbers", f"{weights.name}_scales"
        made += [numpy_helper.from_array(numbers, names[0]), numpy_helper.from_array(scales, names[1])]
        nodes.append(_product(node, names, kernel.shape, block))
        replaced.add(weights.name)
    result = onnx.ModelProto()
    result.CopyFrom(model)
    for field in ("node", "initializer"):
        result.graph.ClearField(field)
    result.graph.node.extend(nodes)
    result.graph.initializer.extend([one for name, one in constants.items() if name not in replaced] + made)
    result.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return result


def in_blocks(kernel: Float32Array, block: int) -> tuple[NDArray[np.uint8], Float32Array]:
    """Weights [K, N] as bytes [N, blocks, block] and scales [N * blocks]: weight = (byte - 128) * scale."""
    rows, columns = kernel.shape
    blocks = -(-rows // block)
    padded = np.zeros((blocks * block, columns), np.float32)
    padded[:rows] = kernel
    by_column = padded.T.reshape(columns, blocks, block)
    scales = np.maximum(np.abs(by_column).max(axis=2) / (_MIDDLE - 1), np.finfo(np.float32).tiny)
    numbers = np.rint(by_column / scales[:, :, np.newaxis]) + _MIDDLE
    return numbers.astype(np.uint8), scales.ravel()


def _product(node: onnx.NodeProto, constants: tuple[str, str], shape: tuple[int, ...], block: int) -> onnx.NodeProto:
    return helper.make_node(
        "MatMulNBits",
        [node.input[0], *constants],
        list(node.output),
        node.name,
        domain="com.microsoft",
        K=shape[0],
        N=shape[1],
        bits=8,
        block_size=block,
        accuracy_level=_BY_INTEGERS,
    )
