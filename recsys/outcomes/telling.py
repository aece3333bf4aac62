"""What came of the lists of a time, told by what made them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from recsys.outcomes.attribution import ATTRIBUTION_S, outcomes_of
from recsys.outcomes.dimensions import Dimension, details_of
from recsys.outcomes.tables import CAUSES, NOT_IN_LIST, Outcomes, Unattributed
from recsys.outcomes.tally import LISTS_AT_ONCE, Tally
from recsys.store import Store


def tell_outcomes(
    store: Store,
    since: float,
    until: float,
    by: Sequence[Dimension] = (),
    *,
    now: float,
    experiment: str | None = None,
    window_s: float = ATTRIBUTION_S,
    between: Callable[[], None] = lambda: None,
) -> Outcomes:
    """Read the lists of a time with what came of them, and sum that up.

    Args:
        store: with lists and events; what arrives later is counted by the next call.
        since: the lists are those served from this time on, in seconds since 1970.
        until: and before this one.
        by: dimensions of the tables.
        now: seconds since 1970.
        experiment: key of the one whose lists alone count, of any version; None: all do. Unattributed events are not
            told then, since nobody knows whose they are, but for those that name a list without their item.
        window_s: longest time from a list to its outcome.
        between: is called after every few hundred lists; what it raises ends the reading.
    """
    tally, strangers = Tally(by, experiment), Counter[str]()
    lists = store.outcomes.lists(since, until, window_s, variants_of=experiment or "")
    for number, (served, followers) in enumerate(lists, start=1):
        if number % LISTS_AT_ONCE == 0:
            between()
        if experiment is None or any(each.experiment == experiment for each in details_of(served).variants):
            outcomes, unknown = outcomes_of(served.item_ids, followers)
            strangers.update(unknown)
            tally.add(served, outcomes)
    between()
    unattributed = {} if experiment else store.outcomes.without_list(since, until, window_s)
    unattributed |= {(NOT_IN_LIST, kind): count for kind, count in strangers.items()}
    return Outcomes(
        since=since,
        until=until,
        window_s=window_s,
        as_of=now,
        experiment=experiment,
        total=tally.total(),
        tables={dimension: tally.rows(dimension) for dimension in by},
        unnamed_lists=0 if experiment else store.outcomes.unnamed(since, until),
        unattributed=tuple(
            Unattributed(cause, kind, count)
            for cause in CAUSES
            for (of, kind), count in sorted(unattributed.items())
            if of == cause
        ),
        removed_until=store.outcomes.removed_until(),
    )
