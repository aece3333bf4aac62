"""Compiled loops of inviting."""

from __future__ import annotations

from recsys.core.compiled import compiled_as_written
from recsys.core.types import Float32Array, Int64Array


@compiled_as_written
def write_best(scores: Float32Array, columns: Int64Array) -> None:
    """Write the columns of the W highest of each row's scores, the highest first; the first of equal ones.

    Args:
        scores: float32 [B, C].
        columns: int64 [B, W] of -1, which stays where W is more than C.
    """
    for row in range(scores.shape[0]):
        for column in range(scores.shape[1]):
            score = scores[row, column]
            place = columns.shape[1]
            while place > 0 and (columns[row, place - 1] < 0 or scores[row, columns[row, place - 1]] < score):
                place -= 1
            if place < columns.shape[1]:
                for other in range(columns.shape[1] - 1, place, -1):
                    columns[row, other] = columns[row, other - 1]
                columns[row, place] = column
