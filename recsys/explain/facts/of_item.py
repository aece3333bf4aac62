"""Facts of an item whoever asks: what blurbs tell."""

from __future__ import annotations

import math
from dataclasses import replace

from recsys.explain.fact import Fact, Kind
from recsys.explain.facts.base import FactBase
from recsys.explain.facts.from_catalogue import is_name, is_specific
from recsys.explain.facts.from_everyone import FEWEST_RATINGS, RISING, most_popular, percent_more

_NOTHING_COMPARED = 1.0  # strength of what stands for no contribution


def item_facts(base: FactBase, item: int) -> tuple[Fact, ...]:
    """What is true of an item by catalogue, ratings and counts, with ids f1, f2, ...; none of it is personal.

    The category is the most specific one, see `is_specific`, else the last that the catalogue names. A mean rating is
    told of `FEWEST_RATINGS` or more, the rank of a popular item, the trend of one on the rise, whose numbers are its
    own. All have the strength 1: nothing is compared.
    """
    (record,) = base.catalogue.items([item])
    found = []
    if record.brand is not None and is_name(record.brand):
        found.append(Fact("", Kind.BRAND, record.brand, "brand"))
    if categories := [name for name in reversed(record.categories) if is_name(name)]:
        specific = [name for name in categories if is_specific(base, name)]
        category = min(specific, key=base.category_sizes.__getitem__) if specific else categories[0]
        found.append(_category(base, category))
    if record.price is not None and record.price > 0:
        found.append(Fact("", Kind.PRICE, record.price, "price"))
    if (count := base.rating_count(item)) >= FEWEST_RATINGS:
        found.append(Fact("", Kind.AVERAGE_RATING, base.mean_rating(item), "rating", count=count))
    if (rank := base.popularity_rank(item)) <= most_popular(base):
        found.append(Fact("", Kind.POPULARITY, rank, "rank"))
    if base.trends is not None and base.trends[item] >= math.log(RISING):
        found.append(Fact("", Kind.TREND, percent_more(float(base.trends[item])), "percent"))
    return tuple(replace(fact, id=f"f{n}", strength=_NOTHING_COMPARED) for n, fact in enumerate(found, 1))


def _category(base: FactBase, name: str) -> Fact:
    """A category, withheld where it is sensitive."""
    if base.sensitive_names.match(name):
        return Fact("", Kind.CATEGORY, "", "category", sensitive=True)
    return Fact("", Kind.CATEGORY, name, "category")
