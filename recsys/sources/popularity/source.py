"""The most popular items: the baseline to beat, and the answer for a user without a history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.events import SECONDS_PER_DAY
from recsys.core.parameters import Parameters, read_parameters
from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.sort_keys import of_sort_keys, sort_keys
from recsys.core.stored_arrays import read_array, require_range
from recsys.core.types import Float32Array, Int32Array
from recsys.sources.base import Source
from recsys.sources.exact import drop_seen
from recsys.sources.new_items import NewItems

_BLOCK_QUERIES = 1024
_YEAR = 365 * SECONDS_PER_DAY
_IN_TIME = 0.99  # share of the interactions whose times are taken to be right


class Popularity(Source):
    """Scores every item by its (weighted, optionally decayed) number of interactions, the same for all users.

    It has an opinion on every item, and on queries with an empty history too.

    Attributes:
        popularity: float32 [N].
        name: "popularity", or another where two kinds of it stand side by side.
    """

    name = kind = "popularity"

    def __init__(self, popularity: Float32Array, name: str = name) -> None:
        self.popularity, self.name = popularity, name
        self._ranking = _ranked(popularity)

    @classmethod
    def fit(
        cls,
        items: NDArray[np.integer],
        n_items: int,
        *,
        weights: NDArray[np.floating] | None = None,
        timestamps: NDArray[np.integer] | None = None,
        half_life_days: float | None = None,
        name: str = name,
    ) -> Self:
        """Count interactions.

        Args:
            items: int [T], item rows.
            n_items: size of the catalogue.
            weights: float [T], weight of each interaction; default 1.
            timestamps: int [T], seconds; needed for `half_life_days`.
            half_life_days: an interaction this much older than the newest one counts half; None: no decay.
            name: of the source.
        """
        total = np.ones(len(items)) if weights is None else weights.astype(np.float64)
        if half_life_days is not None:
            if timestamps is None:
                raise ValueError("half_life_days needs timestamps")
            age = np.maximum(_now(timestamps) - timestamps, 0) / SECONDS_PER_DAY
            total = total * 0.5 ** (age / half_life_days)
        return cls(np.bincount(items, weights=total, minlength=n_items).astype(np.float32), name)

    @property
    def n_items(self) -> int:
        return len(self.popularity)

    def with_new_items(self, new: NewItems) -> Self:
        """New items are as popular as those of a catalogue that nobody has chosen: not at all."""
        wider = np.concatenate([self.popularity, np.zeros(len(new), np.float32)])
        return type(self)(wider, self.name)

    def score(self, queries: Queries, items: Int32Array | None = None) -> Float32Array:
        if items is None:
            return np.tile(self.popularity, (len(queries), 1))
        return np.where(items == NO_ITEM, np.float32(-np.inf), self.popularity[items])

    def propose(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        """The k most popular items, without those in each query's history if `exclude_seen`."""
        candidates = Candidates.none(len(queries), k)
        for rows, block in queries.blocks(_BLOCK_QUERIES):
            longest = int(block.histories.lengths.max(initial=0)) if exclude_seen else 0
            best = self._first(len(block), k + longest)
            if exclude_seen:
                best = drop_seen(best, block.histories, k)
            width = best.items.shape[1]
            candidates.items[rows, :width], candidates.scores[rows, :width] = best.items, best.scores
        return candidates

    def _first(self, n_queries: int, count: int) -> Candidates:
        """The `count` most popular items for each of `n_queries`; fewer where the catalogue ends."""
        shape = (n_queries, min(count, self.n_items))
        return Candidates(
            np.broadcast_to(self._ranking.items[:, :count], shape),
            np.broadcast_to(self._ranking.scores[:, :count], shape),
        )

    def save(self, folder: Path) -> None:
        np.save(folder / "popularity.npy", self.popularity)
        (folder / "parameters.json").write_text(json.dumps({"name": self.name}), "utf8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: a file is missing, or not what `save` writes.
        """
        path = folder / "popularity.npy"
        popularity = read_array(path, np.float32, None)
        require_range(popularity, path, 0, np.inf)
        return cls(popularity, read_parameters(folder / "parameters.json", _Noted).name)


class _Noted(Parameters, frozen=True, kw_only=True):
    """Name of the source."""

    name: str


def _ranked(popularity: Float32Array) -> Candidates:
    """All items [1, N] from the most popular one. Plain numbers are sorted: nothing has to be left out."""
    items, scores = of_sort_keys(np.sort(sort_keys(popularity, np.arange(len(popularity)))))
    return Candidates(items[None], scores[None])


def _now(timestamps: NDArray[np.integer]) -> int:
    """The latest time, but for those of the last hundredth that lie a year ahead, and further than all before is long.

    Those are of a broken clock: beside one event of 2099 all others would be of the same, endless age.
    """
    if len(timestamps) * (1 - _IN_TIME) < 1:
        return int(timestamps.max(initial=0))
    first, in_time = (int(time) for time in np.quantile(timestamps, (0, _IN_TIME), method="lower"))
    latest = in_time + max(in_time - first, _YEAR)
    return int(timestamps[timestamps <= latest].max())
