"""What a reader of a report must be warned of: where the system does not earn its keep."""

from __future__ import annotations

from recsys.measure import systems as s
from recsys.measure.best_baseline import difference
from recsys.measure.explanations.fidelity import DELETION, EXPLANATION, RANDOM, RECENCY
from recsys.measure.ratings import HEAD
from recsys.measure.results import Estimate, Explanations, RatingResults, Results, Seeds
from recsys.report.names import ORDER_LABELS, system_label

MIN_ANN_RECALL = 0.99
MOST_ADDITIVITY_ERROR = 1e-4


def warnings(results: Results) -> list[str]:
    """Sentences for the warning boxes of the report."""
    sentences = []
    best = results["best_baseline"]
    if best is not None:
        rivals = (s.POPULARITY, best["name"], best["highest_here"], s.BLEND)
        for rival in dict.fromkeys(rivals):
            sentences += _not_better(results, rival)
        sentences += _ranker_harms(results)
    depth, recall = results["ann"]["depth"], results["ann"]["recall"]
    if recall is not None and recall < MIN_ANN_RECALL:
        sentences.append(
            f"Approximate search loses {1 - recall:.1%} of the exact top {depth}: "
            "raise index.leaves_to_search or index.reorder and export again."
        )
    return sentences + _head_not_better(results["ratings"]) + _explanations_not_true(results["explanations"])


def seed_warnings(seeds: Seeds) -> list[str]:
    """What makes the spread over seeds less than it claims."""
    sentences = []
    given = [bundle["seed"] for bundle in seeds["bundles"]]
    if len(set(given)) < len(given):
        sentences.append(f"Bundles share a seed ({', '.join(map(str, given))}): their spread says little of chance.")
    for bundle in seeds["bundles"]:
        changed = ", ".join(bundle["changed_settings"])
        if changed:
            sentences.append(f"Bundle {bundle['version']} was trained with other settings than these: {changed}.")
    return sentences


def _not_better(results: Results, baseline: str) -> list[str]:
    metric = f"ndcg@{results['protocol']['main_cutoff']}"
    row = difference(results["comparisons"], s.SYSTEM, baseline, metric)
    if row is None or row["low"] > 0:
        return []
    name = system_label(baseline)
    span = _span(row)
    verb = "does not beat" if row["mean"] <= 0 else "is not clearly better than"
    return [f"The system {verb} {name}: its {metric.upper()} differs by {span}."]


def _ranker_harms(results: Results) -> list[str]:
    metric = f"ndcg@{results['protocol']['main_cutoff']}"
    row = difference(results["comparisons"], s.SYSTEM, s.ANN, metric)
    # The fallback for empty histories is part of the difference, and can only add to it.
    if row is None or row["high"] >= 0:
        return []
    return [f"The ranker lowers the {metric.upper()} of the two-tower alone by {-row['mean']:.4f}."]


def _head_not_better(ratings: RatingResults | None) -> list[str]:
    """Where the rating head errs at least as much as a plain model of ratings."""
    if not ratings or HEAD not in ratings["models"]:
        return []
    sentences = []
    head = ratings["models"][HEAD]["rmse"]["mean"]
    rivals = {
        "bias": ("user and item biases", ratings.get("head_minus_bias")),
        "svd": ("SVD", ratings.get("head_minus_svd")),
        "svdpp": ("SVD++", ratings.get("head_minus_svdpp")),
    }
    for key, (name, gap) in rivals.items():
        if gap is None:
            continue
        other = ratings["models"][gap[key]]["rmse"]["mean"]
        if head >= other:
            sentences.append(f"The rating head is no better than {name}: RMSE {head:.4f} against {other:.4f}.")
    return sentences


def _explanations_not_true(explanations: Explanations | None) -> list[str]:
    """Where an order of the history that anybody could guess does as well, or contributions do not add up."""
    if explanations is None:
        return []
    sentences = []
    found, sums = explanations["fidelity"], explanations["additivity"]
    for row in found["differences"] if found else ():
        guessed = row["order"] == EXPLANATION and row["other"] in (RECENCY, RANDOM)
        if guessed and row["metric"] == DELETION and row["high"] >= 0:
            other = ORDER_LABELS[row["other"]].lower()
            sentences.append(
                f"Explanations are not clearly truer than another order of the history ({other}): the area below the "
                f"deletion curve differs by {_span(row)}."
            )
    if sums and sums["largest"] > MOST_ADDITIVITY_ERROR:
        sentences.append(
            f"The contributions of an item miss the difference of its scores by up to {sums['largest']:.1e}."
        )
    return sentences


def _span(row: Estimate) -> str:
    """A difference with its interval."""
    return f"{row['mean']:+.4f} (95% interval {row['low']:+.4f} to {row['high']:+.4f})".replace("-", "−")
