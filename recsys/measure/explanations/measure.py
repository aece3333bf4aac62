"""What a report says of explanations: a sample of users, their lists, and whether what explains them holds."""

from __future__ import annotations

import numpy as np

from recsys.bundle import Bundle
from recsys.config import Config
from recsys.core.queries import Queries
from recsys.core.types import BoolArray
from recsys.measure.explanations.curves import Order
from recsys.measure.explanations.fidelity import EXPLANATION, RANDOM, RECENCY, fidelity, random_orders
from recsys.measure.explanations.leave_one_out import by_falling, score_drops
from recsys.measure.explanations.reruns import Reruns
from recsys.measure.protocol import HeldOut, main_cutoff
from recsys.measure.results import Explanations
from recsys.pipeline.recommendations import Recommendations

NO_HISTORY, ONE_ITEM, NOTHING_PERSONAL = "without_history", "with_one_item_alone", "without_a_personal_item"
"""Why there are no curves of a user: nothing can be left out, there is but one order, there is nothing to explain."""


def measure_explanations(bundle: Bundle, held: HeldOut, config: Config) -> Explanations | None:
    """Explain the lists of a sample of users, and run the recommender without what explains them.

    What users chose takes no part in it. The users, the random orders and the intervals follow from `config.seed`.

    Args:
        bundle: what is served.
        held: users of the split, with the histories that are known when it is predicted.
        config: the number of users, the length of the lists, the bootstrap samples and the seed.

    Returns:
        None where no user is to be drawn.
    """
    if not config.evaluation.explained_users:
        return None
    queries = held.sample(config.evaluation.explained_users, config.seed).queries
    recommender, k = bundle.recommender(), main_cutoff(config.evaluation.cutoffs)
    if recommender.ranker is None:
        return _nothing(len(queries), "the bundle has no ranker, and explanations are of what it decides")
    lists = recommender.recommend(queries, k, exclude_seen=not held.repeats)
    histories = [_most_recent_first(queries, user) for user in range(len(queries))]
    causes = _left_out(histories, lists)
    users = np.flatnonzero(~np.any(list(causes.values()), axis=0))
    left_out = {cause: int(mask.sum()) for cause, mask in causes.items()}
    if not len(users):
        return _nothing(len(queries), "no user drawn has two items in the history and a list of their own") | {
            "left_out": left_out
        }
    reruns = Reruns(recommender, queries.select(users), k, exclude_seen=not held.repeats)
    recent = [histories[user] for user in users]
    items = lists.items[users]
    drops = score_drops(reruns, recent, items, lists.scores[users])
    orders = {
        EXPLANATION: [[by_falling(*pair)] for pair in zip(recent, (drop[:, 0] for drop in drops), strict=True)],
        RECENCY: [[order] for order in recent],
        RANDOM: random_orders(recent, config.seed),
    }
    samples = config.evaluation.bootstrap_samples
    return {
        "not_measured": None,
        "users": len(queries),
        "left_out": left_out,
        "fidelity": fidelity(reruns, items[:, 0], orders, samples=samples, seed=config.seed),
        "reasons": None,
        "additivity": None,
    }


def _most_recent_first(queries: Queries, user: int) -> Order:
    """The distinct items of a user's history, from the one last chosen back."""
    histories = queries.histories
    items = histories.items[histories.indptr[user] : histories.indptr[user + 1]]
    return tuple(dict.fromkeys(items[::-1].tolist()))


def _left_out(histories: list[Order], lists: Recommendations) -> dict[str, BoolArray]:
    """By cause, bool [B]: the users of whom there are no curves, each under one cause."""
    counts = np.array([len(history) for history in histories])
    return {
        NO_HISTORY: counts == 0,
        ONE_ITEM: counts == 1,
        NOTHING_PERSONAL: (counts > 1) & lists.fallback,
    }


def _nothing(users: int, reason: str) -> Explanations:
    return {
        "not_measured": reason,
        "users": users,
        "left_out": {},
        "fidelity": None,
        "reasons": None,
        "additivity": None,
    }
