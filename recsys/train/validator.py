"""Retrieval metrics on validation while training: full ranking, seen items removed unless repeats are predicted."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recsys.core.histories import Histories
from recsys.core.tower_io import Padded
from recsys.core.types import Float32Array
from recsys.measure.metrics import ranking_metrics
from recsys.models import TwoTower

CUTOFF = 10
EARLY_STOPPING_METRIC = f"ndcg@{CUTOFF}"
REPORTED = (EARLY_STOPPING_METRIC, f"recall@{CUTOFF}")
SCORES_AT_A_TIME = 2**25  # entries of a block of scores: 128 MB
USERS_AT_A_TIME = 1024


class Validator:
    """Scores seeded validation users, each asked for with the train history.

    Users are drawn at random, since the order of users in a dataset carries meaning.
    """

    def __init__(
        self,
        model: TwoTower,
        histories: Histories,
        held_out: Histories,
        *,
        max_users: int,
        max_history: int,
        seed: int,
        repeats: bool = False,
    ) -> None:
        """Draw the users.

        Args:
            model: scored with the weights it has at each call.
            histories: from train; row b is user row b.
            held_out: the same users' interactions in validation, whose items are relevant.
            max_users: most users scored.
            max_history: longest input of the user tower.
            seed: of the draw.
            repeats: whether seen items may be chosen again, and are ranked with the others.
        """
        users = np.flatnonzero((histories.lengths > 0) & (held_out.lengths > 0))
        if len(users) > max_users:
            users = np.random.default_rng(seed).choice(users, max_users, replace=False)
        # Users with histories of like length share a block, which leaves less padding.
        self.users = users[np.argsort(histories.lengths[users], kind="stable")]
        self._seen = histories.select(self.users)
        self._inputs = self._seen.last(max_history)
        self._removed = self._seen.last(0) if repeats else self._seen
        self._relevant = held_out.select(self.users)
        self._model = model
        self._best = tf.function(
            self._best_items,
            input_signature=[
                tf.TensorSpec([None, model.output_dim], tf.float32),
                {
                    "history": tf.TensorSpec([None, None], tf.int32),
                    "lengths": tf.TensorSpec([None], tf.int32),
                    "gaps": tf.TensorSpec([None, None], tf.float32),
                    "user": tf.TensorSpec([None], tf.int32),
                    "seen": tf.TensorSpec([None, 2], tf.int64),
                },
            ],
        )

    def __len__(self) -> int:
        return len(self.users)

    def __call__(self) -> dict[str, float]:
        """Means over the users of `REPORTED`; empty where there is no validation user."""
        return {name: float(values.mean()) for name, values in self.by_user().items()}

    def by_user(self) -> dict[str, Float32Array]:
        """Of each user the figures of `REPORTED`, in the order of `users`; empty where there is no validation user."""
        if not len(self):
            return {}
        items = self._model.item_vectors()
        block = min(USERS_AT_A_TIME, max(1, SCORES_AT_A_TIME // len(items)))
        starts = range(0, len(self), block)
        ranked = np.concatenate([self._best(items, self._queries(s, s + block)).numpy() for s in starts])
        metrics = ranking_metrics(ranked, (self._relevant.indptr, self._relevant.items), [CUTOFF])
        return {name: metrics[name] for name in REPORTED}

    def _queries(self, start: int, stop: int) -> dict[str, NDArray[np.generic]]:
        rows = np.arange(start, min(stop, len(self)))
        inputs, seen = Padded.of(self._inputs.select(rows), self.users[rows]), self._removed.select(rows)
        pairs = np.stack([seen.rows, seen.items], axis=1)
        return {**vars(inputs), "seen": pairs.astype(np.int64)}

    def _best_items(self, items: tf.Tensor, queries: dict[str, tf.Tensor]) -> tf.Tensor:
        history = queries["history"]
        vectors = tf.gather(items, tf.maximum(history, 0)) * tf.cast(history >= 0, tf.float32)[..., None]
        users = self._model.user_vectors(vectors, queries["lengths"], queries["gaps"], queries["user"])
        scores = tf.matmul(users, items, transpose_b=True)
        scores = tf.tensor_scatter_nd_update(scores, queries["seen"], tf.fill([tf.shape(queries["seen"])[0]], -np.inf))
        return tf.math.top_k(scores, tf.minimum(CUTOFF, tf.shape(scores)[1])).indices
