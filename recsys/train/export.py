"""From trained weights to a bundle: towers, index, recommender, everything a server or evaluator reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray
from rich.console import Console

from recsys.bundle import BundleWriter, ItemRecord
from recsys.bundle.layout import FULL, ONNX_FOLDER, RANKING_HEAD_FILE, TF_FOLDER
from recsys.bundle.manifest import Calibration, DatasetSection, MetricsSection, ServingSection, file_sha256
from recsys.config import Config, RetrieverName
from recsys.core.arrays import half
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.types import Float32Array
from recsys.measure.protocol import HeldOut
from recsys.models import TwoTower
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures, CatalogueData, FeatureParts
from recsys.pipeline.head import RankingHead, RatingPredictor
from recsys.pipeline.ranker import CandidateRanker
from recsys.pipeline.recommender import Proposer, Recommender
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.sources.base import Source
from recsys.sources.fit import FitData
from recsys.sources.lending import Loans
from recsys.sources.popularity import Popularity
from recsys.sources.two_tower import QUERY_TOWER_FILE, TwoTowerSource
from recsys.sources.two_tower.index import ScannIndex, build_index
from recsys.sources.two_tower.query_tower import QueryTower
from recsys.train.confidence import SHOWN, fit_confidence
from recsys.train.features import ModelInputs
from recsys.train.fit import FitState
from recsys.train.onnx import export_onnx
from recsys.train.onnx_towers import served_graphs
from recsys.train.ranker_contributions import contributions
from recsys.train.ranker_fit import fit_ranker, served_ranker
from recsys.train.ranker_lists import collect_lists, repeat_log_odds
from recsys.train.retrievers import HYBRID, FittedRetrievers, fit_again, fit_data, make_hybrids, tune_retrievers
from recsys.train.validation import EARLY_STOPPING_METRIC

ITEM_INPUTS_FILE = "item_inputs.json"  # what it takes to give the item tower an item it has not seen
CONFIDENCE_USERS = 2000  # of validation, on whose lists confidence is fitted
EXAMPLE_ROWS = 64  # rows on which an ONNX file is compared with its source


@dataclass(frozen=True)
class Trained:
    """A two-tower with its final weights, computing in float32, and what it was trained on."""

    model: TwoTower
    dataset: PreparedDataset
    inputs: ModelInputs


@dataclass(frozen=True)
class ServedTwoTower:
    """The two-tower as it is served: by ONNX Runtime, from item embeddings.

    Attributes:
        retriever: with the index.
        predictor: of ratings; None without rating task.
        index_recall: recall@100 of the index; None where it was not measured.
        onnx_differences: largest relative difference of each ONNX file from its source.
    """

    retriever: TwoTowerSource
    predictor: RatingPredictor | None
    index_recall: float | None
    onnx_differences: dict[str, float]


def export_bundle(
    trained: Trained, prefix: Trained | None, config: Config, state: FitState, console: Console | None = None
) -> Path:
    """Fit what serves beside the two-tower, write the next version of the config's bundle and make it current.

    Args:
        trained: the two-tower to publish.
        prefix: its twin, trained on the prefix of train; the ranker learns from it. None: no ranker.
        config: all of it goes into the manifest.
        state: how training went, for the manifest.
        console: for what was tuned.

    Returns:
        Folder of the version.

    Raises:
        BundleError: an ONNX file differs from its source, or the index finds too little.
    """
    console = console or Console(quiet=True)
    dataset = trained.dataset
    has_validation = bool((dataset.interactions[c.SPLIT] == c.VALIDATION).any())
    held = HeldOut.of(dataset, c.VALIDATION) if has_validation else None
    with BundleWriter(config.bundle.dir, config.name, keep=config.bundle.keep) as writer:
        served = serve_two_tower(trained, writer.folder, config, measure=True)
        writer.add_two_tower(served.retriever)
        train = dataset.histories((c.TRAIN,))
        data = fit_data(dataset, train, trained.inputs.text, config)
        fitted = tune_retrievers(data, held, config, console)
        for retriever in fitted.retrievers.values():
            writer.add_source(retriever)
        hybrids, hybrid_report = make_hybrids(
            served.retriever, fitted.retrievers, held, _sampled_queries(train, config), config, console
        )
        for hybrid in hybrids.values():
            writer.add_hybrid(hybrid)
        writer.add_catalogue(_item_records(dataset.items), map(str, dataset.user_ids))
        writer.add_histories(dataset.histories(c.SPLITS))
        if served.predictor is not None:
            writer.add_ratings(served.predictor)
        ranker_report, recommender = None, None
        if prefix is not None:
            weights = hybrids[HYBRID].weights
            ranker_report, recommender = add_ranker(
                writer, trained, data, prefix, served, fitted, weights, held, config, console
            )
        (writer.folder / ITEM_INPUTS_FILE).write_text(json.dumps(trained.inputs.describe(), indent=1), "utf8")
        writer.describe(
            dataset=DatasetSection(
                name=dataset.name,
                synthetic=config.synthetic,
                n_users=dataset.n_users,
                n_items=dataset.n_items,
                manifest_sha256=file_sha256(dataset.path / c.MANIFEST_FILE),
                text_encoder=trained.inputs.text.encoder,
                text_weights_sha256=trained.inputs.text.weights_sha256,
            ),
            config=config.model_dump(mode="json"),
            metrics=MetricsSection(
                validation_ndcg=state.best,
                index_recall=served.index_recall,
                onnx_differences=served.onnx_differences,
                sources={name: tuned.report for name, tuned in fitted.tuned.items()},
                skipped=fitted.skipped,
                hybrid=hybrid_report,
                ranker=ranker_report,
                best_epoch=state.best_epoch,
                training_curve=state.curve,
            ),
            serving=ServingSection(
                candidates=config.ranking.candidates,
                proposer_candidates=config.ranking.retriever_candidates,
                confidence=_confidence({**fitted.retrievers, **hybrids}, served, recommender, held, config),
            ),
        )
    return writer.path


def _confidence(
    retrievers: Mapping[str, Source],
    served: ServedTwoTower,
    recommender: Recommender | None,
    held: HeldOut | None,
    config: Config,
) -> dict[str, Calibration]:
    """Scale and offset of the confidence of every model that has validation users to fit them on."""
    if held is None:
        return {}
    held = held.sample(CONFIDENCE_USERS, config.seed)
    lists = {name: source.propose(held.queries, SHOWN) for name, source in retrievers.items()}
    lists[served.retriever.name] = served.retriever.propose(held.queries, SHOWN)
    if recommender is None:
        lists[FULL] = lists[served.retriever.name]
    else:
        found = recommender.recommend(held.queries, SHOWN)
        lists[FULL] = Candidates(np.where(found.fallback[:, None], NO_ITEM, found.items), found.scores)
    fitted = {name: fit_confidence(found, held) for name, found in lists.items()}
    return {name: values for name, values in fitted.items() if values is not None}


def serve_two_tower(trained: Trained, folder: Path, config: Config, *, measure: bool) -> ServedTwoTower:
    """Export both towers and the rating head into `folder`, and read them back as a server does.

    Args:
        trained: the two-tower.
        folder: gets onnx/ and tf/.
        config: the index, the longest history.
        measure: widen the index until its recall suffices, and measure it.

    Raises:
        BundleError: an ONNX file differs from its source, or the index finds too little.
    """
    exact = trained.model.item_vectors().numpy()
    embeddings = half(exact)
    differences = _export_towers(trained.model, trained.inputs, exact, folder, config)
    tower = QueryTower(folder / QUERY_TOWER_FILE, config.model.max_history)
    recall = None
    if measure:
        # The index is tuned on what is known before the test interactions; what is served knows all.
        before_test = trained.dataset.histories((c.TRAIN, c.VALIDATION))
        vectors = tower.encode(_sampled_queries(before_test, config), embeddings)
        index, recall = build_index(embeddings, vectors, config.index, config.seed)
    else:
        index = ScannIndex.build(embeddings, config.index)
    predictor = None
    if trained.inputs.statistics is not None and trained.model.rating_head is not None:
        head = RankingHead(folder / RANKING_HEAD_FILE)
        parts = trained.model.rating_head.item_part(tf.constant(exact)).numpy()
        predictor = RatingPredictor(head, trained.inputs.statistics, parts)
    return ServedTwoTower(TwoTowerSource(tower, embeddings, index), predictor, recall, differences)


def add_ranker(
    writer: BundleWriter,
    trained: Trained,
    data: FitData,
    prefix: Trained,
    served: ServedTwoTower,
    fitted: FittedRetrievers,
    hybrid: Mapping[str, float],
    held: HeldOut | None,
    config: Config,
    console: Console,
) -> tuple[dict[str, Any] | None, Recommender | None]:
    """Train the ranker on what follows the prefix and write it into the bundle.

    Args:
        writer: has the two-tower and the retrievers already.
        trained, served: the two-tower.
        data: what the other retrievers were fitted on.
        prefix: the two-tower's twin.
        fitted: the other retrievers.
        hybrid: weights of the hybrid whose score the ranker reads.
        held: validation; None: there is none.
        config: the section ranking is used.
        console: for the ranker's figure.

    Returns:
        What the manifest says of it, and the whole pipeline; None and None where no candidate was chosen, and there is
        no ranker.
    """
    wanted: tuple[RetrieverName, ...] = (*config.ranking.retrievers, *config.ranking.scorers)
    names = [name for name in wanted if name in fitted.tuned]
    needed = [*names, *(name for name in config.retrieval.retrievers if name in hybrid and name not in names)]
    with TemporaryDirectory() as folder:
        for part in (ONNX_FOLDER, TF_FOLDER):
            (Path(folder) / part).mkdir()
        twin = serve_two_tower(prefix, Path(folder), config, measure=False)
        histories = prefix.dataset.histories((c.TRAIN,))
        before = fit_data(prefix.dataset, histories, prefix.inputs.text, config)
        retrievers = fit_again(needed, before, fitted, config)
        following = HeldOut.of(prefix.dataset, c.TEST).sample(config.ranking.max_lists, config.seed)
        scorer, features, recommender = _ranking_parts(before, prefix.dataset, twin, retrievers, names, hybrid, config)
        lists = collect_lists(
            recommender,
            scorer,
            features,
            following,
            finalists=None,  # choices that the hybrid would not let through teach too
            length=config.ranking.list_length,
            seed=config.seed,
            fitted=np.bincount(histories.items, minlength=before.n_items) > 0,
        )
    if not len(lists):
        console.print("No ranker: nothing that follows the prefix is among the candidates")
        return None, None
    retrievers = {name: fitted.tuned[name].retriever for name in needed}
    scorer, features, recommender = _ranking_parts(data, trained.dataset, served, retrievers, names, hybrid, config)
    checked = None
    if held is not None:
        sample = held.sample(config.ranking.validation_users, config.seed)
        checked = collect_lists(
            recommender, scorer, features, sample, finalists=config.ranking.finalists, length=None, seed=config.seed
        )
    ranker = fit_ranker(lists, checked, config.ranking, config.seed, console)
    model, difference = served_ranker(ranker, lists.features[:4])
    pipeline = CandidateRanker(scorer, features, model, repeat_log_odds(following), finalists=config.ranking.finalists)
    writer.add_ranker(pipeline, recommender.sources[1:])
    report: dict[str, Any] = {
        "lists": len(lists),
        "prefix_candidate_recall": lists.candidate_recall,
        "curve": ranker.curve,
        "export_difference": difference,
        "repeat_log_odds": pipeline.repeat_log_odds,
    }
    if checked is not None and len(checked):
        report |= {
            f"validation_{EARLY_STOPPING_METRIC}": ranker.best,
            "validation_users": checked.queries,
            "candidate_recall": checked.candidate_recall,
            "sum_share": ranker.sum_share,
            **contributions(ranker, checked, features.headings, config.seed),
        }
    return report, replace(recommender, predictor=served.predictor, ranker=pipeline)


def _ranking_parts(
    data: FitData,
    dataset: PreparedDataset,
    served: ServedTwoTower,
    retrievers: Mapping[str, Any],
    names: Sequence[str],
    hybrid: Mapping[str, float],
    config: Config,
) -> tuple[CandidateScorer, CandidateFeatures, Recommender]:
    """Scorer and features of candidates, and a recommender for its candidates alone, from what was fitted on `data`.

    Args:
        data: of `dataset`, or of a part of it.
        dataset: for brands and categories.
        served: the two-tower.
        retrievers: those of `names` and the other members of the hybrid.
        names: retrievers whose scores are features.
        hybrid: weights by member.
        config: the section ranking is used.
    """
    n_items = data.n_items
    chosen = np.bincount(data.histories.items, minlength=n_items) > 0
    loans = Loans.none(n_items) if data.text_vectors is None else Loans.of(data.text_vectors, chosen)
    scorer = CandidateScorer(
        served.retriever,
        {name: retrievers[name] for name in names},
        loans,
        hybrid,
        {name: retriever for name, retriever in retrievers.items() if name in hybrid and name not in names},
    )
    catalogue = CatalogueData(
        data.histories,
        dataset.items[c.PRICE].to_numpy(np.float64, na_value=np.nan),
        dataset.items[c.BRAND].tolist(),
        dataset.items[c.CATEGORIES].tolist(),
        loans,
    )
    parts = FeatureParts(served.retriever.name, tuple(names), served.predictor)
    features = CandidateFeatures.fit(catalogue, parts)
    others = [retrievers[name] for name in config.ranking.retrievers if name in retrievers]
    recommender = Recommender(
        [
            Proposer(served.retriever, config.ranking.candidates),
            *(Proposer(source, config.ranking.retriever_candidates) for source in others),
        ],
        Popularity.fit(data.histories.items, data.n_items),
    )
    return scorer, features, recommender


def _export_towers(
    model: TwoTower, inputs: ModelInputs, embeddings: Float32Array, folder: Path, config: Config
) -> dict[str, float]:
    """Write each function of the model as SavedModel and ONNX file; the largest difference of each."""
    examples = _examples(inputs, embeddings, config)
    differences = {}
    functions: dict[str, Any] = model.export_functions()
    graphs = served_graphs(model)
    for name, function in functions.items():
        module = tf.Module()
        concrete = function.get_concrete_function()
        module.function, module.weights = function, list(concrete.graph.variables)
        tf.saved_model.save(module, str(folder / TF_FOLDER / name), signatures=concrete)
        example = {spec.name: examples[name][spec.name] for spec in function.input_signature}
        differences[name] = export_onnx(function, folder / ONNX_FOLDER / f"{name}.onnx", example, graphs.get(name))
    return differences


def _examples(inputs: ModelInputs, embeddings: Float32Array, config: Config) -> dict[str, dict[str, NDArray[Any]]]:
    """Random users and items of the dataset, and items as if unseen, as inputs of the exported functions.

    What the rating head reads of items is drawn from a normal distribution: it need not be true to be compared.
    """
    rng = np.random.default_rng(config.seed)
    rows = rng.integers(0, len(embeddings), EXAMPLE_ROWS)
    users = rng.permutation(np.flatnonzero(inputs.histories.lengths))[:EXAMPLE_ROWS]
    recent = inputs.histories.select(users).last(config.model.max_history)
    history = np.asarray(recent.padded(recent.items, -1), np.int32)
    users_embedded = embeddings[recent.items[recent.indptr[:-1]]]
    shape = len(users), EXAMPLE_ROWS
    features = inputs.features
    return {
        "query_tower": {
            "history": np.where(history[..., None] >= 0, embeddings[history], np.float32(0)),
            "lengths": recent.lengths.astype(np.int32),
            "gaps": recent.padded(recent.gaps(), 0.0),
            "user": (users + 1).astype(np.int32),
        },
        "item_tower": {
            "text": features.text[rows],
            "brand": features.brand[rows],
            "categories": features.categories[rows],
            "price": features.price[rows],
            "item": np.where(rng.random(len(rows)) < 0.5, rows + 1, 0).astype(np.int32),
        },
        "ranking_head": {
            "user_embedding": users_embedded,
            "item_part": rng.standard_normal((*shape, config.model.rating_hidden[0]), np.float32),
            "features": rng.choice(inputs.rating_features, shape),
        },
    }


def _sampled_queries(known: Histories, config: Config) -> Queries:
    """Seeded users with a history, as the server would ask for them."""
    users = np.flatnonzero(known.lengths)
    count = min(config.index.sample_queries, len(users))
    users = np.random.default_rng(config.seed).choice(users, count, replace=False)
    return Queries(known.select(users), users.astype(np.int32), np.zeros(count, np.int64))


def _item_records(items: pd.DataFrame) -> Iterator[ItemRecord]:
    columns = (c.ITEM_ID, c.TITLE, c.BRAND, c.CATEGORIES, c.PRICE, c.IMAGE, c.DESCRIPTION)
    values = zip(*(items[name].tolist() for name in columns), strict=True)
    for row, (item_id, title, brand, categories, price, image, description) in enumerate(values):
        yield ItemRecord(
            row=row,
            item_id=str(item_id),
            title=title or None,
            brand=brand or None,
            categories=tuple(categories),
            price=float(str(np.float32(price))) if np.isfinite(price) else None,  # 17.56, not 17.559999465942383
            image=image or None,
            description=description or None,
        )
