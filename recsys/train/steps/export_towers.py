"""Step: export both towers and the rating head, and read them back as a server does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recsys.bundle.layout import ONNX_FOLDER, TF_FOLDER
from recsys.config import Config
from recsys.core.arrays import half
from recsys.core.disk import writing
from recsys.core.errors import BundleError
from recsys.core.progress import Step
from recsys.core.tower_io import ITEM_TOWER, OUT_OF_VOCABULARY, QUERY_TOWER, RATING_HEAD, Padded, id_rows
from recsys.core.types import Float32Array, Int64Array
from recsys.encoding import CatalogueEntry, ItemEncoderParts
from recsys.encoding.new_item_tower import NewItemTower
from recsys.models import TwoTower
from recsys.models.exported import exported_models
from recsys.pipeline.ratings.factors_fit import with_rated_vectors
from recsys.pipeline.ratings.predictor import RankingHead, RatingPredictor
from recsys.prepare import columns as c
from recsys.sources.new_items import NewItems
from recsys.sources.onnx_session import OnnxModel
from recsys.sources.two_tower.index import ScannIndex, build_index
from recsys.sources.two_tower.index_parameters import RECALL_AT
from recsys.sources.two_tower.query_tower import QueryTower
from recsys.sources.two_tower.source import TwoTowerSource
from recsys.sources.two_tower.text_match import TextMatch
from recsys.sources.two_tower.user_profiles import UserProfiles
from recsys.text import encode_items
from recsys.train.model_inputs import ModelInputs
from recsys.train.onnx_export import export_onnx
from recsys.train.saved_model_export import export_saved_model
from recsys.train.steps.context import RunContext, ServedTwoTower, Trained

EXAMPLE_ROWS = 64  # rows on which an ONNX file is compared with its source


def export_towers(
    context: RunContext,
    trained: Trained,
    folder: Path,
    step: Step,
    *,
    measure: bool,
    item_encoder: ItemEncoderParts | None = None,
) -> ServedTwoTower:
    """Write towers and rating head into `folder`, and compose from the files what a server composes.

    Args:
        context: of the run.
        trained: the two-tower.
        folder: an empty one; it gets onnx/ and tf/.
        step: hears what the index finds.
        measure: widen the index until its recall suffices, and measure it.
        item_encoder: gives items without interactions the vectors that it will give new ones; None: the model does.

    Raises:
        BundleError: an ONNX file cannot be written or differs from its source, or the index finds too little.
    """
    config, model = context.config, trained.model
    for part in (ONNX_FOLDER, TF_FOLDER):
        (folder / part).mkdir()
    exact = model.item_vectors().numpy()
    remedy = "free space there, or set TMPDIR to another folder; --resume keeps what is trained"
    with writing(f"the exported functions in {folder}", BundleError, remedy, tf.errors.OpError):
        differences = _write(model, trained.inputs, exact, folder, config)
    if item_encoder is not None:
        untrained = np.flatnonzero(trained.inputs.item_counts == 0)
        exact[untrained] = _as_new_items(context, trained, item_encoder, untrained, exact, folder, step).vectors
    embeddings = half(exact)
    tower = QueryTower(folder / QUERY_TOWER.onnx_file, config.model.max_history)
    profiles = user_profiles(trained)
    recall = None
    if measure:
        # The index is tuned on what precedes the test interactions; what is served includes them.
        before_test = trained.dataset.histories((c.TRAIN, c.VALIDATION))
        queries = context.sampled_queries(before_test)
        vectors = tower.encode(queries, embeddings)
        if profiles is not None:
            profiles.add_to(vectors, queries)
        with step.bar("Items indexed", len(embeddings)) as bar:
            index, recall = build_index(embeddings, vectors, config.index, config.seed, bar.advance)
        step.print(
            f"{len(differences)} functions as ONNX, at most {max(differences.values()):.1e} from TensorFlow; "
            f"recall@{RECALL_AT} of the index {recall:.4f}"
        )
    else:
        with step.bar("Items indexed", len(embeddings)) as bar:
            index = ScannIndex.build(embeddings, config.index, bar.advance)
    predictor = None
    if trained.inputs.statistics is not None and model.rating_head is not None:
        head = RankingHead(folder / RATING_HEAD.onnx_file)
        parts = model.rating_head.item_part(tf.constant(exact)).numpy()
        statistics = with_rated_vectors(trained.inputs.statistics, trained.inputs.histories)
        predictor = RatingPredictor(head, statistics, parts, config.data.rating_range)
    two_tower = TwoTowerSource(tower, embeddings, index, text_match(model), profiles)
    return ServedTwoTower(two_tower, predictor, recall, differences)


def _as_new_items(
    context: RunContext,
    trained: Trained,
    parts: ItemEncoderParts,
    rows: Int64Array,
    embeddings: Float32Array,
    folder: Path,
    step: Step,
) -> NewItems:
    """What items of the catalogue would be to a server if they came only now.

    Where the run reads texts in bfloat16, these are read in single precision, as a server will: rounding moves a text
    little, but enough to change who lends to some of them.
    """
    inputs, config = trained.inputs, context.config
    items = trained.dataset.items.iloc[rows]
    precise = config.text.model_copy(update={"precision": "float32"})
    text = encode_items(items[c.TEXT].tolist(), precise, step.console)
    tower = NewItemTower(
        OnnxModel(folder / ITEM_TOWER.onnx_file),
        inputs.vocabulary,
        inputs.price_scale,
        parts.lenders.rounded(),
        half(embeddings),
        parts.notes.learned_dim,
    )
    columns = (items[name].tolist() for name in (c.BRAND, c.CATEGORIES, c.PRICE))
    entries = [
        CatalogueEntry(brand=brand or "", categories=tuple(categories), price=price if np.isfinite(price) else None)
        for brand, categories, price in zip(*columns, strict=True)
    ]
    return tower.new_items(entries, text.embeddings)


def text_match(model: TwoTower) -> TextMatch | None:
    """How the model's user vectors get their text part; None: they have none."""
    dim = model.item_tower.match_dim
    return TextMatch(dim, *model.user_tower.match) if dim else None


def user_profiles(trained: Trained) -> UserProfiles | None:
    """What users' attributes add to their vectors; None: they are not read."""
    profiles = trained.inputs.profiles
    return None if profiles is None else UserProfiles(profiles, trained.model.user_tower.profile_vectors)


def _write(
    model: TwoTower, inputs: ModelInputs, embeddings: Float32Array, folder: Path, config: Config
) -> dict[str, float]:
    """Write each function of the model as SavedModel and ONNX file; the largest difference of each."""
    examples = _examples(inputs, embeddings, config)
    differences = {}
    for exported in exported_models(model):
        signature, function = exported.signature, exported.function
        export_saved_model(function, folder / TF_FOLDER / signature.name)
        differences[signature.name] = export_onnx(
            function, folder / signature.onnx_file, examples[signature.name], exported.graph
        )
    return differences


def _examples(inputs: ModelInputs, embeddings: Float32Array, config: Config) -> dict[str, dict[str, NDArray[Any]]]:
    """Random users and items of the dataset, and items as if unseen, as inputs of the exported functions.

    What the rating head reads of items is drawn from a normal distribution: it need not be true to be compared.
    """
    rng = np.random.default_rng(config.seed)
    rows = rng.integers(0, len(embeddings), EXAMPLE_ROWS)
    users = rng.permutation(np.flatnonzero(inputs.histories.lengths))[:EXAMPLE_ROWS]
    latest = inputs.histories.select(users).last(config.model.max_history)
    padded = Padded.of(latest, users)
    embedded = np.where(padded.history[..., None] >= 0, embeddings[padded.history], np.float32(0))
    shape = len(users), EXAMPLE_ROWS
    features = inputs.features
    seen = rng.random(len(rows)) < 0.5
    return {
        QUERY_TOWER.name: QUERY_TOWER.named(embedded, padded.lengths, padded.gaps, padded.user),
        ITEM_TOWER.name: ITEM_TOWER.named(
            features.text[rows],
            features.brand[rows],
            features.categories[rows],
            features.price[rows],
            np.where(seen, id_rows(rows), np.int32(OUT_OF_VOCABULARY)),
        ),
        RATING_HEAD.name: RATING_HEAD.named(
            embeddings[latest.items[latest.indptr[:-1]]],  # any vectors of the right width
            rng.standard_normal((*shape, config.model.rating_hidden[0]), np.float32),
            rng.choice(inputs.rating_features, shape),
        ),
    }
