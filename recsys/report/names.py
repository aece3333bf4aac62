"""What systems, protocols, metrics and rating models are called in a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recsys.measure import systems as s
from recsys.measure.explanations.fidelity import CHEAP, EXPLANATION, RANDOM, RECENCY
from recsys.measure.rating_models import SVD, SVD_REFIT, SVDPP, SVDPP_REFIT
from recsys.measure.ratings import BIAS, GLOBAL_MEAN, HEAD, HEAD_REFIT, TUNED_BIAS
from recsys.sources.registry import ENTRIES

_SYSTEMS = {
    s.SYSTEM: ("Whole system", "what is served: candidates of several sources, in the order that validation chose"),
    s.ANN: ("Two-tower, ScaNN", "retrieval alone, approximate search"),
    s.EXACT: ("Two-tower, exact", "retrieval alone, exact inner products"),
    s.HYBRID: ("Hybrid", "weighted sum of two-tower and baseline scores"),
    s.BLEND: ("Blend of baselines", "weighted sum of the baselines' scores, without the two-tower"),
    **{entry.name: (entry.label, entry.description) for entry in ENTRIES.values()},
}

PROTOCOL_TITLES = {
    s.SEEN_REMOVED: "Seen items removed: items of the history are not recommended",
    s.NOTHING_REMOVED: "Nothing removed: items of the history compete too",
}

ORDER_LABELS = {
    EXPLANATION: "Full explanation",
    CHEAP: "Reason in the list, then most recent",
    RECENCY: "Most recent first",
    RANDOM: "Random",
}

METRIC_LABELS = {
    "ndcg": "NDCG",
    "recall": "Recall",
    "hit_rate": "Hit rate",
    "mrr": "MRR",
    "precision": "Precision",
    "map": "MAP",
}
_ON_TRAIN = "Fitted on train: the user's validation ratings, which the head and the biases read, are unknown to it."
_ON_BOTH = "The same settings, fitted on train and validation."
FACTOR_MODELS = {
    SVD: {"label": "SVD", "description": _ON_TRAIN},
    SVD_REFIT: {"label": "SVD, refitted", "description": _ON_BOTH},
    SVDPP: {"label": "SVD++", "description": _ON_TRAIN},
    SVDPP_REFIT: {"label": "SVD++, refitted", "description": _ON_BOTH},
}
_RATING_LABELS = {
    HEAD: "Rating head",
    HEAD_REFIT: "Rating head, items' ratings refitted",
    TUNED_BIAS: "User + item bias, tuned",
    BIAS: "User + item bias",
    GLOBAL_MEAN: "Global mean",
}


def system_label(name: str) -> str:
    """How a report calls a system."""
    return _SYSTEMS[name][0] if name in _SYSTEMS else name.replace("_", " ").capitalize()


def source_label(name: str) -> str:
    """How a report calls a source, the two-tower being one."""
    return "Two-tower" if name == s.TWO_TOWER else system_label(name)


def system_description(name: str) -> str:
    """What a system is, in a line; empty for a source from outside."""
    return _SYSTEMS[name][1] if name in _SYSTEMS else ""


def metric_label(name: str) -> str:
    """`"ndcg@10"` as "NDCG@10"."""
    metric, at, cutoff = name.partition("@")
    return f"{METRIC_LABELS.get(metric, metric)}{at}{cutoff}"


def rating_labels(ratings: Mapping[str, Any]) -> dict[str, str]:
    """The rating models evaluated, as a report calls them: the head first, then from the least RMSE up."""
    models, about = ratings["models"], ratings.get("factor_models", {})
    names = sorted(models, key=lambda name: (name != HEAD, models[name]["rmse"]["mean"]))
    labels = {name: FACTOR_MODELS[name]["label"] for name in names if name in about} | _RATING_LABELS
    return {name: labels.get(name, name.replace("_", " ").capitalize()) for name in names}
