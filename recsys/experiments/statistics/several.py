"""Several comparisons at once."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Which hypotheses Holm's procedure (1979) rejects: with a chance of `alpha` at most, any true one.

    It asks nothing of how the p-values depend on each other. With anytime-valid ones it may be applied at each look.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    rejected = [False] * len(p_values)
    for place, which in enumerate(order):
        if p_values[which] > alpha / (len(p_values) - place):
            break
        rejected[which] = True
    return rejected
