"""A list in an order drawn by chance, better items rather earlier, with the chances that an off-policy estimate needs.

The law is Plackett-Luce over scores (Plackett 1975, The Analysis of Permutations): each place goes to one of the items
that are left, with a chance in proportion to exp(score / temperature). It is drawn at once, by sorting perturbed scores
(Gumbel top-k; Kool, van Hoof and Welling 2019, Stochastic Beams and Where to Find Them).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from recsys.experiments.chance import Chance

_LEAST = math.ulp(0.0)  # the logarithm of 0 is not defined
_LOWEST = -1e300  # scores may be farther apart than floats reach


def draw_order(scores: Sequence[float], temperature: float, rng: Chance) -> tuple[list[int], list[float]]:
    """An order of all items, and of each place the chance that its item was drawn for it, given those before.

    Args:
        scores: of the items, finite.
        temperature: in the unit of the scores, above 0: how large a difference of scores hardly ever turns around.

    Returns:
        Positions in `scores`, first place first, and the chances in the same order; the last one is 1. A chance below
        the least positive number is that number, not 0.

    Raises:
        ValueError: a score is not finite, or the temperature not above 0.
    """
    if not temperature > 0 or not all(map(math.isfinite, scores)):
        raise ValueError(f"expected finite scores and a temperature above 0, got {list(scores)} and {temperature}")
    top = max(scores, default=0.0)
    logits = [max((score - top) / temperature, _LOWEST) for score in scores]
    keys = [logit - math.log(max(-math.log(1.0 - rng.random()), _LEAST)) for logit in logits]
    order = sorted(range(len(keys)), key=keys.__getitem__, reverse=True)
    return order, conditional_chances([logits[item] for item in order])


def conditional_chances(logits: Sequence[float]) -> list[float]:
    """Of each place of a list the chance that Plackett-Luce gives it the item that is there, given those before.

    Args:
        logits: score / temperature of the items, first place first; finite.
    """
    chances: list[float] = []
    rest = -math.inf  # logarithm of the sum of exp(logit) over this place and those behind it
    for logit in reversed(logits):
        high, low = (logit, rest) if logit >= rest else (rest, logit)
        rest = high + math.log1p(math.exp(low - high))
        chances.append(max(math.exp(logit - rest), _LEAST))
    return chances[::-1]
