"""What a generated shop is made of: its size, the mixture that its users choose by, time, and four natures."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from recsys.core.types import Float64Array

SHOP_FILE = "shop.json"
MOST_EVENTS = 1000  # of one user
STEEPEST = 12.0  # exponent of lengths at which all users have the fewest events


@dataclass(frozen=True)
class ShopParameters:
    """A shop follows from these alone.

    Attributes:
        users, items: how many there are, before any filter.
        events: expected number of choices; the real one is random and within a percent where users are many.
        sequence, taste, popular, again: weights of the parts of the mixture, which sum to 1.
        lifetime: for how many of the `periods` an item is on sale; 0: for ever after its launch.
        new_share: share of the items that are launched after the start; with a lifetime all are, all the time.
        fewest_events: of one user; Amazon's raw files have users with one, its 5-core files none below five.
        spread: exponent of the items' popularity by rank.
        drift: how far clusters rise and fall, as the amplitude of log-odds.
        days, periods: the shop's age, and the parts of it within which nothing changes.
        first_day: days since 1970 of its opening.
        repeats: whether users may choose an item again.
        seed: of everything.
    """

    users: int = 10_000
    items: int = 5_000
    events: int = 100_000
    sequence: float = 0.3
    taste: float = 0.5
    popular: float = 0.2
    again: float = 0.0
    lifetime: int = 0
    new_share: float = 0.4
    fewest_events: int = 1
    spread: float = 0.8
    drift: float = 0.7
    days: int = 4000
    periods: int = 64
    first_day: int = 13_500
    repeats: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        parts = (self.sequence, self.taste, self.popular, self.again)
        if abs(sum(parts) - 1) > 1e-9 or min(parts) < 0 or not self.popular:
            raise ValueError(f"sequence, taste, popular and again must sum to 1, popular above 0, not {parts}")
        if self.again and not self.repeats:
            raise ValueError("again needs repeats")
        if self.items < 16 or self.users < 1:
            raise ValueError("a shop needs 16 items and a user")
        if not self.fewest_events <= self.events / self.users < MOST_EVENTS / 2:
            raise ValueError(
                f"events / users must be from fewest_events ({self.fewest_events}) to {MOST_EVENTS // 2}, "
                f"not {self.events / self.users:.2f}"
            )

    @property
    def clusters(self) -> int:
        """Clusters grow with the square root of the items, and so do the items of each."""
        return max(4, round(self.items**0.5))

    @cached_property
    def length_chances(self) -> Float64Array:
        """[L], cumulative chances of `fewest_events`, one more, ...: a power law with the wanted mean."""
        lengths = np.arange(self.fewest_events, MOST_EVENTS + 1, dtype=np.float64)
        low, high, wanted = 0.0, STEEPEST, self.events / self.users
        for _ in range(60):  # bisection; the mean falls with the exponent
            exponent = (low + high) / 2
            chances = lengths**-exponent
            mean = (lengths * chances).sum() / chances.sum()
            low, high = (exponent, high) if mean > wanted else (low, exponent)
        return np.cumsum(chances) / chances.sum()

    def save(self, folder: Path) -> None:
        """Keep the parameters in `folder`, from where `load` reads them."""
        (folder / SHOP_FILE).write_text(json.dumps(asdict(self), indent=1) + "\n", "utf8")

    @classmethod
    def load(cls, folder: Path) -> ShopParameters:
        """The parameters of the shop in `folder`."""
        return cls(**json.loads((folder / SHOP_FILE).read_text("utf8")))

    def of_nature(self, nature: str) -> ShopParameters:
        """The same size with another nature, a name in `NATURES`."""
        return replace(self, **NATURES[nature])


NATURES: dict[str, dict[str, float | bool | int]] = {
    "mixed": {},
    "sequence": {"sequence": 0.6, "taste": 0.3, "popular": 0.1},
    "taste": {"sequence": 0.05, "taste": 0.85, "popular": 0.1},
    # An item is on sale for an eighth of the time: much of what is chosen last is known by its text alone.
    "text": {"sequence": 0.1, "taste": 0.8, "popular": 0.1, "lifetime": 8},
    "repeat": {"sequence": 0.15, "taste": 0.25, "popular": 0.1, "again": 0.5, "repeats": True},
}
