"""What training, ONNX graphs, compiled loops, bundle and server agree on.

Numbers of the rows in tables of ids, names of the exported functions and of their inputs and output, and the keys of
a training batch are said here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from recsys.core.histories import Histories
from recsys.core.types import Float32Array, Int32Array

# Two constants, not fields of a class: compiled loops read those of a module alone.
OUT_OF_VOCABULARY = 0
"""Row, in a table of ids, of a user or an item that training did not see."""
FIRST_ID_ROW = 1
"""Row of user 0, or item 0, in a table of ids; `NO_ITEM` and user -1 become `OUT_OF_VOCABULARY`."""


def id_rows(rows: NDArray[np.integer]) -> Int32Array:
    """Rows in a table of ids of user or item `rows`."""
    return (rows + FIRST_ID_ROW).astype(np.int32)


@dataclass(frozen=True)
class ExportedFunction:
    """A function of the trained model that a bundle holds as a SavedModel and as an ONNX graph.

    Attributes:
        name: of both.
        inputs: names, in order.
        output: name of the only one.
    """

    name: str
    inputs: tuple[str, ...]
    output: str

    @property
    def onnx_file(self) -> str:
        """The graph, relative to the bundle."""
        return f"onnx/{self.name}.onnx"

    def named(self, *values: Any) -> dict[str, Any]:
        """`values` of the inputs, in order, by name."""
        return dict(zip(self.inputs, values, strict=True))


QUERY_TOWER = ExportedFunction("query_tower", ("history", "lengths", "gaps", "user"), "user_embedding")
"""float32 [B, L, D] item embeddings, int32 [B], float32 [B, L], int32 [B] id rows -> float32 [B, D]; see `Padded`."""
ITEM_TOWER = ExportedFunction("item_tower", ("text", "brand", "categories", "price", "item"), "item_embedding")
"""float32 [U, E], int32 [U], int32 [U, C], float32 [U, 2], int32 [U] id rows -> float32 [U, D]."""
RATING_HEAD = ExportedFunction("ranking_head", ("user_embedding", "item_part", "features"), "rating")
"""float32 [B, D], float32 [B, K, H], float32 [B, K, F] -> float32 [B, K]."""


@dataclass(frozen=True)
class Padded:
    """The latest interactions of B users, as the user tower reads them but for the items' embeddings.

    Attributes:
        history: int32 [B, L], item rows, `NO_ITEM` on the right.
        lengths: int32 [B].
        gaps: float32 [B, L], log(1 + days since the interaction before), 0 for the first and on the right.
        user: int32 [B], id rows.
    """

    history: Int32Array
    lengths: Int32Array
    gaps: Float32Array
    user: Int32Array

    @classmethod
    def of(cls, latest: Histories, users: NDArray[np.integer]) -> Padded:
        """From histories that were cut to the longest one, of user rows `users`."""
        return cls(
            history=np.asarray(latest.padded(latest.items, -1), np.int32),
            lengths=latest.lengths.astype(np.int32),
            gaps=np.asarray(latest.padded(latest.gaps(), 0.0), np.float32),
            user=id_rows(users),
        )


class Batch(TypedDict):
    """Of training: arrays or tensors for B users and L positions, padded on the right.

    Attributes:
        user: int32 [B], id rows.
        history: int32 [B, L], item rows; -1 as padding.
        gaps: float32 [B, L], log(1 + days since the event before).
        targets: int32 [B, L], the item that followed each position; -1 as padding.
        ratings: float32 [B, L], the target's rating, NaN where there is none.
        rating_features: float32 [B, L, F] of the target, see `recsys.pipeline.ratings`.
    """

    user: Any
    history: Any
    gaps: Any
    targets: Any
    ratings: Any
    rating_features: Any
