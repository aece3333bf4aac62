"""What drawn lists would have been worth in the order of another bundle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from recsys.bundle import Bundle
from recsys.core.errors import RecsysError
from recsys.experiments.off_policy.drawn_lists import DrawnList
from recsys.experiments.off_policy.estimate import OtherOrder, other_order
from recsys.histories.reading import StoreReader
from recsys.measure.shadow.replay import Replayer
from recsys.measure.shadow.served import SESSIONS
from recsys.measure.shadow.shadow import shop_of
from recsys.outcomes.drawn import DrawnServed, drawn_served
from recsys.store import Store, StoreUnavailable

LENGTH: Final = 200
"""Items of the other bundle's list, in whose order the served ones are put."""
UNRANKED: Final = "lists with several items that the bundle does not rank"


@dataclass(frozen=True)
class OrderReport:
    """What the lists of a time would have been worth in the order of a bundle.

    Attributes:
        bundle: its version.
        since, until: the time, in seconds since 1970.
        drawn: lists whose order was drawn.
        skipped: how many of them the bundle puts in no order, by cause.
        estimate: of the others.
    """

    bundle: str
    since: float
    until: float
    drawn: int
    skipped: Mapping[str, int]
    estimate: OtherOrder


def order_report(store: Store, bundle: Bundle, live_events: int, since: float, until: float) -> OrderReport:
    """Put drawn lists in the order of a bundle, from what was known of their users then.

    Args:
        store: that the lists were served from.
        bundle: open.
        live_events: most recent items of a user whose events are read.
        since, until: when the lists were served, in seconds since 1970.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    lists, skipped = list(drawn_served(store, since, until)), Counter[str]()
    replayer = Replayer(bundle, StoreReader(store), shop_of(store), live_events)
    estimate = other_order(list(_ordered(replayer, lists, skipped)))
    return OrderReport(bundle.version, since, until, len(lists), dict(skipped), estimate)


def _ordered(replayer: Replayer, lists: Iterable[DrawnServed], skipped: Counter[str]) -> Iterable[DrawnList]:
    for served, clicked in lists:
        if served.user_id is None or served.details is None:
            skipped[SESSIONS] += 1
            continue
        try:
            ranks = {item: rank for rank, item in enumerate(replayer.make(served, length=LENGTH).item_ids)}
        except StoreUnavailable:
            raise
        except RecsysError as error:
            skipped[error.got] += 1
            continue
        # One item that is not ranked comes last; which of several would is not known.
        if sum(item not in ranks for item in served.item_ids) > 1:
            skipped[UNRANKED] += 1
            continue
        scores = [-float(ranks.get(item, LENGTH + 1)) for item in served.item_ids]
        yield DrawnList(served.user_id, served.details.propensities, clicked, scores)
