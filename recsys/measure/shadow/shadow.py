"""Replay served lists on the bundle in use and on a new one."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from recsys.bundle import Bundle
from recsys.core.errors import RecsysError
from recsys.histories.reading import StoreReader
from recsys.measure.shadow.compare import Pair, overlap_of, refusals_of, side_of
from recsys.measure.shadow.replay import Replayed, Replayer, Shop
from recsys.measure.shadow.report import ShadowReport
from recsys.measure.shadow.served import Drawn, draw
from recsys.retraining_config import ShadowConfig
from recsys.rules.rule import Rule
from recsys.store import Event, Served, Store, StoreError, StoreUnavailable, UserAttributes

logger = logging.getLogger(__name__)

SECONDS_PER_HOUR = 3600
UNKNOWN_HISTORY = "lists made from a history that the store does not know any more"
OUT_OF_TIME = "lists that time did not allow for"


def shadow(
    store: Store | None, old: Bundle, new: Bundle, settings: ShadowConfig, *, seed: int, now: float
) -> ShadowReport:
    """Make lists of the served log again, by both bundles from the same histories, and compare them.

    A list is made from what the store and each bundle know of its user up to the time when it was served, and obeys
    the shop's rules and what is said of its items now. Both bundles take turns at who is first.

    Args:
        store: that the lists were served from; None: there is none.
        old, new: the bundle in use and the one that may take its place, open.
        settings: how many lists, of which hours, and what speaks against the new bundle.
        seed: of the sample.
        now: end of the hours, in seconds since 1970.

    Returns:
        The report; a store that does not answer and a log without lists are said in it.
    """
    since = now - settings.hours * SECONDS_PER_HOUR
    if settings.lists == 0:
        return ShadowReport("off", "No served list was replayed: shadow.lists is 0.", since, now)
    if store is None:
        return ShadowReport("no store", "No served list was replayed: there is no store.", since, now)
    started = time.monotonic()
    try:
        run = _Run(store, old, new, settings, started + settings.seconds)
        drawn = draw(store.served(since, now), settings.lists, seed, started + settings.seconds / 2)
        if not drawn.lists:
            says = f"No served list was replayed: the log of the {settings.hours:g} hours has none of a user."
            return ShadowReport("no lists", says, since, now, drawn.logged, dict(drawn.skipped))
        run.replay(drawn.lists)
    except (StoreError, StoreUnavailable) as error:
        says = f"No served list was replayed: the store does not answer ({error.got})."
        return ShadowReport("store unavailable", says, since, now)
    report = run.report(drawn, since, now, time.monotonic() - started)
    return replace(report, refusals=tuple(refusals_of(report, settings)))


@dataclass
class _Run:
    """Both bundles, and what came of each list."""

    store: Store
    old: Bundle
    new: Bundle
    settings: ShadowConfig
    deadline: float
    pairs: list[Pair] = field(default_factory=list)
    failures: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    skipped: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        shop, reader = shop_of(self.store), _LastRead(StoreReader(self.store))
        self._sides = [Replayer(bundle, reader, shop, self.settings.live_events) for bundle in (self.old, self.new)]

    def replay(self, lists: Sequence[Served]) -> None:
        """Ask both bundles for each list, until time is up."""
        for side in self._sides:
            self._made(side, lists[0], Counter())  # compiled loops are read, or compiled, at the first list
        for place, served in enumerate(lists):
            if time.monotonic() > self.deadline:
                self.skipped[OUT_OF_TIME] += len(lists) - place
                return
            self._replay(place, served)

    def _replay(self, place: int, served: Served) -> None:
        made: list[Replayed | None] = [None, None]
        failed = Counter[str](), Counter[str]()
        for which in (0, 1) if place % 2 == 0 else (1, 0):
            made[which] = self._made(self._sides[which], served, failed[which])
        read = served.details is not None and served.details.history > 0
        if read and all(one is not None and one.history == 0 for one in made):
            self.skipped[UNKNOWN_HISTORY] += 1
            return
        for total, more in zip(self.failures, failed, strict=True):
            total.update(more)
        self.pairs.append(Pair(served, made[0], made[1]))

    def _made(self, side: Replayer, served: Served, failures: Counter[str]) -> Replayed | None:
        try:
            return side.make(served)
        except StoreUnavailable:
            raise
        except Exception as error:  # whatever a new bundle breaks with is what the replay is to find out
            logger.debug("A list was not made by %s", side.bundle.version, exc_info=True)
            failures[error.got if isinstance(error, RecsysError) else f"{type(error).__name__}: {error}"] += 1
            return None

    def report(self, drawn: Drawn, since: float, until: float, seconds: float) -> ShadowReport:
        """What came of all lists."""
        lists = [pair.served for pair in self.pairs]
        old = side_of(self.old.version, lists, [pair.old for pair in self.pairs], self.failures[0])
        new = side_of(self.new.version, lists, [pair.new for pair in self.pairs], self.failures[1])
        both = [(pair.old.item_ids, pair.new.item_ids) for pair in self.pairs if pair.old and pair.new]
        before = {item for first, _ in both for item in first}
        after = {item for _, second in both for item in second}
        left = before - after
        as_served = [
            len({*pair.old.item_ids} & {*pair.served.item_ids}) / len(pair.served.item_ids)
            for pair in self.pairs
            if pair.old and pair.served.bundle_version == self.old.version
        ]
        says = f"{len(self.pairs)} of {drawn.logged} served lists were made again by both bundles."
        return ShadowReport(
            state="compared",
            says=says if drawn.whole else f"{says} The log is longer; there was no time to read more of it.",
            since=since,
            until=until,
            logged=drawn.logged,
            skipped=dict(drawn.skipped + self.skipped),
            replayed=len(self.pairs),
            seconds=round(seconds, 3),
            old=old,
            new=new,
            overlap=overlap_of(both) if both else None,
            as_served=sum(as_served) / len(as_served) if as_served else None,
            entered=len(after - before),
            left=len(left),
            gone=len(left) - len(self.new.catalogue.item_rows(sorted(left))),
        )


class _LastRead:
    """A reader that both bundles ask for the same, one after the other."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader
        self._events: tuple[object, dict[str, list[Event]]] | None = None

    def events_of(self, user_ids: Sequence[str], until: float | None, limit: int) -> dict[str, list[Event]]:
        """See `HistoryReader`."""
        asked = tuple(user_ids), until, limit
        if self._events is None or self._events[0] != asked:
            self._events = asked, self._reader.events_of(user_ids, until, limit)
        return self._events[1]

    def attributes_of(self, user_ids: Sequence[str]) -> dict[str, UserAttributes]:
        """See `HistoryReader`."""
        return self._reader.attributes_of(user_ids)


def shop_of(store: Store) -> Shop:
    """What the store says besides events. A rule of another version of the program is left out, as in a server."""
    rules = []
    for stored in store.rules.read().texts:
        try:
            rules.append(Rule.model_validate_json(stored.body))
        except ValidationError:
            logger.warning("Rule %s cannot be read; lists are replayed without it", stored.key)
    return Shop(store.live_users.persons(), rules, store.items.read())
