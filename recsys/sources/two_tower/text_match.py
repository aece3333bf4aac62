"""The text part of a two-tower's score: a sum over the history, written beside the graph that computes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.core.types import Float16Array, Float64Array, Int32Array


@dataclass(frozen=True)
class TextMatch:
    """How the query tower makes the last columns of a user's vector from those of the items in the history.

    They are `scale` times the mean of the items' columns, with weights that fall off by `decay` for each step back.
    So the text part of a score is a sum over the history of weight times the inner product of two items' columns.

    Attributes:
        dim: how many columns, at least 1.
        scale: above 0.
        decay: in (0, 1].
    """

    dim: int
    scale: float
    decay: float

    def weights(self, length: int) -> Float64Array:
        """float64 [length], of the interactions that the tower reads, oldest first; they add up to `scale`."""
        weights = self.decay ** np.arange(length - 1, -1, -1, dtype=np.float64)
        return np.asarray(weights * (self.scale / max(weights.sum(), 1e-300)))

    def shares(self, embeddings: Float16Array, history: Int32Array, items: Int32Array) -> Float64Array:
        """float64 [C, L], what each interaction of a history gives to the scores of items.

        Args:
            embeddings: [N, D], of which the last `dim` columns count.
            history: int32 [L], rows of the items that the tower reads, oldest first.
            items: int32 [C], rows.
        """
        text = embeddings[:, -self.dim :]
        alike = text[items].astype(np.float64) @ text[history].astype(np.float64).T
        return np.asarray(alike * self.weights(len(history)))

    def likeness(self, embeddings: Float16Array, history: Int32Array, item: int) -> float | None:
        """Cosine of the text parts of a user's vector and of an item's, -1 to 1; None where one of them is 0.

        Args:
            embeddings, history: see above.
            item: its row.
        """
        text = embeddings[:, -self.dim :]
        user = self.weights(len(history)) @ text[history].astype(np.float64)
        own = text[item].astype(np.float64)
        lengths = float(np.linalg.norm(user) * np.linalg.norm(own))
        return float(np.clip(user @ own / lengths, -1, 1)) if lengths > 0 else None
