"""The baseline to beat, and the warnings of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recsys.measure import systems as s
from recsys.measure.ratings import HEAD
from recsys.prepare import columns as c

MIN_ANN_RECALL = 0.99


def best_baseline(results: dict[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """The baseline to beat: that of the highest NDCG on validation, so that the split judged has no part in it.

    Args:
        results: with "ranking" and "protocol".
        metrics: of the bundle's manifest; without a validation figure of every baseline, those of the split itself
            choose.

    Returns:
        {"name", "single": the best but for the blend, "chosen_on": a split, "figures": name -> NDCG there,
        "highest_here": the baseline of the highest NDCG on the split itself}; None without users or baselines.
    """
    table = results["ranking"][s.SEEN_REMOVED]["systems"]
    names = s.baselines(table)
    if not names:
        return None
    metric = f"ndcg@{results['protocol']['main_cutoff']}"
    here = {name: table[name]["metrics"][metric]["mean"] for name in names}
    tuned = validation_figures(metrics, metric)
    on_validation = all(name in tuned for name in names)
    figures = {name: tuned[name] for name in names} if on_validation else here
    singles = [name for name in names if name != s.BLEND]
    return {
        "name": max(figures, key=figures.__getitem__),
        "single": max(singles, key=figures.__getitem__) if singles else None,
        "chosen_on": c.VALIDATION if on_validation else results["protocol"]["split"],
        "figures": figures,
        "highest_here": max(here, key=here.__getitem__),
    }


def validation_figures(metrics: Mapping[str, Any], metric: str) -> dict[str, float]:
    """Each retriever's figure on validation with the settings chosen, as far as the bundle's manifest has it."""
    figures = {name: _chosen_figure(report, metric) for name, report in tuning_reports(metrics).items()}
    return {name: figure for name, figure in figures.items() if figure is not None}


def tuning_reports(metrics: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the bundle's manifest says of the tuning of each retriever, the hybrid and the blend included."""
    hybrid = metrics.get("hybrid") or {}
    reports = {**metrics.get("retrievers", {})}
    if hybrid:
        reports[s.HYBRID] = hybrid
    if "blend" in hybrid:
        reports[s.BLEND] = hybrid["blend"]
    return reports


def _chosen_figure(report: Mapping[str, Any], metric: str) -> float | None:
    """Of a report that gives it, or else the highest of those tried."""
    if metric in report:
        return None if report[metric] is None else float(report[metric])
    tried = report.get("tried")
    figures = [trial[metric] for trial in tried if trial.get(metric) is not None] if isinstance(tried, list) else []
    return max(figures, default=None)


def warnings(results: dict[str, Any]) -> list[str]:
    """Sentences for the warning boxes of the report: where the system does not earn its keep."""
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
    return sentences + _head_not_better(results["ratings"])


def seed_warnings(seeds: dict[str, Any]) -> list[str]:
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
    name = results["systems"][baseline]["label"]
    span = f"{row['mean']:+.4f} (95% interval {row['low']:+.4f} to {row['high']:+.4f})".replace("-", "−")
    verb = "does not beat" if row["mean"] <= 0 else "is not clearly better than"
    return [f"The system {verb} {name}: its {metric.upper()} differs by {span}."]


def _ranker_harms(results: dict[str, Any]) -> list[str]:
    metric = f"ndcg@{results['protocol']['main_cutoff']}"
    row = difference(results, s.SYSTEM, s.ANN, metric)
    # The fallback for empty histories is part of the difference, and can only add to it.
    if row is None or row["high"] >= 0:
        return []
    return [f"The ranker lowers the {metric.upper()} of the two-tower alone by {-row['mean']:.4f}."]


def _head_not_better(ratings: dict[str, Any] | None) -> list[str]:
    """Where the rating head errs at least as much as a plain model of ratings."""
    if not ratings or HEAD not in ratings["models"]:
        return []
    sentences = []
    head = ratings["models"][HEAD]["rmse"]["mean"]
    for key, name in (("bias", "user and item biases"), ("svd", "SVD"), ("svdpp", "SVD++")):
        gap = ratings.get(f"head_minus_{key}")
        if gap is None:
            continue
        other = ratings["models"][gap[key]]["rmse"]["mean"]
        if head >= other:
            sentences.append(f"The rating head is no better than {name}: RMSE {head:.4f} against {other:.4f}.")
    return sentences
