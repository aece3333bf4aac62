"""A bundle of any size for benchmarks, in little time: the files and models of a trained one, generated contents.

    python benchmarks/generated.py FOLDER --items 65000

Items lie in clusters of similar embeddings, prices and brands, and users choose within a few of them. Neighbour lists
stay within the cluster, so that nothing compares all items with all. Query tower, rating head and ranker are those of
recsys.models at the default sizes, with weights that nobody trained: they cost what trained ones do.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.generated_shop import (
    DAY,
    START,
    Items,
    blocks,
    item_records,
    make_attributes,
    make_histories,
    normal,
)
from recsys.bundle import BundleWriter, open_bundle
from recsys.bundle.layout import RETRIEVERS_FOLDER
from recsys.bundle.manifest import DatasetSection, MetricsSection, ServingSection
from recsys.config import Config
from recsys.core.progress import Steps
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.tower_io import OUT_OF_VOCABULARY, QUERY_TOWER, RATING_HEAD
from recsys.core.types import BoolArray, Float32Array
from recsys.models import TwoTower
from recsys.models.exported import exported_models
from recsys.models.item_features import ItemFeatures
from recsys.models.ranker_network import RankerNetwork, bin_edges
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures, FeatureParts
from recsys.pipeline.propose import Proposer
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.ranker_tables import RankerTables
from recsys.pipeline.ratings.factors import RatingFactors
from recsys.pipeline.ratings.predictor import RankingHead, RatingPredictor
from recsys.pipeline.ratings.statistics import FEATURES, RatingStatistics
from recsys.pipeline.recommender import Recommender
from recsys.prepare.settings import DataConfig
from recsys.sources.factors.fold_in import FoldIn
from recsys.sources.factors.source import ImplicitFactors
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.popularity.source import Popularity
from recsys.sources.two_tower.index import build_index
from recsys.sources.two_tower.query_tower import QueryTower
from recsys.sources.two_tower.source import TwoTowerSource
from recsys.sources.two_tower.text_match import TextMatch
from recsys.train.onnx_export import export_onnx
from recsys.train.ranker_fit import FittedRanker, served_ranker
from recsys.train.steps.export_towers import text_match

USERS = 20_000
NEIGHBOURS = 100
FACTORS, RATING_FACTORS = 64, 25
# Retrievers whose lists propose candidates: recency decay, and whether they know items by what users chose.
PROPOSERS = {
    "neighbours_bm25": (0.6, True),
    "transitions": (0.6, True),
    "content_tfidf": (0.6, False),
    "content_encoder": (0.3, False),
}
SCALE = 2.0**-14  # of similarities up to 1, see ItemToItem
HYBRID = {"two_tower": 0.05, "popularity": 0.0003, "transitions": 1.0, "als": 0.3, "content_tfidf": 0.3}
SAMPLE_USERS = 300


def make_proposer(name: str, items: Items, width: int, folder: Path, random: np.random.Generator) -> ItemToItem:
    """The nearest of each item's cluster, by noisy cosine; nobody is near an item that users do not know.

    The lists lie in files in `folder`, mapped into memory.
    """
    decay, behaviour = PROPOSERS[name]
    part = slice(items.learned) if behaviour else slice(items.learned, None)
    width = min(width, min(map(len, items.members)) - 1)
    neighbours, similarities, support = (
        np.lib.format.open_memmap(folder / f"{name}-{number}.npy", "w+", kind, (len(items), width))
        for number, kind in enumerate((np.int32, np.float16, np.uint16))
    )
    for rows in items.members:
        vectors = items.embeddings[rows, part].astype(np.float32)
        closest, best = _closest(vectors, items.counts[rows] == 0 if behaviour else None, width, random)
        neighbours[rows] = np.where(closest > 0, rows[best], NO_ITEM)
        similarities[rows] = closest / SCALE
        support[rows] = np.ceil(10 * closest)
    return ItemToItem(name, neighbours, similarities, decay, scale=SCALE, support=support if behaviour else None)


def _closest(
    vectors: Float32Array, unknown: BoolArray | None, width: int, random: np.random.Generator
) -> tuple[Float32Array, NDArray[np.integer]]:
    """Closeness [C, K] of the nearest of each of a cluster's items and where they stand in it, the nearest first."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    closeness = unit @ unit.T
    closeness += 0.15 * normal(random, *closeness.shape)
    np.clip(closeness, 0.001, 1, out=closeness)
    np.fill_diagonal(closeness, 0)
    if unknown is not None:
        closeness[unknown] = closeness[:, unknown] = 0
    best = np.argpartition(-closeness, width - 1, axis=1)[:, :width]
    closest = np.take_along_axis(closeness, best, axis=1)
    order = np.argsort(-closest, axis=1)
    return np.take_along_axis(closest, order, axis=1), np.take_along_axis(best, order, axis=1)


def make_factors(items: Items, random: np.random.Generator) -> ImplicitFactors:
    """ALS: factors near those of the cluster, none for items that nobody has chosen."""
    factors = 0.3 * normal(random, len(items.members), FACTORS)[items.cluster]
    for rows in blocks(len(items)):
        factors[rows] += 0.1 * normal(random, rows.stop - rows.start, FACTORS)
    factors[items.counts == 0] = 0
    return ImplicitFactors("als", factors, None, FoldIn((factors.T @ factors).astype(np.float64), 0.01, 20.0))


def make_statistics(items: Items, random: np.random.Generator) -> RatingStatistics:
    """Item biases and taste vectors of the size that fitted ones have."""
    counts = items.counts.astype(np.float64)
    vectors = 0.1 * normal(random, len(items), RATING_FACTORS)
    vectors[:, 0] = 0.5
    return RatingStatistics(
        4.2, 5.0, np.sqrt(counts) * random.normal(size=len(items)), counts, RatingFactors(vectors, 0.6)
    )


def export_towers(folder: Path, config: Config, random: np.random.Generator) -> TextMatch | None:
    """Write query tower and rating head, at the sizes of the config, into `folder`; how their text part is made."""
    n_items, encoder = 512, 384
    numbers = random.integers(0, 10, (n_items, 6)).astype(np.int32)
    price = np.stack([random.normal(size=n_items), np.ones(n_items)], axis=1).astype(np.float32)
    features = ItemFeatures(normal(random, n_items, encoder), numbers[:, 0], numbers, price, 10, 10)
    model = TwoTower(features, np.ones(n_items, np.int64), 1, config, 4.2)
    model.build_variables()
    dim, queries, length = model.output_dim, 8, 12
    users = normal(random, queries, dim)
    examples: dict[str, dict[str, NDArray[Any]]] = {
        QUERY_TOWER.name: QUERY_TOWER.named(
            normal(random, queries, length, dim),
            random.integers(1, length, queries).astype(np.int32),
            random.random((queries, length)).astype(np.float32),
            np.full(queries, OUT_OF_VOCABULARY, np.int32),
        ),
        RATING_HEAD.name: RATING_HEAD.named(
            users,
            normal(random, queries, length, config.model.rating_hidden[0]),
            normal(random, queries, length, len(FEATURES)),
        ),
    }
    for exported in exported_models(model):
        signature = exported.signature
        if exported.graph is not None:
            export_onnx(exported.function, folder / signature.onnx_file, examples[signature.name], exported.graph)
    return text_match(model)


def make_ranker(values: Float32Array, config: Config) -> RankerTables:
    """A ranker with bins from the features `values` [T, F] of candidates."""
    ranking = config.ranking
    ranker = RankerNetwork(bin_edges(values, values[::10], ranking.bins), ranking.hidden, ranking.dropout, config.seed)
    return served_ranker(
        FittedRanker(ranker, sum_weight=0.1, sum_share=0.1, sum_column=values.shape[1] - 1, best=0.0, curve=[]),
        values[None, :512],
    )[0]


def make_bundle(folder: Path, n_items: int, n_users: int = USERS, seed: int = 0, neighbours: int = NEIGHBOURS) -> Path:
    """Write a bundle below `folder`; returns `folder / generated-N`, which `open_bundle` opens."""
    random = np.random.default_rng(seed)
    name = f"generated-{n_items}"
    config = Config(name=name, synthetic=True, data=DataConfig(format="amazon_2014", interactions=[Path("generated")]))
    items = Items.generate(n_items, config.model.dim, config.model.text_match_dim, random)
    histories = make_histories(items, n_users, random)
    sample = random.choice(n_users, min(SAMPLE_USERS, n_users), replace=False)
    queries = Queries(histories.select(sample), sample.astype(np.int32), np.full(len(sample), START + 1000 * DAY))
    with BundleWriter(folder, name, keep=1) as writer:
        match = export_towers(writer.folder, config, random)
        tower = QueryTower(writer.folder / QUERY_TOWER.onnx_file, config.model.max_history)
        vectors = tower.encode(queries, items.embeddings)
        with Steps(Console(), ["Index"]).step("Index") as step, step.bar("Items indexed", n_items) as bar:
            index, recall = build_index(items.embeddings, vectors, config.index, indexed=bar.advance)
        two_tower = TwoTowerSource(tower, items.embeddings, index, match)
        writer.add_two_tower(two_tower)
        popularity = Popularity(items.counts.astype(np.float32))
        writer.add_source(popularity)
        proposers = {}
        for proposer in PROPOSERS:
            with tempfile.TemporaryDirectory(dir=folder) as lists:
                writer.add_source(make_proposer(proposer, items, neighbours, Path(lists), random))
            proposers[proposer] = ItemToItem.load(writer.folder / RETRIEVERS_FOLDER / proposer)  # stays on disk
        als = make_factors(items, random)
        writer.add_source(als)
        statistics = make_statistics(items, random)
        attributes = make_attributes(items, random)
        writer.add_catalogue(item_records(items, attributes), (f"A{row:013d}" for row in range(n_users)))
        writer.add_histories(histories)
        parts = normal(random, n_items, config.model.rating_hidden[0])
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
        proposing = [Proposer(two_tower, config.ranking.candidates)]
        proposing += [Proposer(source, config.ranking.retriever_candidates) for source in proposers.values()]
        mean_candidates = _add_ranker(writer, config, scorer, features, Recommender(proposing, popularity), queries)
        _describe(writer, config, n_items=n_items, n_users=n_users, recall=recall, mean_candidates=mean_candidates)
    return folder / name


def _add_ranker(
    writer: BundleWriter,
    config: Config,
    scorer: CandidateScorer,
    features: CandidateFeatures,
    recommender: Recommender,
    queries: Queries,
) -> float:
    """Add a ranker whose bins suit the candidates that `recommender` proposes; returns their mean number a query."""
    readings = scorer.read(queries)
    candidates = recommender.candidates(readings)
    real = candidates != NO_ITEM
    described = features.compute(scorer.feature_input(readings, scorer.score(readings, candidates)))
    model = make_ranker(described[real], config)
    writer.add_ranker(Ranker(scorer, features, model, -10.0, finalists=config.ranking.finalists), PROPOSERS)
    return float(real.sum(axis=1).mean())


def _describe(
    writer: BundleWriter, config: Config, *, n_items: int, n_users: int, recall: float, mean_candidates: float
) -> None:
    writer.describe(
        dataset=DatasetSection(
            name=config.name,
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


def main() -> None:
    """Write a bundle and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=65_000)
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--neighbours", type=int, default=NEIGHBOURS, help="length of the neighbour lists")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.perf_counter(), time.process_time()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    path = make_bundle(arguments.folder, arguments.items, arguments.users, arguments.seed, arguments.neighbours)
    wall, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    with open_bundle(path, verify="quick") as bundle:
        metrics, histories = bundle.manifest.metrics, bundle.histories
        candidates = (metrics.ranker or {})["mean_candidates"]
        print(
            f"{path}: {bundle.n_items} items, {len(histories)} users with {histories.lengths.mean():.1f} interactions, "
            f"recall@100 {metrics.index_recall:.4f}, {candidates:.0f} distinct candidates a "
            f"query, {wall:.0f} s ({cpu:.0f} s of CPU), at most {peak:.1f} GB resident"
        )


if __name__ == "__main__":
    main()
