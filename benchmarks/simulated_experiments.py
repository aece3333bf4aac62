"""Experiments of simulated users who come back, as totals of each day: what the statistics of verdicts are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsys.core.types import BoolArray, Float64Array
from recsys.experiments.statistics.totals import FIELDS, Totals

ITEMS = 10
"""Seen in a list."""


@dataclass(frozen=True)
class Shoppers:
    """What users are like. Each has a liking of her own, which lists meet alike, and comes more or less often.

    Attributes:
        users: of an experiment, in both variants.
        days: that it runs.
        visits: a day, on average; of each user gamma distributed.
        rate: clicks an impression, on average; of each user gamma distributed.
        likeness: shape of both distributions: the smaller, the more users differ.
        lift: by which factor the variant's users click more.
    """

    users: int = 2000
    days: int = 14
    visits: float = 0.25
    rate: float = 0.08
    likeness: float = 2.0
    lift: float = 1.0

    @property
    def difference(self) -> float:
        """Between the click-through rates of variant and control, in truth."""
        return self.rate * (self.lift - 1)


@dataclass(frozen=True)
class Run:
    """One simulated experiment.

    Attributes:
        is_variant: (users,) whether a user is in the variant.
        sums: (days, users, fields) of `UnitDay`, until the end of each day.
        before: (users,) clicks in as many days before the experiment.
    """

    is_variant: BoolArray
    sums: Float64Array
    before: Float64Array

    def looks(self, *, covariate: bool = False) -> Iterator[tuple[Totals, Totals]]:
        """Control and variant at the end of each day."""
        for sums in self.sums:
            served = sums[:, FIELDS.index("lists")] > 0
            sides = (served & ~self.is_variant, served & self.is_variant)
            control, variant = (Totals(sums[who], self.before[who] if covariate else None) for who in sides)
            yield control, variant


def simulated(shoppers: Shoppers, seed: int, number: int) -> Run:
    """The experiment of a number; equal seeds and numbers give equal ones."""
    rng = np.random.default_rng([seed, number])
    shape = (shoppers.days, shoppers.users)
    visits = shoppers.visits * rng.gamma(shoppers.likeness, 1 / shoppers.likeness, shoppers.users)
    rate = shoppers.rate * rng.gamma(shoppers.likeness, 1 / shoppers.likeness, shoppers.users)
    is_variant = rng.random(shoppers.users) < 0.5
    before = rng.poisson(visits * shoppers.days * ITEMS * rate).astype(np.float64)
    lists = rng.poisson(np.broadcast_to(visits, shape))
    chance = np.minimum(np.where(is_variant, shoppers.lift, 1.0) * rate, 1.0)
    clicks = rng.binomial(ITEMS * lists, np.broadcast_to(chance, shape))
    purchases = rng.binomial(clicks, 0.1)
    revenue = purchases * rng.lognormal(3.0, 1.0, shape)
    sums = np.zeros((*shape, len(FIELDS)))
    told = {"lists": lists, "impressions": ITEMS * lists, "clicks": clicks, "purchases": purchases, "revenue": revenue}
    for field, values in told.items():
        sums[:, :, FIELDS.index(field)] = values
    return Run(is_variant, sums.cumsum(axis=0), before)
