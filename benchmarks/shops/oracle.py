"""The best that a recommender can reach on the test choices of a generated shop, in the terms of the product's report.

`knowing` knows the generator: each user's tastes, price level and last items, and the time. `inferring` knows the
model and sees what a trainer sees, the histories of the prepared dataset, and infers tastes from them (`posterior`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shops.catalogue import rows_of_codes
from benchmarks.shops.chances import NONE, Leanings, Shelf, Situations
from benchmarks.shops.parameters import ShopParameters
from benchmarks.shops.posterior import inferred_leanings
from benchmarks.shops.users import choices, profiles
from benchmarks.shops.world import World
from recsys.core.events import SECONDS_PER_DAY
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM
from recsys.core.types import Float64Array, Int64Array
from recsys.measure.metrics import Relevant, ranking_metrics
from recsys.measure.protocol import HeldOut
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset

ORACLE_FILE = "oracle.json"
CUTOFFS = (10, 100)
Figures = dict[str, float]


@dataclass(frozen=True)
class HeldChoices:
    """Held-out choices of a prepared shop in numbers of its generator.

    Attributes:
        world: the shop.
        shelf: what may be recommended, the items of the dataset's interactions.
        users: int64 [B], of each query.
        days: int64 [B], the day of each query's first held-out choice.
        relevant: what each chose, in rows of the world.
        seen: the histories of the dataset, in rows of the world.
    """

    world: World
    shelf: Shelf
    users: Int64Array
    days: Int64Array
    relevant: Relevant
    seen: tuple[Int64Array, Int64Array, Int64Array]

    @property
    def periods(self) -> Int64Array:
        """[B]."""
        parameters = self.world.parameters
        return np.clip(self.days * parameters.periods // parameters.days, 0, parameters.periods - 1)

    @classmethod
    def of(
        cls, folder: Path, dataset: PreparedDataset, split: str = "test", most: int = 0, seed: int = 0
    ) -> HeldChoices:
        """The choices of `split`, of `most` users drawn at random (0: of all), of the shop in `folder`."""
        world = World.of(ShopParameters.load(folder))
        held = HeldOut.of(dataset, split)
        held = held.sample(most, seed) if most else held
        rows = rows_of_codes(world, _numbers(dataset.item_ids))
        kept = np.zeros(world.parameters.items, bool)
        # The others are in the catalogue alone: nobody chose them, or the filter took those who did.
        kept[rows[dataset.interactions[c.ITEM].unique()]] = True
        wanted, histories = held.wanted, held.queries.histories
        days = held.queries.now // SECONDS_PER_DAY - world.parameters.first_day
        return cls(
            world,
            Shelf(world, kept),
            _numbers(dataset.user_ids[held.users]),
            days.astype(np.int64),
            Relevant(wanted.indptr, rows[wanted.items].astype(np.int32)),
            _in_world(histories, rows, world.parameters.first_day),
        )

    def true_situations(self) -> Situations:
        """What the generator knows at each query."""
        tastes, levels = profiles(self.world, self.users)
        chosen = choices(self.world, self.users)
        owners = np.repeat(np.arange(len(self.users)), np.diff(chosen.indptr))
        before = chosen.days < self.days[owners]
        indptr = np.concatenate([[0], np.cumsum(np.bincount(owners[before], minlength=len(self.users)))])
        leanings = Leanings.known(self.world, self.periods, tastes, levels)
        return Situations(self.periods, leanings, indptr.astype(np.int64), chosen.items[before])

    def hidden_share(self) -> float:
        """How often the last choice that the dataset has of a user is not the true last one, since a filter took it."""
        true, (indptr, items, _) = self.true_situations(), self.seen
        some = np.diff(true.indptr) > 0
        seen = some & (np.diff(indptr) > 0)
        same = true.items[true.indptr[1:][seen] - 1] == items[indptr[1:][seen] - 1]
        return 1 - float(same.sum() / max(some.sum(), 1))

    def allowing_for(self, hidden: float) -> HeldChoices:
        """The choices as one takes them who knows that so many last choices are hidden: the last one tells less."""
        parts = self.world.tables.parts.copy()
        parts[0] *= 1 - hidden
        parts[1:] *= (1 - parts[0]) / parts[1:].sum()
        world = replace(self.world, tables=self.world.tables._replace(parts=parts))
        return replace(self, world=world, shelf=Shelf(world, self.shelf.kept))

    def seen_situations(self, seed: int = 0) -> Situations:
        """What can be inferred from the dataset's histories at each query."""
        indptr, items, days = self.seen
        return Situations(
            self.periods, inferred_leanings(self.world, self.periods, indptr, items, days, seed), indptr, items
        )

    def measure(self, situations: Situations) -> Figures:
        """Recall and NDCG of the likeliest items, as the report has them, of first choices alone, and expected.

        What is expected is said of the first choice. Where a user has one held-out choice, all three are of that.
        """
        items, chances = self.shelf.best(situations, max(CUTOFFS))
        lists = np.where(items == NONE, NO_ITEM, items)
        of_first = {f"first {name}": figure for name, figure in _means(lists, first_of(self.relevant)).items()}
        return _means(lists, self.relevant) | of_first | expected(chances)


def first_of(relevant: Relevant) -> Relevant:
    """The first relevant item of each user that has one: the dataset orders them by time."""
    first = np.zeros(len(relevant.items), bool)
    first[relevant.indptr[:-1][relevant.counts > 0]] = True
    return relevant.keep(first)


def _means(lists: Int64Array, relevant: Relevant) -> Figures:
    figures = ranking_metrics(lists, relevant, CUTOFFS)
    return {name: float(np.nanmean(figures[name])) for k in CUTOFFS for name in (f"recall@{k}", f"ndcg@{k}")}


def expected(chances: Float64Array) -> Figures:
    """Recall and NDCG that lists with such chances [B, K] are to have on average, if one item is relevant."""
    discounts = 1 / np.log2(np.arange(chances.shape[1]) + 2)
    result = {}
    for k in CUTOFFS:
        result[f"expected recall@{k}"] = float(chances[:, :k].sum(axis=1).mean())
        result[f"expected ndcg@{k}"] = float((chances[:, :k] * discounts[:k]).sum(axis=1).mean())
    return result


def oracle(folder: Path, prepared: Path, split: str = "test", most: int = 0) -> dict[str, Any]:
    """The figures of both oracles; see the module.

    Args:
        folder: of the shop, with its shop.json.
        prepared: folder of its prepared dataset.
        split: "test" or "validation".
        most: users that are measured, drawn at random; 0: all.
    """
    held = HeldChoices.of(folder, PreparedDataset.load(prepared), split, most)
    hidden = held.hidden_share()
    cautious = held.allowing_for(hidden)
    return {
        "split": split,
        "users": len(held.users),
        "hidden": hidden,
        "knowing": held.measure(held.true_situations()),
        "inferring": cautious.measure(cautious.seen_situations()),
    }


def write_oracle(folder: Path, prepared: Path, most: int = 0) -> Mapping[str, Any]:
    """Write oracle.json into the folder of the shop."""
    figures = oracle(folder, prepared, most=most)
    (folder / ORACLE_FILE).write_text(json.dumps(figures, indent=1) + "\n", "utf8")
    return figures


def _numbers(ids: Any) -> Int64Array:
    """The numbers in ids, with or without the letter of Amazon's."""
    return np.array([int(re.sub(r"^[AB]", "", str(name))) for name in ids], np.int64)


def _in_world(histories: Histories, rows: Int64Array, first_day: int) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Histories as indptr, rows of the world and days."""
    days = histories.timestamps // SECONDS_PER_DAY - first_day
    return histories.indptr.astype(np.int64), rows[histories.items].astype(np.int64), days.astype(np.int64)
