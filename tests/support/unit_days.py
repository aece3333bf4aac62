"""Made-up observations of experiments."""

from __future__ import annotations

import numpy as np

from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.observations import UnitDay


def an_experiment(*names: str, **options: object) -> Experiment:
    """One of variants of these names, the control first."""
    variants = tuple(Variant(name=name) for name in names or ("old", "new"))
    return Experiment(key="home", variants=variants, **options)  # type: ignore[arg-type]


def shoppers(
    users: int, days: int, rates: dict[str, float], seed: int = 0, first_day: int = 20_000, **fields: float
) -> list[UnitDay]:
    """Users who come back, each with a liking of her own, split evenly; `rates`: clicks an impression by variant.

    fields: what each list adds to other fields of a `UnitDay`.
    """
    rng, names, rows = np.random.default_rng(seed), list(rates), []
    for user in range(users):
        name, liking = names[user % len(names)], rng.gamma(4, 0.25)
        for day in range(days):
            if lists := int(rng.poisson(0.5)):
                clicks = int(rng.binomial(8 * lists, min(1.0, rates[name] * liking)))
                others = {field: value * lists for field, value in fields.items()}
                rows.append(
                    UnitDay(
                        f"u{user}", name, first_day + day, lists=lists, impressions=8 * lists, clicks=clicks
                    )._replace(**others)
                )
    return rows
