"""The report's first card, in words: whether the learned parts earned their cost, and what puts lists in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recsys.measure import systems as s
from recsys.report.document import Document, headline_protocol
from recsys.report.names import metric_label, source_label
from recsys.sources.registry import RANKER

_LEARNED = "The learned models"


def earned(results: Document) -> str | None:
    """Whether what is served is ahead of the best that needs no learned model; None where that was not measured."""
    best = results["best_baseline"]
    if best is None or not results["ranking"][headline_protocol(results)]["systems"]:
        return None
    gain, metric = best["gain"], metric_label(f"ndcg@{results['protocol']['main_cutoff']}")
    rival = results["systems"][best["name"]]["label"]
    if gain is None:
        return f"{rival}, the best without a learned model, finds nothing here: there is nothing to compare with."
    low, high, mean = gain["low"], gain["high"], gain["mean"]
    if low > 0:
        by = f"{mean:.1%} (95% interval {low:.1%} to {high:.1%})"
        return f"{_LEARNED} earn their cost in this shop: {metric} is {by} above that of the best without, {rival}."
    if high < 0:
        by = f"{-mean:.1%} (95% interval {-high:.1%} to {-low:.1%})"
        return f"{_LEARNED} do not earn their cost in this shop: {metric} is {by} below the best without, {rival}."
    by = f"{_signed(mean)} (95% interval {_signed(low)} to {_signed(high)})"
    return (
        f"Whether the learned models earn their cost in this shop is open: {metric} differs by {by} from that of the "
        f"best without, {rival}, which may be chance."
    )


def order_in_words(metrics: Mapping[str, Any]) -> str | None:
    """What puts lists in order, and why; None in a bundle that does not say.

    Args:
        metrics: of the bundle's manifest.
    """
    order = (metrics.get("ranker") or {}).get("order")
    if not order:
        return None
    chosen, served = order["chosen"], order["served"]
    words = f"Lists are put in order by {_named(served)}"
    if served != chosen:
        return f"{words}, as the config says; validation would have chosen {_named(chosen)}."
    against = [_against(margin) for margin in order["margins"]]
    users = f"{order['users']:,} validation users, each judged with settings chosen without that user"
    return f"{words}. On {users}: {'; '.join(against)}." if against else f"{words}."


def _against(margin: Mapping[str, Any]) -> str:
    order, over = _named(margin["order"]), _named(margin["over"])
    if margin["low"] is None:
        return f"nothing is known of {order} against {over}"
    interval = f"{margin['mean']:+.4f}, 95% interval {margin['low']:+.4f} to {margin['high']:+.4f}".replace("-", "−")
    if not margin["taken"]:
        return f"{order} is not clearly ahead of {over} ({interval})"
    return f"{order} is ahead of {over}{'' if margin['low'] > 0 else ', though not beyond doubt'} ({interval})"


def _named(order: str) -> str:
    if order == RANKER:
        return "the ranker"
    label = source_label(order)
    return f"the {label[0].lower()}{label[1:]}" if order in (s.HYBRID, s.BLEND, s.TWO_TOWER) else f"{label} alone"


def _signed(share: float) -> str:
    return f"{share:+.1%}".replace("-", "−")
