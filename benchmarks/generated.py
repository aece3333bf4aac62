"""A bundle of any size for benchmarks, in little time: the files and models of a trained one, generated contents.

    python benchmarks/generated.py FOLDER --items 65000

Items lie in clusters of similar embeddings, prices and brands, and users choose within a few of them. Neighbour lists
stay within the cluster, so that nothing compares all items with all. Query tower, rating head and ranker are those of
recsys.models at the default sizes, with weights that nobody trained: they cost what trained ones do.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from numpy.typing import NDArray

from recsys.bundle import BundleWriter, ItemRecord, open_bundle
from recsys.bundle.layout import RETRIEVERS_FOLDER
from recsys.bundle.manifest import DatasetSection, MetricsSection, ServingSection
from recsys.config import Config
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.tower_io import OUT_OF_VOCABULARY, QUERY_TOWER, RATING_HEAD
from recsys.core.types import Float16Array, Float32Array, Int32Array, Int64Array
from recsys.models import TwoTower
from recsys.models.exported import exported_models
from recsys.models.item_features import ItemFeatures
from recsys.models.ranker_network import RankerNetwork, bin_edges
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures, FeatureGroup, FeatureParts
from recsys.pipeline.features.brand import BrandFeatures
from recsys.pipeline.features.category import CategoryFeatures
from recsys.pipeline.features.group import FeatureGroupOfParts
from recsys.pipeline.features.names import NO_NAME
from recsys.pipeline.features.popularity import PopularityFeatures
from recsys.pipeline.features.price import PriceFeatures
from recsys.pipeline.features.registry import GROUPS
from recsys.pipeline.head import RankingHead, RatingPredictor
from recsys.pipeline.propose import Proposer
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.ranker_tables import RankerTables
from recsys.pipeline.rating_factors import RatingFactors
from recsys.pipeline.ratings import FEATURES, RatingStatistics
from recsys.pipeline.recommender import Recommender
from recsys.prepare.sample.words import HOBBIES
from recsys.prepare.settings import DataConfig
from recsys.sources.factors.fold_in import FoldIn
from recsys.sources.factors.source import ImplicitFactors
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.lending import LENDERS, Loans
from recsys.sources.popularity.source import Popularity
from recsys.sources.two_tower.index import build_index
from recsys.sources.two_tower.query_tower import QueryTower
from recsys.sources.two_tower.source import TwoTowerSource
from recsys.train.onnx_export import export_onnx
from recsys.train.ranker_fit import FittedRanker, served_ranker

USERS = 20_000
CLUSTER, COARSE = 400, 50  # items of a cluster; groups of clusters
NEIGHBOURS = 100
FACTORS, RATING_FACTORS = 64, 25
UNKNOWN_SHARE = 0.003  # items that nobody has chosen yet: what a 5-core leaves of them
# Retrievers whose lists propose candidates: recency decay, and whether they know items by what users chose.
PROPOSERS = {
    "neighbours_bm25": (0.6, True),
    "transitions": (0.6, True),
    "content_tfidf": (0.6, False),
    "content_encoder": (0.3, False),
}
HYBRID = {"two_tower": 0.05, "popularity": 0.0003, "transitions": 1.0, "als": 0.3, "content_tfidf": 0.3}
START, DAY = 1_500_000_000, 86_400
SAMPLE_USERS = 300


@dataclass(frozen=True)
class Items:
    """A catalogue of N items.

    Attributes:
        members: int64 item rows of each cluster, the most popular first.
        cluster: int64 [N].
        embeddings: float16 [N, D], learned part and text part.
        counts: int64 [N], how often each was chosen; 0 where nobody has yet.
        learned: width of the learned part.
    """

    members: list[Int64Array]
    cluster: Int64Array
    embeddings: Float16Array
    counts: Int64Array
    learned: int

    def __len__(self) -> int:
        return len(self.cluster)

    @classmethod
    def generate(cls, n_items: int, learned: int, text: int, random: np.random.Generator) -> Items:
        """Clusters around centres that lie around coarse ones; text of unit length; popularity by a power law."""
        members = np.array_split(random.permutation(n_items), max(1, n_items // CLUSTER))
        cluster, counts = np.empty(n_items, np.int64), np.empty(n_items, np.int64)
        for number, rows in enumerate(members):
            cluster[rows] = number
            counts[rows] = 5 + 200 / (1 + np.arange(len(rows))) ** 0.7
        counts[random.choice(n_items, int(UNKNOWN_SHARE * n_items), replace=False)] = 0
        coarse = _normal(random, COARSE, learned + text)
        centres = coarse[np.arange(len(members)) % COARSE] + 0.7 * _normal(random, len(members), learned + text)
        embeddings = centres[cluster]
        embeddings += 0.7 * _normal(random, n_items, learned + text)
        lengths = 0.9 * random.lognormal(0, 0.2, (n_items, 1)).astype(np.float32)
        embeddings[:, :learned] *= lengths / np.linalg.norm(embeddings[:, :learned], axis=1, keepdims=True)
        embeddings[:, learned:] /= np.linalg.norm(embeddings[:, learned:], axis=1, keepdims=True)
        return cls(members, cluster, embeddings.astype(np.float16), counts, learned)


def make_histories(items: Items, n_users: int, random: np.random.Generator) -> Histories:
    """About 9 distinct items of each user, 5 or more, of three clusters, the popular ones more often; all rated."""
    lengths = 5 + random.lognormal(1.0, 1.0, n_users).astype(np.int64)
    users = np.repeat(np.arange(n_users), lengths)
    favourites = random.integers(len(items.members), size=(n_users, 3))
    chosen = favourites[users, random.integers(3, size=len(users))]
    sizes = np.array([len(rows) for rows in items.members])
    starts = np.cumsum(sizes) - sizes
    position = (sizes[chosen] * random.random(len(users)) ** 2).astype(np.int64)
    rows = np.concatenate(items.members)[starts[chosen] + position]
    pairs = np.unique((users * len(items) + rows)[items.counts[rows] > 0])
    users, rows = np.divmod(pairs, len(items))
    times = START + DAY * random.integers(0, 1000, len(pairs))
    order = np.lexsort((times, users))
    stars = random.choice([1.0, 2.0, 3.0, 4.0, 5.0], len(pairs), p=[0.05, 0.06, 0.11, 0.2, 0.58])
    return Histories.from_rows(n_users, users[order], rows[order], times[order], stars)


def make_proposer(name: str, items: Items, random: np.random.Generator) -> ItemToItem:
    """The nearest of each item's cluster, by noisy cosine; nobody is near an item that users do not know."""
    decay, behaviour = PROPOSERS[name]
    vectors = items.embeddings[:, : items.learned] if behaviour else items.embeddings[:, items.learned :]
    vectors = vectors.astype(np.float32)
    width = min(NEIGHBOURS, min(map(len, items.members)) - 1)
    neighbours = np.full((len(items), width), NO_ITEM, np.int32)
    similarities = np.zeros((len(items), width), np.float32)
    for rows in items.members:
        unit = vectors[rows] / np.linalg.norm(vectors[rows], axis=1, keepdims=True)
        closeness = unit @ unit.T
        closeness += 0.15 * _normal(random, *closeness.shape)
        np.clip(closeness, 0.001, 1, out=closeness)
        np.fill_diagonal(closeness, 0)
        if behaviour:
            unknown = items.counts[rows] == 0
            closeness[unknown] = closeness[:, unknown] = 0
        best = np.argpartition(-closeness, width - 1, axis=1)[:, :width]
        closest = np.take_along_axis(closeness, best, axis=1)
        order = np.argsort(-closest, axis=1)
        closest = np.take_along_axis(closest, order, axis=1)
        neighbours[rows] = np.where(closest > 0, rows[np.take_along_axis(best, order, axis=1)], NO_ITEM)
        similarities[rows] = closest
    return ItemToItem(name, neighbours, similarities, decay)


def make_factors(items: Items, random: np.random.Generator) -> ImplicitFactors:
    """ALS: factors near those of the cluster, none for items that nobody has chosen."""
    factors = 0.3 * _normal(random, len(items.members), FACTORS)[items.cluster]
    factors += 0.1 * _normal(random, len(items), FACTORS)
    factors[items.counts == 0] = 0
    return ImplicitFactors("als", factors, None, FoldIn((factors.T @ factors).astype(np.float64), 0.01, 20.0))


def make_statistics(items: Items, random: np.random.Generator) -> RatingStatistics:
    """Item biases and taste vectors of the size that fitted ones have."""
    counts = items.counts.astype(np.float64)
    vectors = 0.1 * _normal(random, len(items), RATING_FACTORS)
    vectors[:, 0] = 0.5
    return RatingStatistics(
        4.2, 5.0, np.sqrt(counts) * random.normal(size=len(items)), counts, RatingFactors(vectors, 0.6)
    )


@dataclass(frozen=True)
class Attributes:
    """Attributes of each item beside its vectors."""

    log_price: Float32Array
    brand: Int32Array
    categories: Int32Array
    log_count: Float32Array
    trend: Float32Array
    loans: Loans

    def features(self, parts: FeatureParts) -> CandidateFeatures:
        """The features that read it, and those of the other parts of the pipeline."""
        groups: dict[str, FeatureGroup] = {
            name: group.of(parts) for name, group in GROUPS.items() if issubclass(group, FeatureGroupOfParts)
        }
        groups["popularity"] = PopularityFeatures(self.log_count, self.trend)
        groups["price"] = PriceFeatures(self.log_price)
        groups["brand"], groups["category"] = BrandFeatures(self.brand), CategoryFeatures(self.categories)
        return CandidateFeatures({name: groups[name] for name in GROUPS})


def make_attributes(items: Items, random: np.random.Generator) -> Attributes:
    """Price, brand and 3 to 6 categories by cluster, some unknown; loans within the cluster."""
    n_items = len(items)
    log_price = (random.normal(3, 0.6, len(items.members))[items.cluster] + random.normal(0, 0.3, n_items)).astype(
        np.float32
    )
    log_price[random.random(n_items) < 0.1] = np.nan
    brand = (1 + 8 * items.cluster + random.integers(8, size=n_items)).astype(np.int32)
    brand[random.random(n_items) < 0.1] = NO_NAME
    top = 2 + COARSE + len(items.members)
    deeper = [np.full(n_items, 1), 2 + items.cluster % COARSE, 2 + COARSE + items.cluster]
    deeper += [top + 2 * items.cluster + random.integers(2, size=n_items)]
    deeper += [top + (level + 1) * 2 * len(items.members) + items.cluster for level in (1, 2)]
    categories = np.stack(deeper, axis=1).astype(np.int32)
    categories[np.arange(6) >= random.choice([3, 4, 5, 6], (n_items, 1), p=[0.3, 0.5, 0.15, 0.05])] = NO_NAME
    borrowers = np.flatnonzero(items.counts == 0)
    lenders = np.array([_lenders(items, row) for row in borrowers.tolist()], np.int32).reshape(len(borrowers), -1)
    weights = np.full(lenders.shape, 1 / max(lenders.shape[1], 1), np.float32)
    loans = Loans(n_items, borrowers, lenders, weights)
    trend = random.normal(0, 0.3, n_items).astype(np.float32)
    log_count = np.log1p(items.counts).astype(np.float32)
    return Attributes(log_price, brand, categories, loans.lend(log_count), loans.lend(trend), loans)


def _lenders(items: Items, row: int) -> Int64Array:
    rows: Int64Array = items.members[items.cluster[row]]
    trained: Int64Array = rows[items.counts[rows] > 0]
    return trained[:LENDERS]


def item_records(items: Items, attributes: Attributes) -> Iterator[ItemRecord]:
    """The catalogue that the attributes describe."""
    products = [product for kinds in HOBBIES.values() for product in kinds]
    prices = np.round(np.exp(attributes.log_price.astype(np.float64)), 2).tolist()
    brands, categories = attributes.brand.tolist(), attributes.categories.tolist()
    for row, cluster in enumerate(items.cluster.tolist()):
        product, brand = products[cluster % len(products)], f"Brand {brands[row]}" if brands[row] else None
        yield ItemRecord(
            row,
            f"B{row:09d}",
            title=f"{brand or 'Classic'} {product.name}, {product.size}, Model {row}",
            brand=brand,
            categories=tuple(f"Category {number}" for number in categories[row] if number != NO_NAME),
            price=None if np.isnan(prices[row]) else prices[row],
            image=f"https://images.example/{row}.jpg",
            description=f"{product.name} that {product.use}.",
        )


def export_towers(folder: Path, config: Config, random: np.random.Generator) -> None:
    """Write query tower and rating head, at the sizes of the config, into `folder`."""
    n_items, encoder = 512, 384
    numbers = random.integers(0, 10, (n_items, 6)).astype(np.int32)
    price = np.stack([random.normal(size=n_items), np.ones(n_items)], axis=1).astype(np.float32)
    features = ItemFeatures(_normal(random, n_items, encoder), numbers[:, 0], numbers, price, 10, 10)
    model = TwoTower(features, np.ones(n_items, np.int64), 1, config, 4.2)
    model.build_variables()
    dim, queries, length = model.output_dim, 8, 12
    users = _normal(random, queries, dim)
    examples: dict[str, dict[str, NDArray[Any]]] = {
        QUERY_TOWER.name: QUERY_TOWER.named(
            _normal(random, queries, length, dim),
            random.integers(1, length, queries).astype(np.int32),
            random.random((queries, length)).astype(np.float32),
            np.full(queries, OUT_OF_VOCABULARY, np.int32),
        ),
        RATING_HEAD.name: RATING_HEAD.named(
            users,
            _normal(random, queries, length, config.model.rating_hidden[0]),
            _normal(random, queries, length, len(FEATURES)),
        ),
    }
    for exported in exported_models(model):
        signature = exported.signature
        if exported.graph is not None:
            export_onnx(exported.function, folder / signature.onnx_file, examples[signature.name], exported.graph)


def make_ranker(values: Float32Array, config: Config) -> RankerTables:
    """A ranker with bins from the features `values` [T, F] of candidates."""
    ranking = config.ranking
    ranker = RankerNetwork(bin_edges(values, values[::10], ranking.bins), ranking.hidden, ranking.dropout, config.seed)
    return served_ranker(
        FittedRanker(ranker, sum_weight=0.1, sum_share=0.1, sum_column=values.shape[1] - 1, best=0.0, curve=[]),
        values[None, :512],
    )[0]


def make_bundle(folder: Path, n_items: int, n_users: int = USERS, seed: int = 0) -> Path:
    """Write a bundle below `folder`; returns `folder / generated-N`, which `open_bundle` opens."""
    random = np.random.default_rng(seed)
    name = f"generated-{n_items}"
    config = Config(name=name, synthetic=True, data=DataConfig(format="amazon_2014", interactions=[Path("generated")]))
    items = Items.generate(n_items, config.model.dim, config.model.text_match_dim, random)
    histories = make_histories(items, n_users, random)
    sample = random.choice(n_users, min(SAMPLE_USERS, n_users), replace=False)
    queries = Queries(histories.select(sample), sample.astype(np.int32), np.full(len(sample), START + 1000 * DAY))
    with BundleWriter(folder, name, keep=1) as writer:
        export_towers(writer.folder, config, random)
        tower = QueryTower(writer.folder / QUERY_TOWER.onnx_file, config.model.max_history)
        vectors = tower.encode(queries, items.embeddings)
        index, recall = build_index(items.embeddings, vectors, config.index)
        two_tower = TwoTowerSource(tower, items.embeddings, index)
        writer.add_two_tower(two_tower)
        popularity = Popularity(items.counts.astype(np.float32))
        writer.add_source(popularity)
        proposers = {}
        for proposer in PROPOSERS:
            writer.add_source(make_proposer(proposer, items, random))
            proposers[proposer] = ItemToItem.load(writer.folder / RETRIEVERS_FOLDER / proposer)  # stays on disk
        als = make_factors(items, random)
        writer.add_source(als)
        statistics = make_statistics(items, random)
        attributes = make_attributes(items, random)
        writer.add_catalogue(item_records(items, attributes), (f"A{row:013d}" for row in range(n_users)))
        writer.add_histories(histories)
        parts = _normal(random, n_items, config.model.rating_hidden[0])
        predictor = RatingPredictor(RankingHead(writer.folder / RATING_HEAD.onnx_file), statistics, parts)
        writer.add_ratings(predictor)
        scorer = CandidateScorer(
            two_tower,
            {**proposers, "als": als},
            attributes.loans,
            HYBRID,
            {"popularity": popularity},
        )
        features = attributes.features(FeatureParts(two_tower.name, tuple(scorer.scorers), predictor))
        recommender = Recommender(
            [
                Proposer(two_tower, config.ranking.candidates),
                *(Proposer(source, config.ranking.retriever_candidates) for source in proposers.values()),
            ],
            popularity,
        )
        readings = scorer.read(queries)
        candidates = recommender.candidates(readings)
        real = candidates != NO_ITEM
        described = features.compute(scorer.feature_input(readings, scorer.score(readings, candidates)))
        model = make_ranker(described[real], config)
        writer.add_ranker(Ranker(scorer, features, model, -10.0, finalists=config.ranking.finalists), PROPOSERS)
        mean_candidates = float(real.sum(axis=1).mean())
        writer.describe(
            dataset=DatasetSection(
                name=name,
                synthetic=True,
                n_users=n_users,
                n_items=n_items,
                manifest_sha256=None,
                text_encoder=None,
                text_weights_sha256=None,
            ),
            config=config.model_dump(mode="json"),
            metrics=MetricsSection(
                validation_ndcg=None,
                index_recall=recall,
                onnx_differences={},
                sources={},
                skipped={},
                hybrid={},
                ranker={"mean_candidates": mean_candidates},
                best_epoch=0,
                training_curve=[],
            ),
            serving=ServingSection(
                candidates=config.ranking.candidates,
                proposer_candidates=config.ranking.retriever_candidates,
                confidence={},
            ),
        )
    return folder / name


def _normal(random: np.random.Generator, *shape: int) -> Float32Array:
    return random.standard_normal(shape, np.float32)


def main() -> None:
    """Write a bundle and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=65_000)
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.perf_counter(), time.process_time()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    path = make_bundle(arguments.folder, arguments.items, arguments.users, arguments.seed)
    wall, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
    with open_bundle(path, verify="quick") as bundle:
        metrics, histories = bundle.manifest.metrics, bundle.histories
        candidates = (metrics.ranker or {})["mean_candidates"]
        print(
            f"{path}: {bundle.n_items} items, {len(histories)} users with {histories.lengths.mean():.1f} interactions, "
            f"recall@100 {metrics.index_recall:.4f}, {candidates:.0f} distinct candidates a "
            f"query, {wall:.0f} s ({cpu:.0f} s of CPU)"
        )


if __name__ == "__main__":
    main()
