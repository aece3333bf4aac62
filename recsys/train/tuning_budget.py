"""How many settings of a source are tried: fewer the larger the data, and none beyond a time that is given."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.sources.fitting import FitData
from recsys.sources.recipes import Chosen

ITEMS, INTERACTIONS = 100_000, 5_000_000
"""Up to this size of a catalogue and of train the whole budget counts."""


def most_fits(trials: int, data: FitData) -> int:
    """How many fits of one source its budget pays for, at least one.

    As many as trials up to `ITEMS` items and `INTERACTIONS` training interactions, beyond in proportion fewer: time
    for all fits then grows no further with the data. It depends on no clock, so that the same data give the same.
    """
    size = max(data.n_items / ITEMS, len(data.histories.items) / INTERACTIONS, 1.0)
    return math.ceil(trials / size)


@dataclass(frozen=True)
class Deadline:
    """When to begin nothing more.

    Attributes:
        end: in seconds of the monotonic clock; None: never.
    """

    end: float | None = None

    @classmethod
    def after(cls, minutes: float | None) -> Self:
        """So many minutes from now; None: never."""
        return cls(None if minutes is None else time.monotonic() + 60 * minutes)

    def share(self, among: int) -> Deadline:
        """The end of the first of equal shares of what is left, one for each of `among` tasks."""
        if self.end is None:
            return self
        now = time.monotonic()
        return Deadline(now + max(self.end - now, 0) / among)

    def leaves(self, seconds: float) -> bool:
        """Whether something that takes so long would be done in time."""
        return self.end is None or time.monotonic() + seconds <= self.end


def groups_to_try(
    settings: Sequence[Chosen], same_fit: Callable[[Chosen], Hashable], trials: int, fits: int, seed: int
) -> list[list[Chosen]]:
    """At most `trials` settings of at most `fits` fits, those of one fit together.

    The groups are drawn at random if there are more; of a single fit that may be made it is that of the first setting.
    """
    groups: dict[Hashable, list[Chosen]] = {}
    for setting in settings:
        groups.setdefault(same_fit(setting), []).append(setting)
    drawn = list(groups.values())
    if len(settings) <= trials and len(drawn) <= fits:
        return drawn
    random = np.random.default_rng(seed)
    chosen: list[list[Chosen]] = []
    for number in random.permutation(len(drawn)) if fits > 1 else (0,):
        room = trials - sum(map(len, chosen)) if len(chosen) < fits else 0
        group = drawn[number]
        kept = np.sort(random.permutation(len(group))[:room])
        if len(kept):
            chosen.append([group[at] for at in kept])
    return chosen
