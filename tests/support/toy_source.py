"""A source from outside of the program, as a team would write its own: what comes next in the toy shop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field

from recsys.core.queries import Candidates, Queries
from recsys.core.settings import Section
from recsys.core.types import Float32Array, Int32Array
from recsys.sources.base import scores_of
from recsys.sources.dense import propose_by_scores
from recsys.sources.fitting import FitData
from recsys.sources.plugins import PluggedSource
from recsys.sources.shares import Shares
from recsys.sources.tried import Tried


class NextItemSettings(Section):
    """Of `NextItem`."""

    steps: Annotated[list[int], Tried("step")] = Field([1], description="How far the next item lies from the last.")
    reward: float = 1.0


class NextItem(PluggedSource):
    """Proposes the item that lies `step` rows behind the last one of the history, and no other."""

    Settings = NextItemSettings
    scans = True

    def __init__(self, catalogue_size: int, step: int, reward: float) -> None:
        self.catalogue_size, self.step, self.reward = catalogue_size, step, reward

    @classmethod
    def fit(cls, data: FitData, settings: NextItemSettings, *, step: int) -> Self:
        return cls(data.n_items, step, settings.reward)

    @property
    def n_items(self) -> int:
        return self.catalogue_size

    def propose(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        return propose_by_scores(self.score, self.n_items, queries, k, exclude_seen=exclude_seen)

    def score(self, queries: Queries, items: Int32Array | None = None) -> Float32Array:
        histories = queries.histories
        scores = np.full((len(queries), self.n_items), -np.inf, np.float32)
        rows = np.flatnonzero(histories.lengths)
        last = histories.items[histories.indptr[rows + 1] - 1]
        scores[rows, (last + self.step) % self.n_items] = self.reward
        return scores if items is None else scores_of(items, scores)

    def why(self, queries: Queries, items: Int32Array) -> Shares:
        lengths = queries.histories.lengths
        by_position = np.zeros((*items.shape, int(lengths.max(initial=0))))
        rows = np.flatnonzero(lengths)
        scores = self.score(queries, items)[rows]
        by_position[rows, :, lengths[rows] - 1] = np.where(np.isfinite(scores), scores, 0)
        return Shares.of_history(by_position)

    def save(self, folder: Path) -> None:
        parameters: dict[str, Any] = {
            "catalogue_size": self.catalogue_size,
            "step": self.step,
            "reward": self.reward,
        }
        (folder / "next_item.json").write_text(json.dumps(parameters), "utf8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(**json.loads((folder / "next_item.json").read_text("utf8")))
