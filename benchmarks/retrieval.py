"""ScaNN against exact NumPy search, in one run: time a query, ratio, recall@100.

    python benchmarks/retrieval.py [--sizes 12000 65000 500000] [--dim 64]

Embeddings are generated: clusters of clusters, popular items longer, users near items. Both search the same
vectors, one at a time and in batches of 64, on one thread; the figure is the median of several rounds. Beside them
what it takes to propose by a factorisation of that width, which scans the catalogue (`Source.scans`).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))

from recsys.core.histories import Histories
from recsys.core.queries import Queries
from recsys.core.types import Float32Array
from recsys.sources.factors.fold_in import FoldIn
from recsys.sources.factors.source import ImplicitFactors
from recsys.sources.two_tower.index import build_index
from recsys.sources.two_tower.index_parameters import RECALL_AT
from recsys.sources.two_tower.settings import IndexConfig

BATCH = 64
HISTORY, PROPOSED = 9, 50  # items of a history, and candidates that the factorisation proposes
# At most this share of the exact search's time for a single query, at recall@100 of .99 (size: share).
FLOORS = {65_000: 0.20, 500_000: 0.05}


def generate(n_items: int, n_users: int, dim: int, seed: int) -> tuple[Float32Array, Float32Array]:
    """Item embeddings [n_items, dim] and user vectors [n_users, dim], both float32."""
    random = np.random.default_rng(seed)
    coarse = random.normal(size=(50, dim))
    fine = coarse[random.integers(50, size=max(n_items // 50, 50))] + 0.7 * random.normal(
        size=(max(n_items // 50, 50), dim)
    )
    items = fine[random.integers(len(fine), size=n_items)] + 0.5 * random.normal(size=(n_items, dim))
    items *= random.lognormal(0, 0.2, size=(n_items, 1))
    users = items[random.integers(n_items, size=(n_users, 5))].mean(axis=1) + 0.3 * random.normal(size=(n_users, dim))
    return items.astype(np.float32), users.astype(np.float32)


def milliseconds(call: Callable[[], object], queries: int, rounds: int = 7) -> float:
    """Median time for a query over several rounds of `call`, which answers `queries`."""
    call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times) / queries


def numpy_search(embeddings: Float32Array, vectors: Float32Array, k: int) -> NDArray[np.intp]:
    """Exact search in NumPy: one matrix product, argpartition, sort."""
    scores = vectors @ embeddings.T
    best = np.argpartition(scores, -k, axis=1)[:, -k:]
    return np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1), axis=1)


def scan(factors: Float32Array, random: np.random.Generator) -> tuple[float, float]:
    """Milliseconds a query in which ALS of these item factors proposes: alone, and in a batch."""
    als = ImplicitFactors("als", factors, None, FoldIn((factors.T @ factors).astype(np.float64), 0.01, 20.0))
    users = np.repeat(np.arange(BATCH), HISTORY)
    items = random.integers(len(factors), size=len(users))
    histories = Histories.from_rows(BATCH, users, items, np.arange(len(users)))
    queries = Queries(histories, np.arange(BATCH, dtype=np.int32), np.zeros(BATCH, np.int64))
    single = [queries.select(np.array([row])) for row in range(8)]
    alone = milliseconds(lambda: [als.propose(query, PROPOSED) for query in single], len(single))
    return alone, milliseconds(lambda: als.propose(queries, PROPOSED), BATCH)


def measure(n_items: int, dim: int, seed: int, single: int) -> tuple[list[str], float]:
    """One row of the table, and the share of NumPy's time that a single query takes."""
    embeddings, users = generate(n_items, 2000, dim, seed)
    start = time.perf_counter()
    index, recall = build_index(embeddings, users, IndexConfig(), seed)
    built = time.perf_counter() - start
    queries = users[:single]
    exact_one = milliseconds(lambda: [numpy_search(embeddings, query[None], RECALL_AT) for query in queries], single)
    scann_one = milliseconds(lambda: [index.search(query[None], RECALL_AT) for query in queries], single)
    exact_batch = milliseconds(lambda: numpy_search(embeddings, users[:BATCH], RECALL_AT), BATCH)
    scann_batch = milliseconds(lambda: index.search(users[:BATCH], RECALL_AT), BATCH)
    p = index.parameters
    row = [
        f"{n_items:,}",
        "exact" if p.exact else f"{p.leaves} / {p.leaves_to_search} / {p.reorder}",
        f"{recall:.4f}",
        f"{built:.1f}",
        f"{exact_one:.3f}",
        f"{scann_one:.3f}",
        f"{scann_one / exact_one:.3f}",
        f"{exact_batch:.3f}",
        f"{scann_batch:.3f}",
        f"{scann_batch / exact_batch:.3f}",
        *(f"{figure:.3f}" for figure in scan(embeddings, np.random.default_rng(seed))),
    ]
    return row, scann_one / exact_one


def main() -> int:
    """Print the table; 1 if a floor is missed."""
    parser = argparse.ArgumentParser(description="ScaNN against exact NumPy search.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[12_000, 65_000, 500_000])
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--single", type=int, default=100, help="queries in a round of single searches")
    arguments = parser.parse_args()
    table = Table(title=f"Top {RECALL_AT} by inner product, {arguments.dim} dimensions, ms a query, one thread")
    for heading in ("items", "tree / searched / reordered", "recall@100", "build s"):
        table.add_column(heading, justify="right")
    for kind in ("one", f"of {BATCH}"):
        for heading in (f"NumPy {kind}", f"ScaNN {kind}", "ratio"):
            table.add_column(heading, justify="right")
    for kind in ("one", f"of {BATCH}"):
        table.add_column(f"ALS {kind}", justify="right")
    missed = []
    with threadpool_limits(1):
        for size in arguments.sizes:
            row, ratio = measure(size, arguments.dim, arguments.seed, arguments.single)
            table.add_row(*row)
            if ratio > FLOORS.get(size, 1.0):
                missed.append(f"{size:,} items: {ratio:.3f} of NumPy's time, at most {FLOORS[size]} wanted")
    Console(width=160).print(table)
    for line in missed:
        print("MISSED", line)
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
