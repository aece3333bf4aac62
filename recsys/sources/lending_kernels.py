"""Compiled loops of what items borrow, see `recsys.core.compiled`."""

from __future__ import annotations

from recsys.core.compiled import compiled
from recsys.core.queries import NO_ITEM
from recsys.core.types import Float32Array, Int32Array, Int64Array


@compiled
def most_borrowers(items: Int32Array, borrowers: Int32Array) -> int:
    """The most borrowers among the candidates [B, C] of a query; `borrowers` [N + 1] are -1 where an item is none."""
    most = 0
    for query in range(items.shape[0]):
        count = 0
        for column in range(items.shape[1]):
            count += borrowers[items[query, column]] >= 0
        most = max(most, count)
    return most


@compiled
def write_lenders(items: Int32Array, borrowers: Int32Array, lenders: Int32Array, wide: Int32Array) -> None:
    """Write the candidates [B, C] and, padded on their right, the lenders of the borrowers among them, in their order.

    Args:
        items: see above.
        borrowers: [N + 1], index of an item among the borrowers.
        lenders: [U, L].
        wide: [B, C + L * the most borrowers of a query].
    """
    for query in range(items.shape[0]):
        end = items.shape[1]
        for column in range(items.shape[1]):
            wide[query, column] = items[query, column]
            borrower = borrowers[items[query, column]]
            if borrower >= 0:
                for lender in range(lenders.shape[1]):
                    wide[query, end] = lenders[borrower, lender]
                    end += 1
        for column in range(end, wide.shape[1]):
            wide[query, column] = NO_ITEM


@compiled
def write_lent(
    wide: Float32Array,
    items: Int32Array,
    borrowers: Int32Array,
    weights: Float32Array,
    rows: Int64Array,
    scores: Float32Array,
) -> None:
    """Write rows of the candidates' scores [S, B, C]; borrowers of score 0 have the weighted mean of their lenders'.

    Args:
        wide: [R, B, ...], of the items that `write_lenders` gave.
        items: [B, C].
        borrowers: [N + 1], index of an item among the borrowers.
        weights: [U, L], of each borrower's lenders.
        rows: [R], of `scores`.
        scores: see above.
    """
    for query in range(items.shape[0]):
        end = items.shape[1]
        for column in range(items.shape[1]):
            borrower = borrowers[items[query, column]]
            for source in range(len(rows)):
                score = wide[source, query, column]
                if borrower >= 0 and score == 0:
                    for lender in range(weights.shape[1]):
                        score += weights[borrower, lender] * wide[source, query, end + lender]
                scores[rows[source], query, column] = score
            if borrower >= 0:
                end += weights.shape[1]
