"""Open an ONNX model for inference on the processor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import BundleError
from recsys.core.types import Float32Array


class OnnxModel:
    """A model with one output; is fed only those of the offered inputs that it has.

    Safe to call from several threads at once.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        """Load `path`; one call computes on `threads` threads, on all cores with 0.

        Raises:
            BundleError: no such file, or not an ONNX model.
        """
        # Its import opens a file and begins a thread; workers are forked from a process that has neither.
        import onnxruntime as ort  # noqa: PLC0415

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.path = path
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions have no common base of their own
            raise BundleError(f"an ONNX model in {path}", str(error), "export the bundle again") from error
        self._inputs = [node.name for node in self._session.get_inputs()]
        self._outputs = [node.name for node in self._session.get_outputs()]

    def __call__(self, **inputs: NDArray[np.generic]) -> Float32Array:
        """The model's output for the named inputs."""
        try:
            feed = {name: inputs[name] for name in self._inputs}
        except KeyError as missing:
            raise BundleError(
                f"{self.path.name} with inputs among {', '.join(inputs)}",
                f"it also wants {missing.args[0]}",
                "export the bundle with this version of the program",
            ) from None
        output: Float32Array = self._session.run(self._outputs, feed)[0]
        return output

    def require_output(self, output: Float32Array, shape: tuple[int, ...]) -> None:
        """Refuse an output of another shape or type than loops read.

        Raises:
            BundleError: it is one.
        """
        if output.shape != shape or output.dtype != np.float32:
            raise BundleError(
                f"float32 of shape {shape} from {self.path}",
                f"{output.dtype} of shape {output.shape}",
                "export the bundle again",
            )
