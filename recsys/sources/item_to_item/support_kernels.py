"""The compiled loop that counts who stands behind neighbour lists, see `recsys.core.compiled`."""

from __future__ import annotations

from recsys.core.compiled import compiled
from recsys.core.queries import NO_ITEM
from recsys.core.types import Int32Array, Int64Array, UInt16Array

MOST = 65535  # the largest number that is kept
_NOBODY = -1


@compiled
def count_supporters(
    indptr: Int64Array,
    items: Int32Array,
    timestamps: Int64Array,
    users: Int64Array,
    places: Int64Array,
    starts: Int64Array,
    neighbours: Int32Array,
    window: int,
    slots: Int32Array,
    counted: Int64Array,
    support: UInt16Array,
) -> None:
    """Count the users who chose an item and its neighbour, each user once for each neighbour.

    Args:
        indptr, items, timestamps: histories of U users, oldest first.
        users: [T], whose each interaction is.
        places: [T], the interactions by item, those of an item by user.
        starts: [N + 1], where those of each item begin in `places`.
        neighbours: [N, K], the lists.
        window: how many positions later than the item a neighbour counts, if its time is later, too; 0: wherever it
            stands in the history.
        slots: int32 [N], 0 before and after.
        counted: int64 [K], scratch: the user who was counted last for a neighbour.
        support: [N, K], what is written; 0 before.
    """
    for item in range(len(neighbours)):
        for column in range(neighbours.shape[1]):
            if neighbours[item, column] == NO_ITEM:
                break
            slots[neighbours[item, column]] = column + 1
            counted[column] = _NOBODY
        for index in range(starts[item], starts[item + 1]):
            place = places[index]
            user = users[place]
            first, end = indptr[user], indptr[user + 1]
            if window > 0:
                first, end = place + 1, min(end, place + 1 + window)
            elif index > starts[item] and users[places[index - 1]] == user:
                continue  # the whole history was looked at
            for other in range(first, end):
                column = slots[items[other]] - 1
                if column < 0 or counted[column] == user:
                    continue
                if window == 0 or timestamps[other] > timestamps[place]:
                    counted[column] = user
                    support[item, column] = min(int(support[item, column]) + 1, MOST)
        for column in range(neighbours.shape[1]):
            if neighbours[item, column] == NO_ITEM:
                break
            slots[neighbours[item, column]] = 0
