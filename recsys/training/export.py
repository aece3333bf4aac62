"""From trained weights to a bundle: towers, index, recommender, everything a server or evaluator reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray

from recsys.bundle import BundleWriter, ItemRecord
from recsys.bundle.layout import ONNX_FOLDER, RANKING_HEAD_FILE, TF_FOLDER
from recsys.bundle.manifest import file_sha256
from recsys.config import Config
from recsys.dataset import columns as c
from recsys.dataset.histories import Histories
from recsys.dataset.prepared import PreparedDataset
from recsys.evaluation.baselines import fit_popularity, tune_neighbours
from recsys.evaluation.metrics import ranking_metrics
from recsys.evaluation.protocol import HeldOut
from recsys.models import TwoTower
from recsys.ranking.head import RankingHead, RatingPredictor
from recsys.ranking.recommender import Recommender
from recsys.retrieval.base import Queries
from recsys.retrieval.index import RECALL_AT, build_index
from recsys.retrieval.query_tower import QueryTower
from recsys.retrieval.two_tower import QUERY_TOWER_FILE, TwoTowerRetriever
from recsys.training.features import ModelInputs
from recsys.training.fit import FitState
from recsys.training.onnx import export_onnx
from recsys.training.validation import CUTOFF, EARLY_STOPPING_METRIC

ITEM_INPUTS_FILE = "item_inputs.json"  # what it takes to give the item tower an item it has not seen
EXAMPLE_ROWS = 64  # rows on which an ONNX file is compared with its source
RESCORING_USERS = 5000


def export_bundle(
    model: TwoTower, dataset: PreparedDataset, inputs: ModelInputs, config: Config, state: FitState
) -> Path:
    """Write the next version of the config's bundle and make it the current one.

    Args:
        model: with the weights to publish, computing in float32.
        dataset: the prepared dataset.
        inputs: that the model was built from.
        config: all of it goes into the manifest.
        state: how training went, for the manifest.

    Returns:
        Folder of the version.

    Raises:
        BundleError: an ONNX file differs from its source, or the index finds too little.
    """
    threads = os.cpu_count() or 1
    with BundleWriter(config.bundle.dir, config.name, keep=config.bundle.keep) as writer:
        embeddings = model.item_vectors().numpy()
        differences = _export_towers(model, inputs, embeddings, writer.folder, config)
        tower = QueryTower(writer.folder / QUERY_TOWER_FILE, config.model.max_history, threads)
        known = dataset.histories(c.SPLITS)
        # The index is tuned on what is known before the test interactions; what is served knows all.
        before_test = dataset.histories((c.TRAIN, c.VALIDATION))
        vectors = tower.encode(_sampled_queries(before_test, config), embeddings)
        index, recall = build_index(embeddings, vectors, config.index, config.seed)
        retriever = TwoTowerRetriever(tower, embeddings, index)
        popularity = fit_popularity(dataset)
        neighbours = tune_neighbours(dataset, config.evaluation, config.seed)
        writer.add_two_tower(retriever)
        writer.add_retriever(popularity)
        writer.add_retriever(neighbours.retriever)
        writer.add_catalogue(_item_records(dataset.items), map(str, dataset.user_ids))
        writer.add_histories(known)
        predictor = None
        if inputs.statistics is not None and model.rating_head is not None:
            writer.add_ratings(inputs.statistics)
            head = RankingHead(writer.folder / RANKING_HEAD_FILE, threads)
            predictor = RatingPredictor(head, inputs.statistics, embeddings)
        recommender = Recommender(retriever, popularity, predictor, candidates=config.ranking.candidates)
        (writer.folder / ITEM_INPUTS_FILE).write_text(json.dumps(inputs.describe(), indent=1), "utf8")
        weight, tried = choose_rescore_weight(recommender, dataset, config)
        writer.describe(
            dataset={
                "name": dataset.name,
                "manifest_sha256": file_sha256(dataset.path / c.MANIFEST_FILE),
                "synthetic": config.synthetic,
                "n_users": dataset.n_users,
                "n_items": dataset.n_items,
                "text_encoder": inputs.text.encoder,
                "text_weights_sha256": inputs.text.weights_sha256,
            },
            config=config.model_dump(mode="json"),
            metrics={
                f"validation_{EARLY_STOPPING_METRIC}": state.best,
                f"index_recall@{RECALL_AT}": recall,
                "onnx_differences": differences,
                "rescoring": tried,
                "item_neighbours": neighbours.report,
                "best_epoch": state.best_epoch,
                "training_curve": state.curve,
            },
            rescore_weight=weight,
            candidates=config.ranking.candidates,
        )
    return writer.path


def choose_rescore_weight(
    recommender: Recommender, dataset: PreparedDataset, config: Config
) -> tuple[float, dict[str, float]]:
    """The weight of the predicted rating that ranks a seeded sample of validation users best.

    The recommender's candidates and their ratings are computed once and put in order for each weight.

    Returns:
        weight: 0 where there is no rating head or no validation data; among equals the smallest.
        tried: validation NDCG@10 of each weight.
    """
    if recommender.predictor is None or not (dataset.interactions[c.SPLIT] == c.VALIDATION).any():
        return 0.0, {}
    held = HeldOut.of(dataset, c.VALIDATION).sample(RESCORING_USERS, config.seed)
    found = replace(recommender, rescore_weight=0.0).recommend(held.queries, recommender.candidates)
    ratings = np.nan_to_num(np.asarray(found.ratings, np.float32))
    tried = {}
    for weight in sorted({0.0, *config.ranking.rescore_weights}, key=abs):
        order = np.argsort(-(found.retrieval_scores + weight * ratings), axis=1, kind="stable")[:, :CUTOFF]
        ranked = np.take_along_axis(found.items, order, axis=1)
        tried[weight] = float(ranking_metrics(ranked, held.relevant, [CUTOFF])[EARLY_STOPPING_METRIC].mean())
    best = max(tried, key=tried.__getitem__)  # the first of equals: the smallest
    return best, {str(weight): value for weight, value in tried.items()}


def _export_towers(
    model: TwoTower, inputs: ModelInputs, embeddings: NDArray[np.float32], folder: Path, config: Config
) -> dict[str, float]:
    """Write each function of the model as SavedModel and ONNX file; the largest difference of each."""
    examples = _examples(inputs, embeddings, config)
    differences = {}
    functions: dict[str, Any] = model.export_functions()
    for name, function in functions.items():
        module = tf.Module()
        concrete = function.get_concrete_function()
        module.function, module.weights = function, list(concrete.graph.variables)
        tf.saved_model.save(module, str(folder / TF_FOLDER / name), signatures=concrete)
        example = {spec.name: examples[name][spec.name] for spec in function.input_signature}
        differences[name] = export_onnx(function, folder / ONNX_FOLDER / f"{name}.onnx", example)
    return differences


def _examples(
    inputs: ModelInputs, embeddings: NDArray[np.float32], config: Config
) -> dict[str, dict[str, NDArray[Any]]]:
    """Random users and items of the dataset, and items as if unseen, as inputs of the exported functions."""
    rng = np.random.default_rng(config.seed)
    rows = rng.integers(0, len(embeddings), EXAMPLE_ROWS)
    users = rng.permutation(np.flatnonzero(inputs.histories.lengths))[:EXAMPLE_ROWS]
    recent = inputs.histories.select(users).last(config.model.max_history)
    history = np.asarray(recent.padded(recent.items, -1), np.int32)
    users_embedded = embeddings[recent.items[recent.indptr[:-1]]]
    candidates = rng.integers(0, len(embeddings), (len(users), EXAMPLE_ROWS))
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
            "item_embedding": embeddings[candidates],
            "features": rng.choice(inputs.rating_features, candidates.shape),
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
