"""What live items bring, and what they cost.

    python benchmarks/live_items.py latency --bundle data/generated/generated-65000 --items 5000
    python benchmarks/live_items.py recall --bundle saved_model/beauty_warm --dataset data/prepared/beauty_cold \
        --offline saved_model/beauty_cold

`latency`: answers to requests for one user at a time, without HTTP, from the bundle and from the same bundle with as
many live items, in turns; what an overlay costs to make stands beside it. The live items are like items of the bundle.
Exit code 1: over 5% more.

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
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
from serve.bundles.loaded import LoadedBundle  # noqa: E402
from serve.recommendations.schemas import RecommendationQuery  # noqa: E402
from serve.recommendations.service import RecommendationRequest  # noqa: E402
from serve.server import Server  # noqa: E402
from serve.settings import Settings  # noqa: E402

MOST = 1.05  # times as long as without live items
START_S = 300
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
    """Print times of answers and of overlays; 1 if answers take too much longer."""
    with threadpool_limits(1), serving(arguments.bundle) as plain, serving(arguments.bundle) as other:
        base = other.parts.bundles.loaded
        live = with_made_up_items(base, arguments)
        other.parts.bundles.replace(live)
        ask_plain, ask_live = asked_of(plain), asked_of(other)
        users = np.flatnonzero(base.bundle.histories.lengths)
        users = np.random.default_rng(arguments.seed).choice(users, min(arguments.users, len(users)), replace=False)
        user_ids = base.bundle.catalogue.user_ids(users)
        found = sum(b'"live ' in ask_live(user_id) for user_id in user_ids)
        print(f"{found:8,} of {len(user_ids):,} users have live items in their lists")
        ratio = compare(ask_plain, ask_live, user_ids, arguments.rounds)
    return int(ratio > MOST)


def with_made_up_items(base: LoadedBundle, arguments: argparse.Namespace) -> LoadedBundle:
    """What a server answers from with live items; prints what it took to make that, and to make one more."""
    bundle = base.bundle
    changes, new = made_up_items(bundle, arguments.items, arguments.seed)
    sold_out = [*changes, ItemChange(bundle.catalogue.item_ids([0])[0], {"stock": 0})]
    seconds: dict[str, float] = {}
    overlay = timed(seconds, "the first overlay", lambda: LiveBundle(bundle, changes, new))
    live: LoadedBundle = timed(seconds, "its pipeline and facts", lambda: base.over(overlay))
    timed(
        seconds,
        "all that after something is sold out",
        lambda: base.over(LiveBundle(bundle, sold_out, new, overlay), live),
    )
    for what, taken in seconds.items():
        print(f"{1000 * taken:8.1f} ms  to make {what}")
    return live


@contextmanager
def serving(bundle: Path) -> Iterator[Server]:
    """A server without HTTP and store."""
    server = Server(Settings(bundle=bundle, store="none", index_items=False))
    server.start()
    try:
        server.parts.bundles.first.result(START_S)
        yield server
    finally:
        server.close()


def asked_of(server: Server) -> Callable[[str], bytes]:
    """The answer for a user, as its reader gets it."""
    service, options = server.recommendations.service, RecommendationQuery().options()

    def ask(user_id: str) -> bytes:
        (made,) = service.recommend([RecommendationRequest(options, (user_id,))])
        if isinstance(made, Exception):
            raise made
        return msgspec.json.encode([one.answer for one in made])

    return ask


def timed(seconds: dict[str, float], what: str, make: Callable[[], Any]) -> Any:
    """What is made, and the time that it took among others."""
    started = time.perf_counter()
    made = make()
    seconds[what] = time.perf_counter() - started
    return made


def compare(plain: Callable[[str], bytes], live: Callable[[str], bytes], user_ids: list[str], n_rounds: int) -> float:
    """Print the times of both in turns; the median of the ratios of the rounds.

    Beside each stands the processor time, which says more where others use the machine, too.
    """
    for user_id in user_ids:
        plain(user_id)
    gc.freeze()
    rounds = [one_round(plain, live, user_ids, number) for number in range(n_rounds)]
    for clock, what in enumerate(("ms", "ms of CPU")):
        one, other = (1000 * statistics.median(times[which][clock] for times in rounds) for which in (0, 1))
        ratios = sorted(times[1][clock] / times[0][clock] for times in rounds)
        print(f"{one:8.3f} {what} for an answer without live items, {other:.3f} with: ", end="")
        print(
            f"{statistics.median(ratios):.3f} times as long ({ratios[0]:.3f} to {ratios[-1]:.3f} in {n_rounds} rounds)"
        )
    return statistics.median(times[1][0] / times[0][0] for times in rounds)


def one_round(
    plain: Callable[[str], bytes], live: Callable[[str], bytes], user_ids: list[str], number: int
) -> list[tuple[float, float]]:
    """Median seconds and CPU seconds of an answer, without live items and with them."""
    times: list[list[tuple[float, float]]] = [[], []]
    for place, user_id in enumerate(user_ids):
        # Who asks the same again finds all of it at hand: each of both comes second as often.
        for which in (0, 1) if (place + number) % 2 else (1, 0):
            started = time.perf_counter(), time.thread_time()
            (live if which else plain)(user_id)
            times[which].append((time.perf_counter() - started[0], time.thread_time() - started[1]))
    return [tuple(map(statistics.median, zip(*of_one, strict=True))) for of_one in times]


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
        return np.asarray(np.bincount(wanted.owners, hits, len(queries)) / np.maximum(wanted.counts, 1))


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
