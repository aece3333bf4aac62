"""SavedModels of TensorFlow functions, the same bytes for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import fingerprint_pb2

_FINGERPRINT = "fingerprint.pb"


def export_saved_model(function: Any, folder: Path) -> None:
    """Write a SavedModel that computes what `function` does.

    TensorFlow leaves two things to chance: the order of a graph's variables, which are written by name here, and an id
    drawn for every SavedModel, which nothing needs and is left out.

    Args:
        function: tf.function with an input signature.
        folder: to write; it is made.
    """
    module, concrete = tf.Module(), function.get_concrete_function()
    module.function, module.weights = function, sorted(concrete.graph.variables, key=lambda variable: variable.name)
    tf.saved_model.save(module, str(folder), signatures=concrete)
    path = folder / _FINGERPRINT
    fingerprint = fingerprint_pb2.FingerprintDef.FromString(path.read_bytes())
    fingerprint.ClearField("uuid")
    path.write_bytes(fingerprint.SerializeToString(deterministic=True))
