"""The lists of a served log that can be made again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from recsys.store import Served

SESSIONS = "lists of sessions, whose items the log does not keep"
EMPTY = "lists without an item"
_LOOK_AT_THE_CLOCK = 1000  # lists


@dataclass(frozen=True)
class Drawn:
    """A sample of a served log.

    Attributes:
        lists: in the order of their times.
        logged: lists of the log that were read.
        skipped: how many of these cannot be made again, by cause.
        whole: whether the log was read to its end.
    """

    lists: list[Served]
    logged: int
    skipped: Counter[str]
    whole: bool = True


def draw(log: Iterable[Served], size: int, seed: int, deadline: float) -> Drawn:
    """Up to `size` lists of users, each as likely as any other (reservoir sampling, Vitter's algorithm R, 1985).

    Args:
        log: in the order of time; it may be far longer than the sample.
        size: of the sample.
        seed: of the draw.
        deadline: by `time.monotonic`; what has not been read by then is left out.
    """
    random = np.random.default_rng(seed)
    kept: list[Served] = []
    skipped: Counter[str] = Counter()
    logged = fit = 0
    whole = True
    for served in log:
        if logged % _LOOK_AT_THE_CLOCK == 0 and logged and time.monotonic() > deadline:
            whole = False
            break
        logged += 1
        cause = SESSIONS if served.user_id is None else None if served.item_ids else EMPTY
        if cause is not None:
            skipped[cause] += 1
            continue
        fit += 1
        if len(kept) < size:
            kept.append(served)
        elif (place := int(random.integers(fit))) < size:
            kept[place] = served
    return Drawn(sorted(kept, key=lambda one: one.timestamp), logged, skipped, whole)
