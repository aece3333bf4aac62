"""What holding back and offering again is worth: which lists hold what users buy next.

    python -m recsys sample data/raw/sample
    for step in prepare_data train; do .venv/bin/python $step.py --config configs/sample_orders.yaml; done
    python benchmarks/repurchase.py --config configs/sample_orders.yaml

For every user of a split of a dataset with repeats, at the moment of the first held-out interaction. Compared are lists
without anything of the history; lists that may hold it, as the ranker alone wants; and either under a repurchase rule,
which holds back what is not due and offers again what is. Below are lists of nothing but what is due, in different
orders. Intervals are those of paired resamples of users.

`--bundle` names one that was trained on the same log with `data.repeats: latest`, as most shops have it. It was trained
on each user's items at their latest times, but for the last one, so that it fits the test split alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from recsys.bundle import Bundle, open_bundle
from recsys.config import load_config
from recsys.core.queries import Queries
from recsys.core.types import BoolArray, Float32Array, Int32Array
from recsys.measure.metrics import bootstrap_means, interval, ranking_metrics
from recsys.measure.protocol import HeldOut
from recsys.pipeline.allow import Among
from recsys.pipeline.policy import Plan, Policy, UserVectors
from recsys.pipeline.recommender import Recommender
from recsys.prepare.prepared import PreparedDataset
from recsys.rules.buy_again import BuyAgain
from recsys.rules.repurchase import repurchases
from recsys.rules.rule import Repurchase
from recsys.sources.exact import is_seen

K, SAMPLES = 10, 1000
LEFT_OUT, RANKER_ALONE = "seen left out", "seen allowed"


@dataclass(frozen=True)
class OneRule:
    """A repurchase rule for everyone and all items, and nothing else."""

    cycles: Float32Array
    action: Repurchase

    def plan(self, queries: Queries, k: int, vectors: UserVectors | None = None, filters: Sequence[Among] = ()) -> Plan:
        del k, vectors, filters
        found = repurchases(queries, self.cycles, self.action)
        restricting, none = np.ones((len(queries), 1), np.bool_), np.empty((len(queries), 0), np.int32)
        return Plan(("repurchase",), (found.restriction,), restricting, found.due, none)

    def forbidding(self, queries: Queries, items: Int32Array) -> BoolArray:
        held_back = repurchases(queries, self.cycles, self.action).restriction
        return ~held_back.allows(queries, items)[:, :, None]


def lists(recommender: Recommender, held: HeldOut, policy: Policy | None, *, seen: bool) -> Int32Array:
    """The k best items of each user, int32 [U, k]."""
    return recommender.recommend(held.queries, K, exclude_seen=not seen, policy=policy).items


def due_lists(held: HeldOut, cycles: Float32Array) -> dict[str, Int32Array]:
    """What is due of each user, by when it came due and the other way round."""
    due = repurchases(held.queries, cycles).due
    due = np.pad(due, ((0, 0), (0, max(0, K - due.shape[1]))), constant_values=-1)
    lengths = (due >= 0).sum(axis=1)
    columns = lengths[:, None] - 1 - np.arange(K)
    longest = np.where(columns >= 0, np.take_along_axis(due, np.maximum(columns, 0), axis=1), -1)
    return {"due, latest first": due[:, :K], "due, longest first": longest.astype(np.int32)}


def require_same_items(bundle: Bundle, dataset: PreparedDataset) -> None:
    """Stop where rows of items mean something else."""
    if bundle.catalogue.item_ids(np.arange(bundle.n_items)) != dataset.item_ids.tolist():
        sys.exit("The bundle and the dataset hold different items.")


def each_once(queries: Queries) -> Queries:
    """The same with each item of a history once, at its latest time, as a bundle without repeats has it."""
    histories = queries.histories
    pairs = (histories.rows << 32) + histories.items
    latest = np.zeros(len(pairs), np.bool_)
    latest[len(pairs) - 1 - np.unique(pairs[::-1], return_index=True)[1]] = True
    return replace(queries, histories=histories.where(latest))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True, help="of a dataset with data.repeats: all")
    parser.add_argument("--bundle", type=Path, help="another than that of the config")
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--from-share", type=float, nargs="*", default=[0.5, 0.8, 1.0], help="of the rule")
    args = parser.parse_args()
    config = load_config(args.config)
    dataset = PreparedDataset.load(config.prepared_path)
    held = HeldOut.of(dataset, args.split)
    with open_bundle(args.bundle or config.bundle.dir / config.name) as bundle:
        require_same_items(bundle, dataset)
        if not bundle.predicts_repeats:
            held = replace(held, queries=each_once(held.queries))
        recommender, cycles = bundle.recommender(threads=2), bundle.cycles
        made = {LEFT_OUT: lists(recommender, held, None, seen=False)}
        made[RANKER_ALONE] = lists(recommender, held, None, seen=True)
        for share in args.from_share:
            policy = OneRule(cycles, Repurchase(type="repurchase", from_share=share))
            for seen, name in ((False, LEFT_OUT), (True, RANKER_ALONE)):
                made[f"{name}, repurchase from {share:g}"] = lists(recommender, held, policy, seen=seen)
        made["due, by the ranker"] = lists(recommender, held, BuyAgain(cycles, by_ranker=True), seen=False)
        made |= due_lists(held, cycles)
    _report(held, dataset, made)


def _report(held: HeldOut, dataset: PreparedDataset, made: dict[str, Int32Array]) -> None:
    repeated = _repeated(held)
    figures = {name: ranking_metrics(items, held.relevant, [K]) for name, items in made.items()}
    table = Table(title=f"{dataset.name}, {held.split}: {len(held):,} users, {repeated.mean():.1%} of them repeat")
    for heading in ("lists", "length", f"NDCG@{K}", f"recall@{K}", "of repeats", "of others", f"NDCG - {RANKER_ALONE}"):
        table.add_column(heading, justify="left" if heading == "lists" else "right")
    means = bootstrap_means(np.stack([one[f"ndcg@{K}"] for one in figures.values()], axis=1), SAMPLES, seed=0)
    base = list(made).index(RANKER_ALONE)
    for column, (name, items) in enumerate(made.items()):
        ndcg, recall = figures[name][f"ndcg@{K}"], figures[name][f"recall@{K}"]
        low, high = interval(means[:, column] - means[:, base])
        gain = f"{ndcg.mean() - figures[RANKER_ALONE][f'ndcg@{K}'].mean():+.4f} ({low:+.4f} to {high:+.4f})"
        shares = (f"{recall[part].mean():.4f}" for part in (slice(None), repeated, ~repeated))
        table.add_row(name, f"{(items >= 0).sum(axis=1).mean():.1f}", f"{ndcg.mean():.4f}", *shares, gain)
    Console(width=150).print(table)


def _repeated(held: HeldOut) -> BoolArray:
    """Bool [U], whether a user buys something of the history next."""
    again = is_seen(held.relevant.items, held.relevant.owners, held.queries.histories)
    return held.relevant.keep(again).counts > 0


if __name__ == "__main__":
    main()
