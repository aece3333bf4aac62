"""Who likes what: seeded shoppers, a catalogue of two seasons, and the chance that a shopper chooses an item."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recsys.core.events import SECONDS_PER_DAY
from recsys.core.types import BoolArray, Float64Array, Int64Array

OPENS = 1_767_225_600.0
"""2026-01-01T00:00:00Z: the first day of the loop. Days before it are negative."""
STRONG, OUT_OF_SEASON, ELSEWHERE = 0.35, 0.10, 0.02


@dataclass(frozen=True)
class Action:
    """What a shopper does with an item, at a time in seconds since 1970."""

    user_id: str
    item_id: str
    event_type: str
    timestamp: float
    price: float


@dataclass(frozen=True)
class SimulatedShop:
    """A shop whose customers' preferences are known.

    Items belong to groups, one category and one brand each, and to a season: the first half of a group is worn before
    the shop's opening day, the second half from then on. Each shopper likes two groups.

    Attributes:
        seed: of everything random.
        n_users, n_items, n_groups: how many there are.
    """

    seed: int = 0
    n_users: int = 200
    n_items: int = 120
    n_groups: int = 8

    @cached_property
    def groups(self) -> Int64Array:
        """Group of each item [items]."""
        return np.arange(self.n_items) % self.n_groups

    @cached_property
    def is_new_season(self) -> BoolArray:
        """Whether an item is of the second season [items]."""
        return np.asarray(np.arange(self.n_items) // self.n_groups % 2 == 1)

    @cached_property
    def prices(self) -> Float64Array:
        """Of the items [items]."""
        return np.round(np.random.default_rng([self.seed, 1]).lognormal(3, 0.4, self.n_items), 2)

    @cached_property
    def liked(self) -> Int64Array:
        """The two groups that each shopper likes [users, 2]."""
        rng = np.random.default_rng([self.seed, 2])
        return np.array([rng.choice(self.n_groups, 2, replace=False) for _ in range(self.n_users)])

    def user_id(self, user: int) -> str:
        """Of a shopper."""
        return f"shopper-{user}"

    def item_id(self, item: int) -> str:
        """Of an item."""
        return f"item-{item}"

    @cached_property
    def rows(self) -> dict[str, int]:
        """Item rows by id."""
        return {self.item_id(item): item for item in range(self.n_items)}

    def chances(self, user: int, day: int) -> Float64Array:
        """Chance that a shopper who sees an item clicks it, on a day of the loop [items]."""
        likes = np.isin(self.groups, self.liked[user])
        in_season = self.is_new_season == (day >= 0)
        return np.where(likes, np.where(in_season, STRONG, OUT_OF_SEASON), ELSEWHERE)

    def catalogue(self) -> Iterator[dict[str, Any]]:
        """A record of each item."""
        for item in range(self.n_items):
            group = int(self.groups[item])
            yield {
                "item_id": self.item_id(item),
                "title": f"Article {item} of the {'new' if self.is_new_season[item] else 'first'} season",
                "brand": f"Brand {group}",
                "categories": ["Everything", f"Group {group}"],
                "price": float(self.prices[item]),
            }

    def browsing(self, user: int, day: int, actions: int) -> list[Action]:
        """What a shopper does on a day without any list: views, of which some end in a purchase, oldest first."""
        rng = np.random.default_rng([self.seed, 3, user, day + 10_000])
        chances = self.chances(user, day)
        items = rng.choice(self.n_items, actions, p=chances / chances.sum())
        moments = OPENS + (day + np.sort(rng.random(actions))) * SECONDS_PER_DAY
        made = []
        for item, moment, bought in zip(items.tolist(), moments.tolist(), rng.random(actions) < 0.4, strict=True):
            kinds = ("view", "purchase") if bought else ("view",)
            for later, kind in enumerate(kinds):
                told = self.user_id(user), self.item_id(item), kind, round(moment + 30 * later, 3)
                made.append(Action(*told, float(self.prices[item])))
        return made

    def write(self, folder: Path, *, days: int = 60, visits: float = 0.15) -> None:
        """The files of the time before the loop: `items.jsonl`, `events.csv`.

        Args:
            folder: where to.
            days: of the log, up to the opening day.
            visits: chance that a shopper comes on a day.
        """
        folder.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(record) for record in self.catalogue()]
        (folder / "items.jsonl").write_text("\n".join(lines) + "\n", "utf8")
        rng = np.random.default_rng([self.seed, 4])
        rows = ["user_id,item_id,event_type,timestamp,price"]
        for day in range(-days, 0):
            for user in np.flatnonzero(rng.random(self.n_users) < visits).tolist():
                for action in self.browsing(user, day, 3):
                    told = action.user_id, action.item_id, action.event_type, f"{action.timestamp:.3f}", action.price
                    rows.append(",".join(map(str, told)))
        (folder / "events.csv").write_text("\n".join(rows) + "\n", "utf8")
