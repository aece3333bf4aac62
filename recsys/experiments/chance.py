"""Where chance comes from: the caller's generator, so that what was drawn can be drawn again."""

from __future__ import annotations

from typing import Protocol


class Chance(Protocol):
    """Numbers from 0 to below 1: a `random.Random` or a generator of NumPy."""

    def random(self) -> float: ...
