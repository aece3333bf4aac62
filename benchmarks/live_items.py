"""What live items bring, and what they cost.

    python benchmarks/live_items.py latency --bundle data/generated/generated-65000 --items 5000
    python benchmarks/live_items.py recall --bundle saved_model/beauty_warm --dataset data/prepared/beauty_cold \
        --offline saved_model/beauty_cold

`latency`: lists of one user at a time, of the bundle and of the same bundle with as many live items, in turns; what an
overlay costs to make stands beside it. The live items are like items of the bundle. Exit code 1: over 5% more.

`recall`: recall@10 of the two-tower for users who chose an item without training interactions, among all items. Items
of the dataset that the bundle does not hold are encoded as a server does it, and are live; `--offline` is a bundle
trained with all of them as items without interactions. `benchmarks/without_new_items.py` makes a dataset without
such items.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # replaces the script's own folder, where this file hides the package `serve`
    sys.path[0] = str(ROOT)

from recsys.bundle import Bundle, open_bundle  # noqa: E402
from recsys.bundle.overlay import LiveBundle  # noqa: E402
from recsys.core.histories import Histories  # noqa: E402
from recsys.core.item_changes import ItemChange  # noqa: E402
from recsys.core.queries import Queries  # noqa: E402
from recsys.encoding import CatalogueEntry, ItemEncoder  # noqa: E402
from recsys.measure.protocol import HeldOut, train_counts  # noqa: E402
from recsys.prepare import columns as c  # noqa: E402
from recsys.prepare.prepared import PreparedDataset  # noqa: E402
from recsys.sources.new_items import NewItems  # noqa: E402
from recsys.sources.text_lenders import LENDERS  # noqa: E402

MOST = 1.05  # times as long as without live items
CUTOFF, SAMPLES = 10, 1000


def made_up_items(bundle: Bundle, count: int, seed: int) -> tuple[list[ItemChange], NewItems]:
    """Live items like some of the bundle's, which lend to them."""
    random = np.random.default_rng(seed)
    rows = random.choice(bundle.n_items, count, replace=count > bundle.n_items)
    like = bundle.item_embeddings[rows].astype(np.float32)
    vectors = like + 0.1 * like.std() * random.normal(size=like.shape).astype(np.float32)
    alike = bundle.two_tower().index.search(like, LENDERS).items
    lenders = np.where(alike < 0, rows[:, None], alike).astype(np.int32)
    weights = np.full(lenders.shape, 1 / LENDERS, np.float32)
    changes = [
        ItemChange(
            f"live {number}",
            {"title": one.title, "brand": one.brand, "categories": one.categories, "price": one.price},
        )
        for number, one in enumerate(bundle.catalogue.items(rows))
    ]
    return changes, NewItems(vectors.astype(np.float16), lenders, weights)


def latency(arguments: argparse.Namespace) -> int:
    """Print times of lists and of overlays; 1 if lists take too much longer."""
    with open_bundle(arguments.bundle, verify="quick") as bundle, threadpool_limits(1):
        changes, new = made_up_items(bundle, arguments.items, arguments.seed)
        seconds: dict[str, float] = {}
        before = timed(seconds, "the first overlay", lambda: composed(LiveBundle(bundle, changes, new)))
        sold_out = [*changes, ItemChange(bundle.catalogue.item_ids([0])[0], {"stock": 0})]
        live = timed(
            seconds, "one more, something sold out", lambda: composed(LiveBundle(bundle, sold_out, new, before))
        )
        for what, taken in seconds.items():
            print(f"{1000 * taken:8.1f} ms  to make {what}")
        users = np.flatnonzero(bundle.histories.lengths)
        users = np.random.default_rng(arguments.seed).choice(users, min(arguments.users, len(users)), replace=False)
        queries = [query(bundle, int(user)) for user in users]
        plain, with_live = recommender_of(bundle, arguments.k), recommender_of(live, arguments.k)
        found = sum(int((with_live(one).items >= bundle.n_items).any()) for one in queries)
        print(f"{found:8,} of {len(queries):,} users have live items in their lists")
        ratio = compare(plain, with_live, queries, arguments.rounds)
    return int(ratio > MOST)


def composed(live: LiveBundle) -> LiveBundle:
    """With its pipeline."""
    live.recommender()
    return live


def timed(seconds: dict[str, float], what: str, make: Callable[[], Any]) -> Any:
    """What is made, and the time that it took among others."""
    started = time.perf_counter()
    made = make()
    seconds[what] = time.perf_counter() - started
    return made


def query(bundle: Bundle, user: int) -> Queries:
    """Of one user, a day after the last interaction."""
    history = bundle.histories.select([user])
    return Queries(history, np.array([user], np.int32), history.timestamps[-1:] + 86_400)


def recommender_of(bundle: Bundle, k: int) -> Callable[[Queries], Any]:
    """Makes lists as a server does."""
    recommender, stock = bundle.recommender(), bundle.in_stock
    return lambda queries: recommender.recommend(queries, k, restrictions=stock)


def compare(
    plain: Callable[[Queries], Any], live: Callable[[Queries], Any], queries: list[Queries], n_rounds: int
) -> float:
    """Print the times of both in turns; the median of the ratios of the rounds."""
    for one in queries:
        plain(one)
    gc.freeze()
    rounds: list[tuple[float, float]] = []
    for _ in range(n_rounds):
        times: tuple[list[float], list[float]] = [], []
        for one in queries:
            for recommend, own in ((plain, times[0]), (live, times[1])):
                started = time.perf_counter()
                recommend(one)
                own.append(time.perf_counter() - started)
        rounds.append((statistics.median(times[0]), statistics.median(times[1])))
    ratios = sorted(other / one for one, other in rounds)
    ratio = statistics.median(ratios)
    one, other = (1000 * statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"{one:8.3f} ms  for a list without live items")
    print(f"{other:8.3f} ms  for a list with them: {ratio:.3f} times as long ", end="")
    print(f"({ratios[0]:.3f} to {ratios[-1]:.3f} in {len(ratios)} rounds)")
    return ratio


@dataclass(frozen=True)
class Asked:
    """Users who chose an item without training interactions.

    Attributes:
        held: their queries and what they chose.
        item_ids: of the dataset's item rows.
    """

    held: HeldOut
    item_ids: NDArray[np.object_]

    def recalls(self, bundle: Bundle) -> NDArray[np.float64]:
        """float64 [U], recall@10 of the bundle's two-tower."""
        rows = bundle.catalogue.item_rows(self.item_ids.tolist())
        row_of = np.array([rows[item_id] for item_id in self.item_ids], np.int32)
        histories, wanted = self.held.queries.histories, self.held.wanted
        there = Histories(
            histories.indptr, row_of[histories.items], histories.timestamps, histories.ratings, histories.weights
        )
        queries = Queries(there, self.held.queries.users, self.held.queries.now)
        found = bundle.two_tower().propose(queries, CUTOFF).items
        hits = (found[wanted.owners] == row_of[wanted.items][:, None]).any(axis=1)
        return np.bincount(wanted.owners, hits, len(queries)) / np.maximum(wanted.counts, 1)


def recall(arguments: argparse.Namespace) -> int:
    """Print the recall of live items, and that of items that training knew the texts of."""
    dataset = PreparedDataset.load(arguments.dataset)
    held = HeldOut.of(dataset, c.TEST)
    unchosen = train_counts(dataset) == 0
    users = np.flatnonzero(held.relevant.keep(unchosen[held.relevant.items]).counts)
    asked = Asked(held.select(users), dataset.item_ids)
    with open_bundle(arguments.bundle, verify="quick") as bundle:
        live = with_live_items(bundle, dataset)
        figures = {"live": asked.recalls(live)}
    if arguments.offline is not None:
        with open_bundle(arguments.offline, verify="quick") as offline:
            figures["offline"] = asked.recalls(offline)
        figures["live less offline"] = figures["live"] - figures["offline"]
    print(f"{live.live.n_new:,} live items; {len(users):,} users who chose an item without training interactions")
    for name, values in figures.items():
        low, high = bootstrap(values, arguments.seed)
        print(f"recall@{CUTOFF} {name:18} {values.mean():7.4f} (95% {low:.4f} to {high:.4f})")
    return 0


def with_live_items(bundle: Bundle, dataset: PreparedDataset) -> LiveBundle:
    """The bundle with those items of a dataset that it does not hold."""
    known = bundle.catalogue.item_rows(dataset.item_ids.tolist())
    changes = [
        ItemChange(str(item_id), fields_of(item))
        for item_id, (_, item) in zip(dataset.item_ids, dataset.items.iterrows(), strict=True)
        if item_id not in known
    ]
    encoder = ItemEncoder.load(bundle.path, bundle.item_embeddings)
    entries = [CatalogueEntry.of(change.fields) for change in changes]
    new = encoder.new_items(entries, encoder.encode_texts([encoder.text_of(entry) for entry in entries]))
    return LiveBundle(bundle, changes, new)


def fields_of(item: Any) -> dict[str, Any]:
    """What a shop says of an item of a prepared dataset."""
    price = None if np.isnan(item[c.PRICE]) else float(item[c.PRICE])
    texts = {name: item[name] or None for name in (c.TITLE, c.BRAND, c.DESCRIPTION)}
    return {**texts, "price": price, "categories": tuple(item[c.CATEGORIES])}


def bootstrap(values: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Bounds of the mean, 95%, by drawing users anew."""
    random = np.random.default_rng(seed)
    means = [values[random.integers(0, len(values), len(values))].mean() for _ in range(SAMPLES)]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description="What live items bring, and what they cost.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    of_time = kinds.add_parser("latency", help="lists with live items against lists without, in turns")
    of_time.add_argument("--bundle", type=Path, required=True)
    of_time.add_argument("--items", type=int, default=5000)
    of_time.add_argument("--users", type=int, default=400)
    of_time.add_argument("--rounds", type=int, default=9)
    of_time.add_argument("--k", type=int, default=20)
    of_recall = kinds.add_parser("recall", help="how well new items are found that are added live")
    of_recall.add_argument("--bundle", type=Path, required=True, help="trained without the new items")
    of_recall.add_argument("--dataset", type=Path, required=True, help="prepared, with the new items")
    of_recall.add_argument("--offline", type=Path, help="a bundle trained with them, for comparison")
    for kind in (of_time, of_recall):
        kind.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    return latency(arguments) if arguments.kind == "latency" else recall(arguments)


if __name__ == "__main__":
    sys.exit(main())
