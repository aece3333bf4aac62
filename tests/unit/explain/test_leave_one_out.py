from __future__ import annotations

from recsys.explain.evidence import HistoryShare
from recsys.explain.leave_one_out import by_fall


def share(item: int, total: float, rank: int | None = None, *, tried: bool = True) -> HistoryShare:
    return HistoryShare(item, (item,), {}, total, rank, None if rank is None else 0.5, tried)


def test_the_item_without_which_the_explained_one_falls_furthest_is_first() -> None:
    shares = [share(0, -5.0, 1), share(1, 1.0, 7), share(2, 0.5), share(3, 2.0, 7), share(4, 0.1, 1)]
    # Without 2 it is not ranked; without 1 or 3 it is the seventh, and 3 gives more; without 0 or 4 it stays.
    assert [one.item for one in by_fall(shares)] == [2, 3, 1, 4, 0]


def test_items_that_were_not_tried_come_last() -> None:
    shares = [share(0, 9.0, tried=False), share(1, 10.0, tried=False), share(2, -1.0, 2)]
    assert [one.item for one in by_fall(shares)] == [2, 1, 0]
