"""A thousand experiments on what one simulated shop did over HTTP: how often verdicts are wrong, and what they find.

Each visitor is served a list of both models, so that it is known what would have come of either. An experiment then is
one assignment of the shoppers: a thousand salts give a thousand of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import pytest
from scipy.stats import binom

from recsys.core.events import SECONDS_PER_DAY
from recsys.experiments.assignment import variant_of
from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.findings import VariantVerdict
from recsys.experiments.observations import UnitDay
from recsys.experiments.verdict import verdict
from tests.support.simulated_shop.counts import Counts
from tests.support.simulated_shop.loop import Loop
from tests.support.simulated_shop.shop import OPENS, SimulatedShop
from tests.support.simulated_shop.visits import Visits

DAYS, RUNS, VISITORS = 10, 1000, 0.5
ALPHA = 0.05
A, B = "a", "b"
MODELS = ("full", "popularity")


@dataclass(frozen=True)
class Outcomes:
    """What came of lists of either model: days of shoppers by their id."""

    better: Mapping[str, list[UnitDay]]
    worse: Mapping[str, list[UnitDay]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    shop = SimulatedShop(n_users=240)
    loop = Loop(tmp_path_factory.mktemp("shop"), shop)
    loop.clock.set(-0.1)
    loop.write()
    loop.open()
    full, popular = [Visits(shop, lambda: loop.url, query=f"&model={model}", now=loop.clock.now) for model in MODELS]
    with loop.serving():
        for day in range(DAYS):
            loop.clock.set(day + 0.3)
            coming = np.random.default_rng([4, day]).random(shop.n_users) < VISITORS
            for user in np.flatnonzero(coming).tolist():
                full.visit(user, day, number=0)
                popular.visit(user, day, number=1)
    return Outcomes(_days_of(full.counts), _days_of(popular.counts))


def _days_of(counts: Counts) -> dict[str, list[UnitDay]]:
    days: dict[str, list[UnitDay]] = {}
    for count in counts.lists.values():
        day = UnitDay(
            count.user_id,
            A,
            int(OPENS // SECONDS_PER_DAY) + count.day,
            lists=1,
            impressions=len(count.seen),
            clicks=len(count.clicked),
            carts=len(count.carted),
            purchases=len(count.bought),
            revenue=count.revenue,
        )
        days.setdefault(count.user_id, []).append(day)
    return days


def _runs(of_a: Mapping[str, list[UnitDay]], of_b: Mapping[str, list[UnitDay]]) -> Iterator[VariantVerdict]:
    """The verdict on b of each experiment, looked at every day."""
    for run in range(RUNS):
        experiment = Experiment(
            key="simulated",
            salt=f"run {run}",
            variants=(Variant(name=A), Variant(name=B)),
            alpha=ALPHA,
            least_users=50,
            status="running",
            end_bucket=10_000,
            started_at=OPENS,
        )
        days = []
        for user_id in of_a:
            name = variant_of(experiment, user_id).name
            days += [day._replace(variant=name) for day in (of_a if name == A else of_b)[user_id]]
        yield verdict(experiment, days).variants[0]


def _at_most(share: float) -> int:
    """So many of the runs that more would be seen in one of ten thousand repetitions, were the share true."""
    return int(binom.ppf(1 - 1e-4, RUNS, share))


def _rates(days: Mapping[str, list[UnitDay]]) -> dict[int, float]:
    """Of all shoppers together, the click-through rate until the end of each day."""
    rates: dict[int, float] = {}
    clicks = impressions = 0
    for day in sorted((day for of_user in days.values() for day in of_user), key=attrgetter("day")):
        clicks, impressions = clicks + day.clicks, impressions + day.impressions
        rates[day.day] = clicks / impressions
    return rates


@pytest.mark.slow
def test_equal_variants_are_told_apart_no_more_often_than_alpha_though_looked_at_daily(outcomes: Outcomes) -> None:
    wrong = sum(found.decided_on is not None for found in _runs(outcomes.better, outcomes.better))
    assert wrong <= _at_most(ALPHA)


@pytest.mark.slow
def test_the_better_model_is_found_and_intervals_hold_the_true_difference_on_all_days(outcomes: Outcomes) -> None:
    better, worse = _rates(outcomes.better), _rates(outcomes.worse)
    truth = {day: rate - worse[day] for day, rate in better.items()}
    assert truth[max(truth)] > 0
    outside = found = wrong = 0
    for run in _runs(outcomes.worse, outcomes.better):
        looks = [estimate for look in run.looks for estimate in look.metrics if estimate.metric == "ctr"]
        assert looks[-1].interval is not None
        told = [(look.interval, truth[look.day]) for look in looks if look.interval is not None]
        outside += not all(interval.low <= true <= interval.high for interval, true in told)
        found += run.state == "better"
        wrong += run.state == "worse"
    assert outside <= _at_most(ALPHA)
    assert wrong <= _at_most(ALPHA / 2)
    assert found > 0.9 * RUNS
