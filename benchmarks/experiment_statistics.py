"""How often the statistics of verdicts are wrong, and how soon they are right: simulated experiments with known truth.

    python benchmarks/experiment_statistics.py --runs 2000

Users come back over 14 days and differ in how often they come and in what they click. Of experiments without a
difference, every kind of test is tried and how often it finds one: by impression, by user, looked at once or daily, and
the confidence sequences that verdicts are made of. Of experiments with one: whether intervals hold it, power, days.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # replaces the script's own folder
    sys.path[0] = str(ROOT)

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from scipy.stats import binomtest  # noqa: E402

from benchmarks.simulated_experiments import Run, Shoppers, simulated  # noqa: E402
from recsys.experiments.findings import Estimate, MetricName  # noqa: E402
from recsys.experiments.statistics.estimates import MetricLooks, Sides  # noqa: E402
from recsys.experiments.statistics.metrics import METRICS, cut_of  # noqa: E402
from recsys.experiments.statistics.sequences import fixed_multiplier  # noqa: E402
from recsys.experiments.statistics.totals import Totals  # noqa: E402

ALPHA, LEAST_USERS, WINSORISED = 0.05, 100, 0.99
LIFTS = (1.05, 1.1, 1.2)


@dataclass(frozen=True)
class Looked:
    """What daily looks at one metric of one experiment said.

    Attributes:
        estimates: of each day.
        impressions: of each day, standard errors of the difference by impression, as if these were independent.
    """

    estimates: list[Estimate]
    impressions: list[float]

    def by_impression(self, *, peeking: bool) -> bool:
        """Whether the z-test over impressions finds a difference, on the last day or any."""
        values = self.impressions if peeking else self.impressions[-1:]
        return any(abs(z) > fixed_multiplier(ALPHA) for z in values)

    def by_user(self, *, peeking: bool) -> bool:
        """As `by_impression`, over users."""
        looks = self.estimates if peeking else self.estimates[-1:]
        return any(look.fixed is not None and not look.fixed.low <= 0 <= look.fixed.high for look in looks)

    def found_on(self) -> int | None:
        """The day, from 1, on which the confidence sequence finds a difference."""
        return next((day for day, look in enumerate(self.estimates, start=1) if look.p <= ALPHA), None)

    def holds(self, difference: float) -> bool:
        """Whether the intervals of all days together hold the true difference."""
        return all(
            look.interval is None or look.interval.low <= difference <= look.interval.high for look in self.estimates
        )

    def holds_once(self, difference: float) -> bool:
        """Whether the interval for one look does, on the last day."""
        fixed = self.estimates[-1].fixed
        return fixed is not None and fixed.low <= difference <= fixed.high


def looked(run: Run, metric: MetricName, *, covariate: bool = False) -> Looked:
    """Look at a simulated experiment every day, as a verdict does."""
    looks, estimates, impressions = MetricLooks(metric, ALPHA, paired=False, least_users=LEAST_USERS), [], []
    for day, (control, variant) in enumerate(run.looks(covariate=covariate)):
        cut = cut_of((control, variant), METRICS[metric].numerator, WINSORISED) if METRICS[metric].cut else None
        estimates.append(looks.look(day, Sides(control, variant, cut)))
        impressions.append(z_by_impression(control, variant))
    return Looked(estimates, impressions)


def z_by_impression(control: Totals, variant: Totals) -> float:
    """The usual z-test of two proportions."""
    (clicks, seen), (more, others) = (
        (side.of("clicks").sum(), side.of("impressions").sum()) for side in (control, variant)
    )
    pooled = (clicks + more) / (seen + others)
    error = math.sqrt(pooled * (1 - pooled) * (1 / seen + 1 / others))
    return float((more / others - clicks / seen) / error) if error else 0.0


def every(shoppers: Shoppers, runs: int, seed: int, metric: MetricName, *, covariate: bool = False) -> list[Looked]:
    """All simulated experiments of a kind."""
    return [looked(simulated(shoppers, seed, number), metric, covariate=covariate) for number in range(runs)]


def share(hits: int, runs: int) -> str:
    """A share with its exact binomial interval."""
    interval = binomtest(hits, runs).proportion_ci(0.95, "exact")
    return f"{hits / runs:.1%} ({interval.low:.1%} to {interval.high:.1%})"


def false_positives(shoppers: Shoppers, runs: int, seed: int) -> Table:
    """Experiments without a difference: what finds one."""
    table = Table(
        "metric", "test", "false positives", title=f"{runs} experiments without a difference, level {ALPHA:.0%}"
    )
    tests: dict[str, Callable[[Looked], bool]] = {
        "by impression, on the last day": lambda of: of.by_impression(peeking=False),
        "by impression, daily": lambda of: of.by_impression(peeking=True),
        "by user, on the last day": lambda of: of.by_user(peeking=False),
        "by user, daily": lambda of: of.by_user(peeking=True),
        "confidence sequence, daily": lambda of: of.found_on() is not None,
    }
    metrics: tuple[MetricName, ...] = ("ctr", "clicks_per_user", "purchases_per_user", "revenue_per_user")
    for metric in metrics:
        found = every(shoppers, runs, seed, metric)
        for name, test in tests.items():
            if metric == "ctr" or "impression" not in name:
                table.add_row(metric, name, share(sum(map(test, found)), runs))
    helped = every(shoppers, runs, seed, "clicks_per_user", covariate=True)
    row = share(sum(of.found_on() is not None for of in helped), runs)
    table.add_row("clicks_per_user", "confidence sequence with covariate, daily", row)
    return table


def power(shoppers: Shoppers, runs: int, seed: int) -> Table:
    """Experiments with a difference in click-through rate: who finds it, when, and whether intervals hold it."""
    table = Table(
        "lift", "covariate", "found by one look on the last day", "found by the sequence", "median day",
        "sequence holds the truth on all days", "one interval holds it", "variance saved",
        title=f"{runs} experiments with a difference",
    )  # fmt: skip
    for lift in LIFTS:
        for covariate in (False, True):
            truth = replace(shoppers, lift=lift)
            found = every(truth, runs, seed, "ctr", covariate=covariate)
            days = [day for of in found if (day := of.found_on())]
            saved = [of.estimates[-1].variance_saved or 0.0 for of in found]
            table.add_row(
                f"{lift - 1:.0%}",
                "yes" if covariate else "no",
                share(sum(of.by_user(peeking=False) for of in found), runs),
                share(len(days), runs),
                f"{median(days):g}" if days else "-",
                share(sum(of.holds(truth.difference) for of in found), runs),
                share(sum(of.holds_once(truth.difference) for of in found), runs),
                f"{np.mean(saved):.0%}",
            )
    return table


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    for name, default in (("runs", 2000), ("users", 2000), ("days", 14), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    shoppers, console, started = Shoppers(users=given.users, days=given.days), Console(), time.monotonic()
    console.print(shoppers)
    console.print(false_positives(shoppers, given.runs, given.seed))
    console.print(power(shoppers, given.runs, given.seed))
    console.print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
