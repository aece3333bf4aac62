"""How long a full explanation takes, beside the floor of one batch of lists measured in the same run.

    python benchmarks/explanations.py --bundle saved_model/beauty
    python benchmarks/explanations.py --bundle saved_model/beauty --profile

Users are drawn from those of the bundle whose history holds 1 to 15 items, and of each one's list an item. The floor is
what an explanation cannot do without: `recommend` for one batch of as many queries as the history is long, one query
for each item that is left out. Explanation and floor take turns, user by user, on one thread; they and
their ratio are told as medians and 95th percentiles over the users. Contributions are timed alone, in CPU time, for
the same items. Exit code 1: a goal was missed. `--profile` shows instead in which functions the time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # replaces the script's own folder, where files hide the packages
    sys.path[0] = str(ROOT)

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

from recsys.bundle import Bundle, open_bundle  # noqa: E402
from recsys.core.queries import Queries  # noqa: E402
from recsys.explain.evidence import Evidence  # noqa: E402
from recsys.explain.explainer import Explainer  # noqa: E402
from recsys.explain.question import Question  # noqa: E402
from recsys.explain.reference import contributions_of  # noqa: E402
from recsys.explain.stages import standing_of  # noqa: E402
from recsys.explain.without import without  # noqa: E402
from recsys.pipeline.recommender import Recommender  # noqa: E402

LONGEST = 15  # items of a history: the goal holds for those
GOAL_MS, CONTRIBUTIONS_MS, ADDITIVITY = 60.0, 15.0, 1e-4
WARM_UP = 5


@dataclass(frozen=True)
class Asked:
    """A user, and an item of the user's list."""

    query: Queries
    item: int

    @property
    def distinct(self) -> list[int]:
        """Items of the history, each once."""
        return sorted(set(self.query.histories.items.tolist()))


@dataclass(frozen=True)
class Figures:
    """Of each user, milliseconds, or an error.

    Attributes:
        full: a full explanation.
        floor: one batch of lists.
        contributions: CPU of the contributions alone.
        additivity: errors.
        lengths: distinct items of the history.
    """

    full: Sequence[float]
    floor: Sequence[float]
    contributions: Sequence[float]
    additivity: Sequence[float]
    lengths: Sequence[int]


def sample(bundle: Bundle, recommender: Recommender, users: int, k: int) -> list[Asked]:
    """Users of short histories, each with an item of the list at a place drawn at random; the same in each run."""
    random, lengths = np.random.default_rng(0), bundle.histories.lengths
    short = np.flatnonzero((lengths > 0) & (lengths <= LONGEST))
    rows = random.choice(short, min(users, len(short)), replace=False)
    now = int(bundle.histories.timestamps.max(initial=0)) + 1
    asked = []
    for row in rows.tolist():
        query = Queries(bundle.histories.select([row]), np.array([row], np.int32), np.array([now]))
        lists = recommender.recommend(query, k)
        personal = int(lists.personal[0])
        if personal:
            asked.append(Asked(query, int(lists.items[0, random.integers(personal)])))
    return asked


def measure(explainer: Explainer, asked: Sequence[Asked], k: int) -> Figures:
    """Explain each item once, after a few that warm up."""
    evidences: list[Evidence] = []
    full: list[float] = []
    floor: list[float] = []
    contributions: list[float] = []
    recommender = explainer.recommender
    for number, one in enumerate([*asked[:WARM_UP], *asked]):
        batch = without(one.query, [[item] for item in one.distinct])
        question = Question(recommender, k)
        trace = question.trace(one.query)
        standing = standing_of(question, trace, one.item)
        spent = [
            _spent(time.perf_counter, lambda: recommender.recommend(batch, k)),  # noqa: B023
            _spent(time.perf_counter, lambda: evidences.append(explainer.explain(one.query, one.item, k))),  # noqa: B023
            _spent(time.process_time, lambda: contributions_of(question, trace, one.item, standing, None)),  # noqa: B023
        ]
        if number >= WARM_UP:
            for figures, milliseconds in zip((floor, full, contributions), spent, strict=True):
                figures.append(milliseconds)
    errors = [one.contributions.additivity_error for one in evidences if one.contributions is not None]
    return Figures(full, floor, contributions, errors, [len(one.distinct) for one in asked])


def _spent(clock: Callable[[], float], call: Callable[[], object]) -> float:
    """Milliseconds by the clock."""
    started = clock()
    call()
    return 1000 * (clock() - started)


def rows_of(figures: Figures) -> list[tuple[str, float, float, str, bool | None]]:
    """Lines of the table: what, median, 95th percentile, goal of the median, whether it is met."""

    def row(
        name: str, values: Sequence[float], goal: float | None = None
    ) -> tuple[str, float, float, str, bool | None]:
        median, high = (float(np.percentile(values, share)) for share in (50, 95))
        return name, median, high, "" if goal is None else f"≤ {goal:g}", None if goal is None else median <= goal

    ratios = np.array(figures.full) / np.array(figures.floor)
    worst = max(figures.additivity, default=0.0)
    return [
        row("full explanation, ms", figures.full, GOAL_MS),
        row("floor: lists of one batch as large as the history, ms", figures.floor),
        row("    ratio, user by user", ratios.tolist()),
        row("CPU of the contributions alone, ms", figures.contributions, CONTRIBUTIONS_MS),
        row("items of the history", figures.lengths),
        ("largest additivity error, in units of the score", worst, worst, f"≤ {ADDITIVITY:g}", worst <= ADDITIVITY),
    ]


def print_table(title: str, rows: Sequence[tuple[str, float, float, str, bool | None]]) -> None:
    """Print on the terminal."""
    table = Table(title=title, title_justify="left")
    for n, column in enumerate(("", "median", "95th percentile", "goal", "met")):
        table.add_column(column, justify="right" if n else "left", no_wrap=True)
    for name, median, high, goal, met in rows:
        table.add_row(name, f"{median:.3g}", f"{high:.3g}", goal, {True: "yes", False: "NO", None: ""}[met])
    Console(width=max(110, Console().width)).print(table)


def profile(explainer: Explainer, asked: Sequence[Asked], k: int) -> None:
    """Print the functions in which explanations spend their time."""
    for one in asked[:WARM_UP]:
        explainer.explain(one.query, one.item, k)
    profiler = cProfile.Profile()
    profiler.enable()
    for one in asked:
        explainer.explain(one.query, one.item, k)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(45)


def main() -> int:
    """Measure the bundle named; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True, help="saved_model/NAME")
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("-k", type=int, default=10, help="length of the lists")
    parser.add_argument("--profile", action="store_true", help="where the time goes, and nothing else")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures of every user")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    with open_bundle(arguments.bundle.resolve(), verify="quick") as bundle, threadpool_limits(1):
        recommender = bundle.recommender()
        explainer = Explainer(recommender, bundle.source)
        asked = sample(bundle, recommender, arguments.users, arguments.k)
        if arguments.profile:
            profile(explainer, asked, arguments.k)
            return 0
        figures = measure(explainer, asked, arguments.k)
        name, n_items = arguments.bundle.name, bundle.catalogue.n_items
    rows = rows_of(figures)
    print_table(f"{name}, {n_items:,} items, {len(asked)} users, one thread, k = {arguments.k}", rows)
    if load_before > 0.5:
        print(f"Other processes kept about {load_before:.1f} cores busy before: times vary, ratios less.")
    if arguments.json:
        written: dict[str, Any] = {"bundle": name, "items": n_items, "load_before": load_before, **vars(figures)}
        arguments.json.write_text(json.dumps(written, indent=1), "utf8")
    return int(any(row[-1] is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
