"""What a reader must be warned of."""

from __future__ import annotations

from typing import Any

from recsys.evaluation import systems as s
from recsys.evaluation.ratings import HEAD

MIN_ANN_RECALL = 0.99


def best_baseline(results: dict[str, Any]) -> str | None:
    """The baseline of highest NDCG at the main cutoff, seen items removed; None without users."""
    table = results["ranking"][s.SEEN_REMOVED]["systems"]
    metric = f"ndcg@{results['protocol']['main_cutoff']}"
    return max(s.BASELINES, key=lambda name: table[name]["metrics"][metric]["mean"]) if table else None


def warnings(results: dict[str, Any]) -> list[str]:
    """Sentences for the warning boxes of the report: where the system does not earn its keep."""
    found = []
    best = best_baseline(results)
    if best is not None:
        for baseline in dict.fromkeys((s.POPULARITY, best)):
            found += _not_better(results, baseline)
        found += _rescoring_harms(results)
    depth, recall = results["ann"]["depth"], results["ann"]["recall"]
    if recall is not None and recall < MIN_ANN_RECALL:
        found.append(
            f"Approximate search loses {1 - recall:.1%} of the exact top {depth}: "
            "raise index.leaves_to_search or index.reorder and export again."
        )
    ratings = results["ratings"]
    if ratings and HEAD in ratings["models"]:
        gap = ratings["head_minus_bias"]
        head, bias = (ratings["models"][name]["rmse"]["mean"] for name in (HEAD, gap["bias"]))
        if head >= bias:
            found.append(
                "The ranking head predicts ratings no better than user and item biases: "
                f"RMSE {head:.4f} against {bias:.4f}."
            )
    return found


def difference(results: dict[str, Any], system: str, other: str, metric: str) -> dict[str, Any] | None:
    """The comparison of two systems among the results, if it was made."""
    return next(
        (
            row
            for row in results["comparisons"]
            if (row["system"], row["other"], row["metric"]) == (system, other, metric)
        ),
        None,
    )


def _not_better(results: dict[str, Any], baseline: str) -> list[str]:
    metric = f"ndcg@{results['protocol']['main_cutoff']}"
    row = difference(results, s.SYSTEM, baseline, metric)
    if row is None or row["low"] > 0:
        return []
    label = results["systems"][baseline]["label"].lower()
    name = metric.upper()
    span = f"{row['mean']:+.4f} (95% interval {row['low']:+.4f} to {row['high']:+.4f})".replace("-", "−")
    if row["mean"] <= 0:
        return [f"The system does not beat {label}: its {name} differs by {span}."]
    return [f"The system is not clearly better than {label}: its {name} differs by {span}."]


def _rescoring_harms(results: dict[str, Any]) -> list[str]:
    metric = f"ndcg@{results['protocol']['main_cutoff']}"
    row = difference(results, s.SYSTEM, s.ANN, metric)
    # The fallback for empty histories is part of the difference, and can only add to it.
    if row is None or row["high"] >= 0:
        return []
    return [f"Rescoring lowers {metric.upper()} by {-row['mean']:.4f}: lower ranking.rescore_weights."]
