"""Validation while training, against a plain NumPy computation."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import tensorflow as tf

from recsys.core.histories import Histories
from recsys.train.validator import Validator

N_USERS, N_ITEMS, DIM = 30, 25, 4


class LastItemModel:
    """The user vector is the history's last item's vector plus 0.01 × the history's length."""

    output_dim = DIM

    def __init__(self) -> None:
        self.items = np.random.default_rng(0).normal(size=(N_ITEMS, DIM)).astype(np.float32)

    def item_vectors(self) -> tf.Tensor:
        return tf.constant(self.items)

    def user_vectors(self, history: tf.Tensor, lengths: tf.Tensor, gaps: tf.Tensor, user: tf.Tensor) -> tf.Tensor:
        last = tf.gather(history, lengths - 1, batch_dims=1)
        return last + 0.01 * tf.cast(lengths, tf.float32)[:, None]


def parts() -> tuple[Histories, Histories]:
    rng = np.random.default_rng(1)
    known = rng.integers(0, 9, N_USERS)
    wanted = rng.integers(0, 3, N_USERS)
    items = [rng.permutation(N_ITEMS) for _ in range(N_USERS)]

    def histories(chosen: list[np.ndarray]) -> Histories:
        users = np.repeat(np.arange(N_USERS), [len(part) for part in chosen])
        return Histories.from_rows(N_USERS, users, np.concatenate(chosen), np.arange(len(users)))

    return (
        histories([items[u][: known[u]] for u in range(N_USERS)]),
        histories([items[u][known[u] : known[u] + wanted[u]] for u in range(N_USERS)]),
    )


def expected(model: LastItemModel, known: Histories, wanted: Histories, max_history: int) -> tuple[float, float]:
    ndcgs, recalls = [], []
    for user in range(N_USERS):
        seen, targets = (h.items[h.indptr[user] : h.indptr[user + 1]] for h in (known, wanted))
        if not len(seen) or not len(targets):
            continue
        scores = model.items @ (model.items[seen[-1]] + np.float32(0.01 * min(len(seen), max_history)))
        scores[seen] = -np.inf
        ranked = np.argsort(-scores)[:10]
        gains = np.isin(ranked, targets) / np.log2(np.arange(2, 12))
        ideal = (1 / np.log2(np.arange(2, 2 + len(targets)))).sum()
        ndcgs.append(gains.sum() / ideal)
        recalls.append(np.isin(targets, ranked).mean())
    return float(np.mean(ndcgs)), float(np.mean(recalls))


def test_metrics_equal_a_plain_computation() -> None:
    model, (known, wanted) = LastItemModel(), parts()
    validator = Validator(model, known, wanted, max_users=1000, max_history=5, seed=0)
    metrics = validator()
    ndcg, recall = expected(model, known, wanted, max_history=5)
    np.testing.assert_allclose([metrics["ndcg@10"], metrics["recall@10"]], [ndcg, recall], rtol=1e-5)
    # It follows the model's weights.
    model.items = -model.items[::-1].copy()
    ndcg, recall = expected(model, known, wanted, max_history=5)
    assert validator()["ndcg@10"] != metrics["ndcg@10"]
    np.testing.assert_allclose(validator()["ndcg@10"], ndcg, rtol=1e-5)


def test_seen_items_compete_where_repeats_are_predicted() -> None:
    model, (known, _) = LastItemModel(), parts()
    last = known.last(1)  # chosen again
    again = Validator(model, known, last, max_users=1000, max_history=5, seed=0, repeats=True)()
    assert again["recall@10"] > Validator(model, known, last, max_users=1000, max_history=5, seed=0)()["recall@10"] == 0


def test_a_seeded_sample_of_the_users_that_can_be_scored() -> None:
    known, wanted = parts()
    can_be_scored = np.flatnonzero((known.lengths > 0) & (wanted.lengths > 0))
    model = SimpleNamespace(output_dim=DIM)

    def sample(seed: int) -> list[int]:
        validator = Validator(model, known, wanted, max_users=7, max_history=5, seed=seed)
        return sorted(validator.users.tolist())

    assert len(set(sample(0))) == 7
    assert set(sample(0)) <= set(can_be_scored)
    assert sample(0) == sample(0)
    assert sample(0) != sample(1)


def test_no_validation_users_give_no_metrics() -> None:
    known, _ = parts()
    nothing = known.last(0)
    model = SimpleNamespace(output_dim=DIM)
    assert Validator(model, known, nothing, max_users=7, max_history=5, seed=0)() == {}
