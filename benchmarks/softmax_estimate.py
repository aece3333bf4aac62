"""How far the sum of a sampled softmax is from the one over all items, on a trained bundle.

    python benchmarks/softmax_estimate.py saved_model/beauty [--items 1024 2048 4096] [--powers 0 0.5 0.75 1]

For users of the bundle the logarithm of the weighted sum over a sample is compared with that over all items of the
training: strata as training draws them, by the power of an item's frequency that sizes them, and independent draws of
the same chances, each weighted by its inverse chance (logQ).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from recsys.bundle import Bundle, open_bundle
from recsys.core.queries import Queries
from recsys.core.types import Float64Array, Int64Array
from recsys.models.negatives import stratum_sizes

USERS, SAMPLES, LEAST_HISTORY = 400, 60, 4


def scores_by_frequency(bundle: Bundle, rng: np.random.Generator) -> tuple[Float64Array, Int64Array]:
    """Exponentials of the scores [USERS, N] of some users, at most 1, and the counts [N], most frequent items first."""
    histories = bundle.histories
    users = rng.choice(np.flatnonzero(histories.lengths >= LEAST_HISTORY), USERS, replace=False)
    queries = Queries(histories.select(users), users.astype(np.int32), np.zeros(USERS, np.int64))
    counts = np.bincount(histories.items, minlength=bundle.n_items)
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    items = np.asarray(bundle.item_embeddings, np.float32)[order]
    scores = (bundle.two_tower().encode(queries) @ items.T).astype(np.float64)
    return np.exp(scores - scores.max(axis=1, keepdims=True)), counts[order]


def stratified(values: Float64Array, sizes: Int64Array, rng: np.random.Generator) -> Float64Array:
    """The sums [USERS] that one item of each stratum tells."""
    starts = np.cumsum(sizes) - sizes
    drawn = starts + (rng.random(len(sizes)) * sizes).astype(np.int64)
    total: Float64Array = values[:, drawn] @ sizes.astype(np.float64)
    return total


def independent(values: Float64Array, chances: Float64Array, count: int, rng: np.random.Generator) -> Float64Array:
    """The sums [USERS] that independent draws tell."""
    drawn = rng.choice(len(chances), count, p=chances)
    total: Float64Array = values[:, drawn] @ (1 / (count * chances[drawn]))
    return total


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--items", type=int, nargs="+", default=[1024, 2048, 4096])
    parser.add_argument("--powers", type=float, nargs="+", default=[0.0, 0.5, 0.75, 1.0])
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    with open_bundle(arguments.bundle) as bundle:
        values, counts = scores_by_frequency(bundle, rng)
    table = Table(title=f"Error of log sum over {len(counts)} items: standard deviation from 0 (mean)")
    for column in ("items", "power", "strata", "independent draws"):
        table.add_column(column, justify="right")
    total = values.sum(axis=1)
    for count in arguments.items:
        for power in arguments.powers:
            sizes, chances = stratum_sizes(counts, count, power), counts**power / (counts**power).sum()
            ways = (
                [stratified(values, sizes, rng) for _ in range(SAMPLES)],
                [independent(values, chances, count, rng) for _ in range(SAMPLES)],
            )
            errors = [np.log(np.array(way) / total) for way in ways]
            cells = [f"{np.sqrt(np.mean(error**2)):.2f} ({error.mean():+.2f})" for error in errors]
            table.add_row(str(count), f"{power:g}", *cells)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
