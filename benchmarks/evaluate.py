"""How fast full-ranking evaluation is: exact scores, top 100, seen items removed, all metrics at four cutoffs.

    python benchmarks/evaluate.py
    python benchmarks/evaluate.py --users 100000 --items 100000 --dim 192 --loop-users 200 --rounds 1

On generated vectors and histories of the size of Amazon Beauty (22,363 users, 12,101 items), in one run:
the floor (the matrix product alone, in single precision), ours (what the evaluator does for the exact two-tower of a
bundle, whose item embeddings have half precision) and a plain loop over users with `numpy.argsort` (fewer users,
scaled). The figures of the loop and ours must agree. Times are of the process, which others do not add to.
"""

from __future__ import annotations

import argparse
import math
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))

from recsys.core.histories import Histories
from recsys.core.types import Float64Array
from recsys.measure.metrics import Relevant, ranking_metrics
from recsys.measure.protocol import block_users
from recsys.sources.exact import drop_seen, search

CUTOFFS = (5, 10, 20, 100)
DEPTH = max(CUTOFFS)
_FLOOR_ITEMS = 8192  # whose scores are held at a time

Figures = dict[str, Float64Array]


class Case:
    """Generated users and items: unit vectors, geometric history lengths, one relevant item a user."""

    def __init__(self, users: int, items: int, dim: int, mean_history: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.vectors = rng.standard_normal((users, dim), np.float32)
        self.stored = rng.standard_normal((items, dim), np.float32).astype(np.float16)
        self.embeddings = self.stored.astype(np.float32)
        lengths = np.minimum(rng.geometric(1 / mean_history, users), 200)
        rows = np.repeat(np.arange(users), lengths)
        self.histories = Histories.from_rows(users, rows, rng.integers(0, items, len(rows)), np.arange(len(rows)))
        # One of the items that score well, so that the metrics are not all zero.
        ranks = rng.integers(0, 20, users)
        self.relevant_items = np.empty(users, np.int32)
        for block in self.blocks():
            likely = search(self.vectors[block], self.stored[: items // 10], 20).items
            self.relevant_items[block] = likely[np.arange(len(likely)), ranks[block]]
        self.relevant = Relevant(np.arange(users + 1), self.relevant_items)

    def blocks(self) -> Iterator[slice]:
        size = block_users(len(self.embeddings))
        yield from (slice(start, start + size) for start in range(0, len(self.vectors), size))


def floor(case: Case) -> None:
    """Only the matrix product that gives the scores."""
    for block in case.blocks():
        for start in range(0, len(case.embeddings), _FLOOR_ITEMS):
            np.matmul(case.vectors[block], case.embeddings[start : start + _FLOOR_ITEMS].T)


def ours(case: Case) -> Figures:
    """What the evaluator does, in blocks of users."""
    parts = []
    for block in case.blocks():
        rows = np.arange(len(case.vectors))[block]
        histories = case.histories.select(rows)
        best = drop_seen(
            search(case.vectors[block], case.stored, DEPTH + int(histories.lengths.max())), histories, DEPTH
        )
        parts.append(ranking_metrics(best.items, case.relevant.select(rows), CUTOFFS))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def loop(case: Case, users: int) -> Figures:
    """One user at a time, as the definitions of the metrics read."""
    figures: dict[str, list[float]] = {f"{metric}@{k}": [] for metric in ("recall", "ndcg", "mrr") for k in CUTOFFS}
    for user in range(users):
        scores = case.embeddings @ case.vectors[user]
        scores[case.histories.items[case.histories.indptr[user] : case.histories.indptr[user + 1]]] = -np.inf
        ranked = np.argsort(-scores)[:DEPTH]
        positions = np.flatnonzero(ranked == case.relevant_items[user])
        rank = positions[0] + 1 if len(positions) else math.inf
        for k in CUTOFFS:
            hit = rank <= k
            figures[f"recall@{k}"].append(float(hit))
            figures[f"ndcg@{k}"].append(1 / math.log2(1 + rank) if hit else 0.0)
            figures[f"mrr@{k}"].append(1 / rank if hit else 0.0)
    return {name: np.array(values) for name, values in figures.items()}


def seconds(call: Callable[[], object], rounds: int) -> float:
    """Processor time of the fastest of a few rounds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=22_363)
    parser.add_argument("--items", type=int, default=12_101)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--mean-history", type=int, default=8)
    parser.add_argument("--loop-users", type=int, default=2_000, help="users of the plain loop")
    parser.add_argument("--rounds", type=int, default=3, help="the fastest of which counts")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with threadpool_limits(1):
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Compare the figures, measure on one thread, print a table and the peak of memory."""
    case = Case(options.users, options.items, options.dim, options.mean_history, options.seed)
    compared = min(options.loop_users, options.users)
    ours_figures, loop_figures = ours(case), loop(case, compared)
    for name, values in loop_figures.items():
        np.testing.assert_allclose(ours_figures[name][:compared], values, rtol=1e-5, err_msg=name)
    rates = {
        "floor: matrix product": options.users / seconds(lambda: floor(case), options.rounds),
        "ours": options.users / seconds(lambda: ours(case), options.rounds),
        "plain loop": compared / seconds(lambda: loop(case, compared), options.rounds),
    }
    table = Table(title=f"{options.users:,} users, {options.items:,} items, dim {options.dim}", title_justify="left")
    for heading in ("", "users/s", "of the floor", "times the plain loop"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, rate in rates.items():
        table.add_row(
            name, f"{rate:,.0f}", f"{rate / rates['floor: matrix product']:.2f}", f"{rate / rates['plain loop']:.1f}"
        )
    Console().print(table)
    Console().print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB at most")


if __name__ == "__main__":
    main()
