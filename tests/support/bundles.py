"""Small bundles for tests, made in a moment without TensorFlow: real files, made-up model.

The query tower is the mean of the history's item embeddings; the ranking head predicts the global mean plus
item bias plus user bias; the ranker's score is a weighted sum of two features, `RANKER_WEIGHTS`. Items come in groups
of similar embeddings, and users buy mostly within one group.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from recsys.bundle import Attributes, BundleWriter, ItemRecord
from recsys.bundle.manifest import DatasetSection, MetricsSection, ServingSection
from recsys.core.histories import Histories
from recsys.core.types import Float32Array
from recsys.encoding.files import ITEM_INPUTS_FILE
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures, CatalogueData, FeatureParts
from recsys.pipeline.features.source_sum import SOURCE_SUM
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.ranker_tables import RankerTables
from recsys.pipeline.ratings.predictor import RankingHead, RatingPredictor
from recsys.pipeline.ratings.statistics import FEATURES, RatingStatistics
from recsys.sources.base import Source
from recsys.sources.content.fit import fit_text_vectors
from recsys.sources.factors.source import ImplicitFactors
from recsys.sources.hybrid import Hybrid
from recsys.sources.item_to_item.neighbours_fit import fit_neighbours
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.item_to_item.transitions_fit import fit_transitions
from recsys.sources.lending import Loans
from recsys.sources.popularity.source import Popularity
from recsys.sources.two_tower.index import ScannIndex
from recsys.sources.two_tower.query_tower import QueryTower
from recsys.sources.two_tower.settings import IndexConfig
from recsys.sources.two_tower.source import TwoTowerSource
from recsys.sources.two_tower.text_match import TextMatch
from tests.support.item_encoders import TEXT_DIM, make_item_encoder_parts, make_item_inputs

MAX_HISTORY = 10
START = 1_500_000_000
DAY = 86_400
CANDIDATES, PROPOSER_CANDIDATES, FINALISTS = 50, 20, 64
PROPOSERS = ("neighbours_bm25", "transitions", "content_encoder")
SCORERS = (*PROPOSERS, "bpr")
RANKER_WEIGHTS = {"two_tower_gap": 1.0, "transitions_share": 3.0}
REPEAT_LOG_ODDS = -1.5


def make_bundle(
    folder: Path,
    n_items: int = 200,
    n_users: int = 50,
    seed: int = 0,
    *,
    name: str = "tiny",
    dim: int = 8,
    ratings: bool = True,
    ranker: bool = True,
    keep: int = 3,
    current: bool = True,
    attributes: Attributes | None = None,
    chosen: int | None = None,
    item_encoder: bool = False,
) -> Path:
    """Write a bundle below `folder` and return `folder / name`, which `open_bundle` opens.

    Ids are `item0`, `item1` … and `user0`, `user1` … by row. The last user has an empty history. Calling it again
    with the same folder and name adds a version, which becomes current. Nobody has chosen an item from row `chosen` on;
    the others are as in a bundle of that many items. With `item_encoder` it encodes new items, by their letters.
    """
    random = np.random.default_rng(seed)
    embeddings = make_embeddings(n_items, dim, seed)
    histories = make_histories(n_users, n_items if chosen is None else chosen, seed)
    factors = embeddings[:, : dim // 2].copy()
    factors[n_items if chosen is None else chosen :] = 0
    records = [_record(row, random) for row in range(n_items)]
    with BundleWriter(folder, name, keep=keep, current=current) as writer:
        two_tower = make_two_tower(writer.folder / "onnx", embeddings)
        writer.add_two_tower(two_tower)
        retrievers = {
            retriever.name: retriever
            for retriever in (
                Popularity.fit(histories.items, n_items),
                fit_neighbours(histories, n_items, k=20, decay=0.8),
                fit_transitions(histories, n_items, k=20, decay=0.6),
                fit_text_vectors(embeddings, k=20, decay=0.4),
                ImplicitFactors("bpr", factors),
            )
        }
        for retriever in retrievers.values():
            writer.add_source(retriever)
        blend, hybrid = _hybrids(two_tower, {name: retrievers[name] for name in PROPOSERS})
        writer.add_hybrid(blend)
        writer.add_hybrid(hybrid)
        writer.add_catalogue(records, (f"user{u}" for u in range(n_users)))
        if attributes is not None:
            writer.add_attributes(attributes)
        writer.add_histories(histories)
        writer.add_cycles(make_cycles(n_items))
        occurs = np.bincount(histories.items, minlength=n_items) > 0
        predictor = None
        with tempfile.TemporaryDirectory() as own:  # not beside the bundles: another writer may be at work there
            if item_encoder:
                writer.add_item_encoder(make_item_encoder_parts(Path(own), records, occurs, dim // 2))
                (writer.folder / ITEM_INPUTS_FILE).write_text(make_item_inputs(records), "utf8")
            if ratings:
                statistics = RatingStatistics.fit(histories.items, histories.ratings, n_items)
                head = Path(own) / "head.onnx"
                write_ranking_head(head, statistics.global_mean, dim)
                predictor = RatingPredictor(RankingHead(head), statistics, embeddings)
                writer.add_ratings(predictor, head)
            if ranker:
                loans = Loans.of(embeddings, occurs)
                catalogue = CatalogueData(
                    histories,
                    np.array([np.nan if record.price is None else record.price for record in records]),
                    [record.brand for record in records],
                    [record.categories for record in records],
                    loans,
                )
                scorer = CandidateScorer(two_tower, {name: retrievers[name] for name in SCORERS}, loans, hybrid.weights)
                features = CandidateFeatures.fit(catalogue, FeatureParts(two_tower.name, SCORERS, predictor))
                model = make_ranker(features.names)
                writer.add_ranker(Ranker(scorer, features, model, REPEAT_LOG_ODDS, finalists=FINALISTS), PROPOSERS)
        writer.describe(
            dataset=make_dataset_section(name, n_users, n_items),
            config={"name": name, "synthetic": True, "data": {"rating_range": [1.0, 5.0]}},
            metrics=make_metrics(index_recall=1.0),
            serving=ServingSection(candidates=CANDIDATES, proposer_candidates=PROPOSER_CANDIDATES, confidence={}),
        )
    return folder / name


def make_cycles(n_items: int) -> Float32Array:
    """Items of even rows are bought again after 10 days, 12, 14 and so on, of the others nothing is known."""
    rows = np.arange(n_items, dtype=np.float32)
    return np.where(rows % 2 == 0, 10 + rows, np.float32(np.nan))


def make_dataset_section(name: str, n_users: int, n_items: int, manifest_sha256: str | None = None) -> DatasetSection:
    """Of made-up data, with no word of any text encoder."""
    return DatasetSection(
        name=name,
        synthetic=True,
        n_users=n_users,
        n_items=n_items,
        manifest_sha256=manifest_sha256,
        text_encoder=None,
        text_weights_sha256=None,
    )


def make_metrics(**measured: Any) -> MetricsSection:
    """Of a bundle of which nothing else was measured."""
    nothing: dict[str, Any] = {
        "validation_ndcg": None,
        "index_recall": None,
        "onnx_differences": {},
        "sources": {},
        "skipped": {},
        "hybrid": {},
        "ranker": None,
        "best_epoch": 1,
        "training_curve": [],
    }
    return MetricsSection(**{**nothing, **measured})


def make_two_tower(folder: Path, embeddings: Float32Array) -> TwoTowerSource:
    """Write both towers into `folder`."""
    dim = embeddings.shape[1]
    write_query_tower(folder / "query_tower.onnx", dim)
    write_item_tower(folder / "item_tower.onnx", TEXT_DIM, dim)
    tower = QueryTower(folder / "query_tower.onnx", MAX_HISTORY)
    return TwoTowerSource(tower, embeddings, ScannIndex.build(embeddings, IndexConfig()), mean_match(dim))


def mean_match(dim: int) -> TextMatch:
    """Of the query tower that `write_query_tower` writes: the second half of a vector counts as its text part."""
    return TextMatch(dim - dim // 2, scale=1.0, decay=1.0)


def _hybrids(two_tower: TwoTowerSource, baselines: dict[str, ItemToItem]) -> tuple[Hybrid, Hybrid]:
    weights = dict(zip(baselines, (0.1, 1.0, 2.0), strict=True))
    members: dict[str, Source] = {two_tower.name: two_tower, **baselines}
    return Hybrid(baselines, weights, "blend"), Hybrid(members, {two_tower.name: 0.5, **weights}, "hybrid")


HALF = 2.0**-11  # largest relative error of a number rounded to half precision


def make_embeddings(n_items: int, dim: int, seed: int = 0) -> Float32Array:
    """float32 [n_items, dim] in ten groups: item i belongs to group i % 10. Half precision holds them exactly."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(10, dim))
    embeddings = centres[np.arange(n_items) % 10] + 0.5 * random.normal(size=(n_items, dim))
    return embeddings.astype(np.float16).astype(np.float32)


def make_histories(n_users: int, n_items: int, seed: int = 0) -> Histories:
    """1 to 15 distinct items each, mostly of group user % 10, rated 1 to 5; the last user has none."""
    random = np.random.default_rng(seed)
    rows: list[int] = []
    items: list[int] = []
    for user in range(n_users - 1):
        group = np.arange(n_items) % 10 == user % 10
        likely = np.where(group, 20.0, 1.0)
        size = min(int(random.integers(1, 16)), n_items)
        items.extend(random.choice(n_items, size, replace=False, p=likely / likely.sum()).tolist())
        rows.extend([user] * size)
    times = START + DAY * np.arange(len(rows))
    stars = random.integers(1, 6, len(rows)).astype(np.float32)
    return Histories.from_rows(n_users, np.array(rows, np.int64), np.array(items, np.int32), times, stars)


def _record(row: int, random: np.random.Generator) -> ItemRecord:
    group = row % 10
    return ItemRecord(
        row,
        f"item{row}",
        title=f"Thing {row}, size {group}",
        brand=f"Brand {group}" if row % 4 else None,
        categories=("All", f"Group {group}"),
        price=round(float(random.lognormal(3, 0.7)), 2) if row % 5 else None,
        image=f"https://images.example/{row}.jpg",
        description=f"A thing of group {group}.",
    )


def write_query_tower(path: Path, dim: int) -> None:
    """user_embedding = mean of the history's rows."""
    nodes = [
        helper.make_node("ReduceSum", ["history", "axis"], ["total"], keepdims=0),
        helper.make_node("Cast", ["lengths"], ["count"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["count", "axis"], ["column"]),
        helper.make_node("Div", ["total", "column"], ["user_embedding"]),
    ]
    inputs = [_float("history", ["B", "L", dim]), _info("lengths", TensorProto.INT32, ["B"])]
    constants = [helper.make_tensor("axis", TensorProto.INT64, [1], [1])]
    _write(path, nodes, inputs, _float("user_embedding", ["B", dim]), constants)


def write_item_tower(path: Path, text_dim: int, dim: int) -> None:
    """item_embedding = the first `dim` columns of the text embedding."""
    weights = np.eye(text_dim, dim, dtype=np.float32)
    nodes = [helper.make_node("MatMul", ["text", "weights"], ["item_embedding"])]
    constants = [helper.make_tensor("weights", TensorProto.FLOAT, weights.shape, weights.ravel())]
    _write(path, nodes, [_float("text", ["B", text_dim])], _float("item_embedding", ["B", dim]), constants)


def write_ranking_head(path: Path, global_mean: float, dim: int) -> None:
    """rating = global mean + item bias + taste."""
    chosen = [float(feature in ("item_bias", "taste")) for feature in FEATURES]
    nodes = [
        helper.make_node("MatMul", ["features", "chosen"], ["biases"]),
        helper.make_node("Add", ["biases", "mean"], ["rating"]),
    ]
    inputs = [
        _float("user_embedding", ["B", dim]),
        _float("item_part", ["B", "K", dim]),
        _float("features", ["B", "K", len(FEATURES)]),
    ]
    constants = [
        helper.make_tensor("chosen", TensorProto.FLOAT, [len(FEATURES)], chosen),
        helper.make_tensor("mean", TensorProto.FLOAT, [], [global_mean]),
    ]
    _write(path, nodes, inputs, _float("rating", ["B", "K"]), constants)


def make_ranker(names: Sequence[str]) -> RankerTables:
    """score = sum of `RANKER_WEIGHTS` times the features of those names, which lie in -32..32."""
    edges = np.tile(np.float32([-32, 32]), (len(names), 1))
    linear = np.array([64 * RANKER_WEIGHTS.get(name, 0.0) for name in names], np.float32)  # all the way through
    weights = np.zeros((len(names), 1), np.float32), np.ones((1, 1), np.float32)
    biases = np.zeros(1, np.float32), np.float32([-linear.sum() / 2])
    return RankerTables(edges, weights, biases, linear, sum_weight=0.0, sum_column=names.index(SOURCE_SUM))


def _float(name: str, shape: list[int | str]) -> onnx.ValueInfoProto:
    return _info(name, TensorProto.FLOAT, shape)


def _info(name: str, kind: int, shape: list[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _write(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    output: onnx.ValueInfoProto,
    constants: list[onnx.TensorProto],
) -> None:
    graph = helper.make_graph(nodes, path.stem, inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
