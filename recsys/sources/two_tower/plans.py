"""Which queries of a batch share a call of the query tower or of the index."""

from __future__ import annotations

from collections.abc import Sequence


def plan_blocks(lengths: Sequence[int], short: int, size: int) -> list[list[int]]:
    """Rows of histories to encode together, so that little is padded; empty ones are in no block.

    A block holds up to `size` histories, each of up to `short` items or twice as many as its shortest. A single block
    of all histories is in their order.

    Args:
        lengths: of the histories, as far as they are read.
        short, size: see above.
    """
    if 0 < len(lengths) <= size and min(lengths) > 0 and max(lengths) <= max(short, 2 * min(lengths)):
        return [list(range(len(lengths)))]
    blocks: list[list[int]] = []
    longest = 0
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if lengths[row] == 0:
            continue
        if not blocks or len(blocks[-1]) == size or lengths[row] > longest:
            blocks.append([])
            longest = max(short, 2 * lengths[row])
        blocks[-1].append(row)
    return blocks


def plan_searches(lengths: Sequence[int], spare: int | None) -> dict[int, list[int]]:
    """Rows of queries to search for together, by how many more items than wanted are to be found.

    That is the history's length rounded up to `spare`, which costs nothing, or to a power of two: it depends on the
    query alone. Queries of an empty history are in no group.

    Args:
        lengths: of the histories.
        spare: see above; None: nothing is left out, and no more items are needed.
    """
    groups: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        if length > 0:
            more = 0 if spare is None else spare if length <= spare else 1 << (length - 1).bit_length()
            groups.setdefault(more, []).append(row)
    return groups
