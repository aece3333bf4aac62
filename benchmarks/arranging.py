"""What arranging a list takes: microseconds of CPU a list for each kind of rule, alone and together.

    python benchmarks/arranging.py

Pools of random finalists from a catalogue of random brands, categories, prices and vectors, in batches as large as an
evaluation's; the best of several rounds on one thread.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # replaces the script's own folder
    sys.path[0] = str(ROOT)

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from recsys.core.histories import Histories  # noqa: E402
from recsys.core.queries import Queries  # noqa: E402
from recsys.core.types import Int32Array  # noqa: E402
from recsys.pipeline.recommendations import RANKER, Recommendations  # noqa: E402
from recsys.rules.arranging import ArrangingAction, ArrangingRule, ArrangingRules  # noqa: E402
from recsys.rules.rule import Boost, Bury, Calibrate, Cap, Mmr, Pin, PriceFit, Promote, Upsell  # noqa: E402

ITEMS, BRANDS, CATEGORIES, HISTORY = 65_000, 4_000, 300, 12
# The part of the catalogue that rules of each kind act on; of the others, all of it.
SHARES = {Boost: 0.1, Bury: 0.02, Pin: 0.05, Promote: 0.1}
KINDS: dict[str, list[ArrangingAction]] = {
    "boost": [Boost(type="boost", by=0.5)],
    "boost, bury, upsell, price_fit": [
        Boost(type="boost", by=0.5),
        Bury(type="bury"),
        Upsell(type="upsell"),
        PriceFit(type="price_fit"),
    ],
    "pin": [Pin(type="pin", slot=3)],
    "promote": [Promote(type="promote", share=0.3)],
    "cap": [Cap(type="cap", by="category", most=2)],
    "cap with a window": [Cap(type="cap", by="category", most=1, window=4)],
    "mmr": [Mmr(type="mmr", weight=0.3)],
    "calibrate": [Calibrate(type="calibrate", weight=0.3)],
}


class Shop:
    """A catalogue, and a batch of queries with their finalists, all at random."""

    def __init__(self, queries: int, finalists: int, dimensions: int) -> None:
        self.rng = rng = np.random.default_rng(0)
        self.groups = {"brand": self._codes(BRANDS), "category": self._codes(CATEGORIES)}
        self.prices = rng.lognormal(2, 1, ITEMS).astype(np.float32)
        self.vectors = rng.normal(size=(ITEMS, dimensions)).astype(np.float16)
        rows = np.repeat(np.arange(queries), HISTORY)
        histories = Histories.from_rows(queries, rows, rng.integers(0, ITEMS, len(rows)), np.zeros(len(rows), np.int64))
        self.queries = Queries(histories, np.full(queries, -1, np.int32), np.zeros(queries, np.int64))
        items = np.stack([rng.choice(ITEMS, finalists, replace=False) for _ in range(queries)]).astype(np.int32)
        scores = -np.sort(-rng.normal(size=items.shape), axis=1).astype(np.float32)
        no, none = np.zeros(items.shape, np.bool_), np.zeros((*items.shape, 0), np.bool_)
        self.pool = Recommendations(items, scores, scores, None, none, (), RANKER, no, {}, {})

    def _codes(self, groups: int) -> Int32Array:
        return self.rng.integers(0, groups, ITEMS).astype(np.int32)

    def microseconds(self, actions: list[ArrangingAction], k: int, rounds: int) -> float:
        """CPU for a list under rules of those actions."""
        arrangement = ArrangingRules.of(
            [self._rule(index, action) for index, action in enumerate(actions)], len(actions), self.prices, self.vectors
        ).arrangement(np.ones((len(self.queries), len(actions)), np.bool_), np.full(len(self.queries), 8.0))
        assert arrangement is not None
        arrangement.choose(self.queries, self.pool, k)  # compiles, or reads compiled code from disk
        best = np.inf
        for _ in range(rounds):
            started = time.thread_time()
            arrangement.choose(self.queries, self.pool, k)
            best = min(best, time.thread_time() - started)
        return float(best / len(self.queries) * 1e6)

    def _rule(self, index: int, action: ArrangingAction) -> ArrangingRule:
        share = SHARES.get(type(action))
        items = None if share is None else self.rng.random(ITEMS) < share
        groups = self.groups[action.by] if isinstance(action, Cap | Calibrate) else None
        return ArrangingRule(index, action, items, groups)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    for name, default in (("k", 10), ("finalists", 100), ("dimensions", 128), ("queries", 256), ("rounds", 50)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    shop = Shop(given.queries, given.finalists, given.dimensions)
    cases = {**KINDS, "one of each": [action for name, kind in KINDS.items() if name != "boost" for action in kind]}
    cases["twenty: 12 boosts, and one of each but mmr and calibrate"] = [
        *[Boost(type="boost", by=0.1)] * 12,
        *[action for action in cases["one of each"] if not isinstance(action, Mmr | Calibrate)],
    ]
    table = Table("rules", "µs a list", title=f"Lists of {given.k} from {given.finalists} finalists")
    for name, actions in cases.items():
        table.add_row(name, f"{shop.microseconds(actions, given.k, given.rounds):.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
