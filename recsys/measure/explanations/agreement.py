"""Whether reasons name the right item of the history: the one without which the listed item's score falls most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.types import Float64Array
from recsys.measure.explanations.curves import Order
from recsys.measure.results import Agreement
from recsys.measure.tally import Summary


@dataclass(frozen=True)
class Named:
    """What a reason names.

    Attributes:
        user: whose list it is in, 0 to U - 1.
        entry: which of the list, 0 for the first.
        item: of the history.
        source: that relates the listed item to it.
    """

    user: int
    entry: int
    item: int
    source: str


def agreement(
    reasons: Sequence[Named], histories: Sequence[Order], drops: Sequence[Float64Array], *, samples: int, seed: int
) -> Agreement | None:
    """How often the named item is the one that matters most, beside an item drawn at random.

    Where several matter alike, as where the listed item is not ranked without either, each of them is right. Where the
    score does not fall without any of them, none is right.

    Args:
        reasons: those that name an item of the history.
        histories: the n distinct items of the history of each of U users.
        drops: float64 [n, T] of each user, what the scores of the T listed items lose without each of them.
        samples: bootstrap resamples of users.
        seed: of the bootstrap.

    Returns:
        Shares of each user, averaged; None without reasons.
    """
    if not reasons:
        return None
    verdicts = np.array([_verdict(one, histories[one.user], drops[one.user]) for one in reasons])
    users = np.array([one.user for one in reasons])
    summary = Summary({"reasons": _by_user(users, verdicts)}, samples, seed)
    found = summary.table()["reasons"]
    sources = np.array([one.source for one in reasons])
    of_sources = {source: verdicts[sources == source] for source in sorted(set(sources.tolist()))}
    return {
        "users": summary.users,
        "entries": len(reasons),
        "share": found["share"],
        "chance": found["chance"]["mean"],
        "by_source": {
            source: {"entries": len(of), "share": float(of[:, 0].mean()), "chance": float(of[:, 1].mean())}
            for source, of in of_sources.items()
        },
    }


def _verdict(reason: Named, history: Order, drops: Float64Array) -> tuple[float, float]:
    """Whether the item is one of those that matter most, 1 or 0, and which share of the history these are."""
    of_entry = drops[:, reason.entry]
    right = (of_entry == of_entry.max()) & (of_entry > 0)
    return float(right[history.index(reason.item)]), float(right.mean())


def _by_user(users: NDArray[np.integer], verdicts: Float64Array) -> dict[str, Float64Array]:
    """Means of each user who has any."""
    _, rows, counts = np.unique(users, return_inverse=True, return_counts=True)
    return {
        name: np.bincount(rows, column) / counts for name, column in zip(("share", "chance"), verdicts.T, strict=True)
    }
