"""Facts of what all users did: popularity, trend, ratings. Only the predicted rating is the user's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from recsys.explain.evidence import Stage
from recsys.explain.fact import Fact, Kind, Unit
from recsys.explain.facts.base import FactBase
from recsys.explain.facts.case import Case, polarity
from recsys.pipeline.features.rating import PREDICTED_RATING
from recsys.sources.registry import NOT_PERSONAL

POPULAR_SHARE, _POPULAR_LEAST = 0.05, 10
RISING = 1.25  # times as often as usual an item is chosen lately if its popularity grows
FEWEST_RATINGS = 5  # of which a mean is told
_RATING = "rating"  # heading of the features of ratings


def most_popular(base: FactBase) -> int:
    """Up to which rank an item is popular: the first twentieth of the catalogue, at least ten items.

    Of a small catalogue it is the first half; an item that nobody chose is never popular.
    """
    return min(max(_POPULAR_LEAST, int(POPULAR_SHARE * base.n_items)), base.n_items // 2, base.n_chosen)


def popularity_facts(case: Case) -> Iterator[Fact]:
    """The item is popular, and no less than the reference; the value is its rank by popularity.

    Popularity is the summed weight of the interactions: of data without types of events, how often an item was chosen.
    Of an item that fills a list up its rank is told whatever it is, since that alone put it there; its popularity is
    its score, and so the strength. So is a rank that contributes at most 0.
    """
    rank = case.base.popularity_rank(case.item)
    if case.evidence.standing.stage is Stage.FILLED:
        yield _of_everyone(Kind.POPULARITY, rank, "rank", float(case.base.popularity[case.item]))
        return
    strength = case.group(*NOT_PERSONAL)
    if strength is None:
        return
    popular = rank <= most_popular(case.base)
    if strength <= 0 or (popular and _no_worse(case, case.base.popularity.item)):
        yield _of_everyone(Kind.POPULARITY, rank, "rank", strength)


def trend_facts(case: Case) -> Iterator[Fact]:
    """The item is chosen more often lately, see `RISING`, and its trend is no worse than the reference's.

    It is the feature `trend`: its share among the latest tenth of the interactions over its share among all, damped
    towards 1; the value is by how many percent that is more, rounded down. Not damped it is at least that. An item that
    borrows its trend has none.
    """
    trends, strength = case.base.trends, case.group(*NOT_PERSONAL)
    if trends is None or strength is None or not trends[case.item] >= math.log(RISING):
        return
    if strength <= 0 or _no_worse(case, trends.item):
        yield _of_everyone(Kind.TREND, percent_more(trends.item(case.item)), "percent", strength)


def percent_more(trend: float) -> int:
    """A trend as the percentage by which an item is chosen more often than usual, rounded down."""
    return math.floor(100 * math.expm1(trend))


def predicted_rating_facts(case: Case) -> Iterator[Fact]:
    """The rating that the user would give, which is above the mean of all; its value lies on the shop's scale.

    Only of bundles that predict ratings, which those of events without ratings do not.
    """
    predictor, strength = case.base.bundle.rating_predictor, case.group(_RATING)
    deviation = case.evidence.features.get(PREDICTED_RATING)
    if predictor is None or strength is None or deviation is None:
        return
    if strength <= 0 or deviation > 0:
        least, greatest = predictor.scale
        rating = min(max(predictor.statistics.global_mean + deviation, least), greatest)
        yield Fact(
            *("", Kind.PREDICTED_RATING, rating, "rating"),
            polarity=polarity(strength),
            strength=strength,
            personal=True,
        )


def average_rating_facts(case: Case) -> Iterator[Fact]:
    """The mean of the item's ratings is above the mean of all and no worse than the reference's.

    The count is their number, at least `FEWEST_RATINGS`. It is a part of what the predicted rating follows from, and
    stands for the same contribution.
    """
    base, strength = case.base, case.group(_RATING)
    count = base.rating_count(case.item)
    if strength is None or count < FEWEST_RATINGS:
        return
    mean = base.mean_rating(case.item)
    if strength <= 0 or (mean > base.usual_rating and _no_worse(case, base.mean_rating)):
        fact = _of_everyone(Kind.AVERAGE_RATING, mean, "rating", strength)
        yield replace(fact, count=count)


def _no_worse(case: Case, number: Callable[[int], float]) -> bool:
    """Whether a number of the item is no less than the reference's, if that has one."""
    return case.reference is None or not number(case.item) < number(case.reference)


def _of_everyone(kind: Kind, value: float, unit: Unit, strength: float) -> Fact:
    return Fact("", kind, value, unit, polarity=polarity(strength), strength=strength)
