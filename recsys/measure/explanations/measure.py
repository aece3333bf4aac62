"""What a report says of explanations: a sample of users, their lists, and whether what explains them holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self, TypedDict

import numpy as np

from recsys.bundle import Bundle
from recsys.config import Config
from recsys.core.progress import Step
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float64Array, Int32Array
from recsys.explain.cheap import CheapReasons, Reasons
from recsys.explain.evidence import Evidence
from recsys.explain.explainer import Explainer
from recsys.measure.explanations.agreement import Named, agreement
from recsys.measure.explanations.curves import Order
from recsys.measure.explanations.fidelity import CHEAP, EXPLANATION, RANDOM, RECENCY, Orders, fidelity, random_orders
from recsys.measure.explanations.leave_one_out import score_drops
from recsys.measure.explanations.reasons import named_by, reason_figures
from recsys.measure.explanations.reruns import Reruns
from recsys.measure.protocol import HeldOut, main_cutoff
from recsys.measure.results import Additivity, Explanations, Fidelity
from recsys.pipeline.recommendations import Recommendations

NO_HISTORY, ONE_ITEM, NOTHING_PERSONAL = "without_history", "with_one_item_alone", "without_a_personal_item"
"""Why there are no curves of a user: nothing can be left out, there is but one order, there is nothing to explain."""


def measure_explanations(
    bundle: Bundle, held: HeldOut, config: Config, step: Step | None = None
) -> Explanations | None:
    """Explain the lists of a sample of users, and run the recommender without what explains them.

    What users chose takes no part in it. The users, the random orders and the intervals follow from `config.seed`.

    Args:
        bundle: what is served.
        held: users of the split, with the histories that are known when it is predicted.
        config: the number of users, the length of the lists, the bootstrap samples and the seed.
        step: of the run that this is; None: nobody hears of it.

    Returns:
        None where no user is to be drawn.
    """
    if not config.evaluation.explained_users:
        return None
    queries = held.sample(config.evaluation.explained_users, config.seed).queries
    recommender, k = bundle.recommender(), main_cutoff(config.evaluation.cutoffs)
    if recommender.ranker is None:
        return _nothing(len(queries), "the bundle has no ranker, and explanations are of what it decides")
    drawn = _Drawn.of(Reruns(recommender, queries, k, not held.repeats, step or Step.silent()))
    samples, seed = config.evaluation.bootstrap_samples, config.seed
    return {
        **_nothing(len(queries)),
        "reasons": reason_figures(drawn.reasons, drawn.lists.items, samples=samples, seed=seed),
        "agreement": agreement(drawn.named, drawn.histories, drawn.score_drops(), samples=samples, seed=seed),
        **_of_first_items(drawn, Explainer(recommender, bundle.source), samples, seed),
    }


class _OfFirstItems(TypedDict):
    """What is measured of the first item of each list."""

    not_measured: str | None
    left_out: dict[str, int]
    fidelity: Fidelity | None
    additivity: Additivity | None


def _of_first_items(drawn: _Drawn, explainer: Explainer, samples: int, seed: int) -> _OfFirstItems:
    """Explain the first item of each list in full, and take away and give back what explains it."""
    left_out = drawn.left_out
    users = np.flatnonzero(~np.any(list(left_out.values()), axis=0))
    counts = {cause: int(mask.sum()) for cause, mask in left_out.items()}
    if not len(users):
        reason = "no user drawn has two items in the history and a list made of it"
        return {"not_measured": reason, "left_out": counts, "fidelity": None, "additivity": None}
    reruns = replace(drawn.reruns, queries=drawn.reruns.queries.select(users))
    items = drawn.lists.items[users, 0]
    evidence = _explained(explainer, reruns, items)
    recent = [drawn.histories[user] for user in users]
    named = drawn.reasons.items[users, 0].tolist()
    orders: Orders = {
        EXPLANATION: [[tuple(share.item for share in one.history)] for one in evidence],
        CHEAP: [[_first(item, order)] for item, order in zip(named, recent, strict=True)],
        RECENCY: [[order] for order in recent],
        RANDOM: random_orders(recent, seed),
    }
    return {
        "not_measured": None,
        "left_out": counts,
        "fidelity": fidelity(reruns, items, orders, samples=samples, seed=seed),
        "additivity": _additivity(evidence),
    }


def _explained(explainer: Explainer, reruns: Reruns, items: Int32Array) -> list[Evidence]:
    """Full explanations of an item int32 [U] of each user."""
    evidence = []
    with reruns.step.bar("Explanations", len(items)) as bar:
        for row, item in enumerate(items.tolist()):
            query = reruns.queries.select([row])
            evidence.append(explainer.explain(query, item, reruns.k, exclude_seen=reruns.exclude_seen))
            bar.advance()
    return evidence


def _first(item: int, order: Order) -> Order:
    """The order with the item first; as it is for `NO_ITEM`."""
    return order if item == NO_ITEM else (item, *(other for other in order if other != item))


def _additivity(evidence: Sequence[Evidence]) -> Additivity | None:
    """Errors of all that have contributions."""
    errors = [one.contributions.additivity_error for one in evidence if one.contributions is not None]
    if not errors:
        return None
    return {"items": len(errors), "largest": float(max(errors)), "median": float(np.median(errors))}


@dataclass(frozen=True)
class _Drawn:
    """The users of the sample.

    Attributes:
        reruns: of them.
        lists: theirs.
        reasons: of all that is listed.
        named: what they name, of users of whom they could have named something else.
        histories: the distinct items of each of them, from the one last chosen back.
    """

    reruns: Reruns
    lists: Recommendations
    reasons: Reasons
    named: list[Named]
    histories: list[Order]

    @classmethod
    def of(cls, reruns: Reruns) -> Self:
        recommender, queries = reruns.recommender, reruns.queries
        lists = recommender.recommend(queries, reruns.k, exclude_seen=reruns.exclude_seen)
        starts = queries.histories.indptr[1:-1]
        histories = [tuple(dict.fromkeys(part[::-1].tolist())) for part in np.split(queries.histories.items, starts)]
        cheap = CheapReasons.of_recommender(recommender)
        reasons = cheap.of(queries, lists)
        named = [one for one in named_by(reasons, cheap.sources) if len(histories[one.user]) > 1]
        return cls(reruns, lists, reasons, named, histories)

    @property
    def left_out(self) -> dict[str, BoolArray]:
        """By cause, bool [B]: the users of whom there are no curves, each under one cause."""
        counts = np.array([len(history) for history in self.histories])
        nothing_personal = (counts > 1) & self.lists.fallback
        return {NO_HISTORY: counts == 0, ONE_ITEM: counts == 1, NOTHING_PERSONAL: nothing_personal}

    def score_drops(self) -> list[Float64Array]:
        """Of each user, float64 [n, k], see `leave_one_out.score_drops`."""
        return score_drops(self.reruns, self.histories, self.lists.items, self.lists.scores)


def _nothing(users: int, reason: str | None = None) -> Explanations:
    return {
        "not_measured": reason,
        "users": users,
        "left_out": {},
        "fidelity": None,
        "reasons": None,
        "agreement": None,
        "additivity": None,
    }
