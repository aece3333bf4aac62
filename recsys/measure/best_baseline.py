"""The baseline to beat, and by how much it is beaten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recsys.measure import systems as s
from recsys.measure.results import BestBaseline, Comparison, Estimate, Protocol, RankingResults
from recsys.prepare import columns as c


def best_baseline(results: RankingResults, protocol: Protocol, metrics: Mapping[str, Any]) -> BestBaseline | None:
    """The baseline to beat: that of the highest NDCG on validation, so that the split judged has no part in it.

    Args:
        results: of the split judged.
        protocol: its main cutoff counts.
        metrics: of the bundle's manifest; without a validation figure of every baseline, those of the split itself
            choose.

    Returns:
        {"name", "single": the best but for the blend, "chosen_on": a split, "figures": name -> NDCG there,
        "highest_here": the baseline of the highest NDCG on the split itself, "gain": of the system over the baseline,
        an estimate relative to the baseline's NDCG, None where that is 0}; None without users or baselines.
    """
    table = results["ranking"][protocol["headline_protocol"]]["systems"]
    names = s.baselines(table)
    if not names:
        return None
    metric = f"ndcg@{protocol['main_cutoff']}"
    here = {name: table[name]["metrics"][metric]["mean"] for name in names}
    tuned = validation_figures(metrics, metric)
    on_validation = all(name in tuned for name in names)
    figures = {name: tuned[name] for name in names} if on_validation else here
    singles = [name for name in names if name != s.BLEND]
    best = max(figures, key=figures.__getitem__)
    return {
        "name": best,
        "single": max(singles, key=figures.__getitem__) if singles else None,
        "chosen_on": c.VALIDATION if on_validation else protocol["split"],
        "figures": figures,
        "highest_here": max(here, key=here.__getitem__),
        "gain": _gain(results["comparisons"], best, metric, here[best]),
    }


def _gain(comparisons: Sequence[Comparison], baseline: str, metric: str, base: float) -> Estimate | None:
    row = difference(comparisons, s.SYSTEM, baseline, metric)
    if row is None or not base:
        return None
    return {"mean": row["mean"] / base, "low": row["low"] / base, "high": row["high"] / base}


def validation_figures(metrics: Mapping[str, Any], metric: str) -> dict[str, float]:
    """Each source's figure on validation with the settings chosen, as far as the bundle's manifest has it."""
    figures = {name: _chosen_figure(report, metric) for name, report in tuning_reports(metrics).items()}
    return {name: figure for name, figure in figures.items() if figure is not None}


def tuning_reports(metrics: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the bundle's manifest says of the tuning of each source, the hybrid and the blend included."""
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


def difference(comparisons: Sequence[Comparison], system: str, other: str, metric: str) -> Comparison | None:
    """The comparison of two systems among the results, if it was made."""
    return next(
        (row for row in comparisons if (row["system"], row["other"], row["metric"]) == (system, other, metric)),
        None,
    )
