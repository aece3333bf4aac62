"""Training histories cut into windows and packed into batches, as a pure function of (seed, epoch, batch)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from recsys.core.histories import Histories
from recsys.core.tower_io import OUT_OF_VOCABULARY, Batch, id_rows
from recsys.core.types import Float32Array, Int64Array

NO_TARGET = -1


class TrainingBatches:
    """The batches of every epoch over the training histories.

    A history of T items holds T - 1 (prefix, next item) examples. Histories with more than
    `max_history` examples are cut into windows from their end; neighbouring windows share one
    item, the last target of the one and the first input of the other, so every item except a
    user's first is a target exactly once an epoch.

    Windows of like length share a batch, so that padding stays small, and the order of batches
    is shuffled. Batch k of epoch e depends on nothing but (seed, e, k): a run can stop and go on
    in the middle of an epoch.

    Attributes:
        steps_per_epoch: batches in an epoch.
        n_targets: targets in an epoch.
        largest: shape of the largest batch, padding included: histories, and length of the longest of them.
    """

    def __init__(
        self,
        histories: Histories,
        rating_features: Float32Array,
        *,
        max_history: int,
        batch_size: int,
        seed: int,
    ) -> None:
        """Cut the histories.

        Args:
            histories: train histories; row b is user row b.
            rating_features: float32 [T, F], see `RatingStatistics.prefix_features`.
            max_history: longest input of the user tower.
            batch_size: windows in a batch, of all replicas together.
            seed: of the shuffles.
        """
        self._histories = histories
        self._gaps = histories.gaps()
        self._rating_features = rating_features
        self._batch_size = batch_size
        self._seed = seed
        self._users, self._starts, self._lengths = _windows(histories, max_history)
        self.steps_per_epoch = -(-len(self._users) // batch_size)
        self.n_targets = int(self._lengths.sum())
        self.largest = _largest(self._lengths, batch_size)
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def batch(self, epoch: int, index: int, shard: int = 0, n_shards: int = 1) -> Batch:
        """Batch `index` of `epoch`, or of it the rows `shard, shard + n_shards, ...` for one replica.

        Returns:
            Arrays. A shard without rows is one row of padding.
        """
        order, firsts = self._order(epoch)
        first = firsts[index]
        rows = order[first : first + self._batch_size][shard::n_shards]
        if not len(rows):
            return self._padding_row()
        starts, lengths = self._starts[rows], self._lengths[rows]
        offsets = np.arange(lengths.max())
        valid = offsets < lengths[:, None]
        inputs = np.where(valid, starts[:, None] + offsets, 0)
        targets = np.where(valid, inputs + 1, 0)
        histories = self._histories
        gaps = np.where(valid & (offsets > 0), self._gaps[inputs], np.float32(0))
        return {
            "user": id_rows(self._users[rows]),
            "history": np.where(valid, histories.items[inputs], np.int32(NO_TARGET)),
            "gaps": gaps,
            "targets": np.where(valid, histories.items[targets], np.int32(NO_TARGET)),
            "ratings": np.where(valid, histories.ratings[targets], np.float32(np.nan)),
            "rating_features": np.where(valid[:, :, None], self._rating_features[targets], np.float32(0)),
        }

    def epoch(self, epoch: int, start: int = 0, shard: int = 0, n_shards: int = 1) -> Iterator[Batch]:
        """The batches of an epoch in order, from batch `start` on."""
        for index in range(start, self.steps_per_epoch):
            yield self.batch(epoch, index, shard, n_shards)

    def _shuffled(self, epoch: int) -> tuple[Int64Array, Int64Array]:
        """Windows by length, in random order among equals, and the batches' first positions, shuffled."""
        rng = np.random.default_rng((self._seed, epoch))
        order = rng.permutation(len(self._users))
        order = order[np.argsort(self._lengths[order], kind="stable")]
        return order, rng.permutation(self.steps_per_epoch) * self._batch_size

    def _padding_row(self) -> Batch:
        return {
            "user": np.full(1, OUT_OF_VOCABULARY, np.int32),
            "history": np.full((1, 1), NO_TARGET, np.int32),
            "gaps": np.zeros((1, 1), np.float32),
            "targets": np.full((1, 1), NO_TARGET, np.int32),
            "ratings": np.full((1, 1), np.nan, np.float32),
            "rating_features": np.zeros((1, 1, self._rating_features.shape[1]), np.float32),
        }


def _windows(histories: Histories, max_history: int) -> tuple[Int64Array, Int64Array, Int64Array]:
    """User, first position and number of examples of every window."""
    examples = np.maximum(histories.lengths - 1, 0)
    counts = -(-examples // max_history)
    users = np.repeat(np.arange(len(histories)), counts)
    from_end = np.arange(len(users)) - np.repeat(np.cumsum(counts) - counts, counts)
    ends = histories.indptr[users + 1] - 1 - from_end * max_history  # position of the window's last target
    starts = np.maximum(histories.indptr[users], ends - max_history)
    return users, starts, ends - starts


def _largest(lengths: Int64Array, batch_size: int) -> tuple[int, int]:
    """Shape of the largest batch of windows of like length; (0, 0) where there are none."""
    ordered = np.sort(lengths)
    starts = np.arange(0, len(ordered), batch_size)
    if not len(starts):
        return 0, 0
    stops = np.minimum(starts + batch_size, len(ordered))
    longest = ordered[stops - 1]
    worst = int(np.argmax((stops - starts) * longest))
    return int(stops[worst] - starts[worst]), int(longest[worst])
