"""What metrics and rating models are called in a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recsys.measure.ratings import BIAS, GLOBAL_MEAN, HEAD, TUNED_BIAS

METRIC_LABELS = {
    "ndcg": "NDCG",
    "recall": "Recall",
    "hit_rate": "Hit rate",
    "mrr": "MRR",
    "precision": "Precision",
    "map": "MAP",
}
_RATING_LABELS = {
    HEAD: "Rating head",
    TUNED_BIAS: "User + item bias, tuned",
    BIAS: "User + item bias",
    GLOBAL_MEAN: "Global mean",
}


def metric_label(name: str) -> str:
    """`"ndcg@10"` as "NDCG@10"."""
    metric, at, cutoff = name.partition("@")
    return f"{METRIC_LABELS.get(metric, metric)}{at}{cutoff}"


def rating_labels(ratings: Mapping[str, Any]) -> dict[str, str]:
    """The rating models evaluated, as a report calls them: the head first, then from the least RMSE up."""
    models, about = ratings["models"], ratings.get("factor_models", {})
    names = sorted(models, key=lambda name: (name != HEAD, models[name]["rmse"]["mean"]))
    labels = {name: about[name]["label"] for name in names if name in about} | _RATING_LABELS
    return {name: labels.get(name, name.replace("_", " ").capitalize()) for name in names}
