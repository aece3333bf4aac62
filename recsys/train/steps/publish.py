"""Step: write everything that a server or an evaluation reads as the next version of the bundle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd

from recsys.bundle import Attributes, BundleWriter, ItemRecord
from recsys.bundle.manifest import Calibration, DatasetSection, MetricsSection, ServingSection, file_sha256
from recsys.encoding.files import ITEM_INPUTS_FILE
from recsys.prepare import columns as c
from recsys.train.steps.context import (
    ExportedItemEncoder,
    FittedSources,
    RunContext,
    ServedTwoTower,
    Trained,
    TrainedRanker,
)
from recsys.train.steps.fit_towers import FittedTower
from recsys.train.warm_start import WARM_FILE, WarmNotes


@dataclass(frozen=True)
class Release:
    """All that a version of the bundle consists of.

    Attributes:
        trained, served: the two-tower.
        item_encoder: encodes new items.
        fitted: how its training went.
        sources: all others.
        ranker: None: the two-tower alone is served.
        calibrations: by name of the model.
    """

    trained: Trained
    served: ServedTwoTower
    item_encoder: ExportedItemEncoder
    fitted: FittedTower
    sources: FittedSources
    ranker: TrainedRanker | None
    calibrations: dict[str, Calibration]


def publish(context: RunContext, release: Release, towers: Path, *, current: bool) -> Path:
    """Write the next version of the config's bundle.

    Args:
        context: of the run.
        release: what to write.
        towers: folder of `export_towers`.
        current: make it the one in use; otherwise it waits, see `recsys.bundle.versions`.

    Returns:
        Folder of the version.

    Raises:
        BundleError: it cannot be written, or its parts do not fit together.
    """
    config = context.config
    with BundleWriter(config.bundle.dir, config.name, keep=config.bundle.keep, current=current) as writer:
        writer.add_towers(towers)
        _add_parts(context, release, writer)
    return writer.path


def _add_parts(context: RunContext, release: Release, writer: BundleWriter) -> None:
    dataset, served, sources = context.dataset, release.served, release.sources
    writer.add_two_tower(served.source)
    for source in sources.alone.sources.values():
        writer.add_source(source)
    for hybrid in sources.hybrids.sources.values():
        writer.add_hybrid(hybrid)
    writer.add_catalogue(_item_records(dataset.items), map(str, dataset.user_ids))
    if dataset.attributes:
        writer.add_attributes(Attributes.of(dataset.attributes, dataset.attribute_values))
    writer.add_histories(dataset.histories(c.SPLITS))
    if c.CYCLE in dataset.items:
        writer.add_cycles(dataset.items[c.CYCLE].to_numpy(np.float32))
    if served.predictor is not None:
        writer.add_ratings(served.predictor)
    if release.ranker is not None:
        writer.add_ranker(release.ranker.ranker, release.ranker.recommender.sources[1:])
    (writer.folder / ITEM_INPUTS_FILE).write_text(json.dumps(release.trained.inputs.describe(), indent=1), "utf8")
    if release.fitted.origin is not None:
        notes = WarmNotes(origin=release.fitted.origin, cold_epochs=release.fitted.cold_epochs)
        (writer.folder / WARM_FILE).write_bytes(msgspec.json.encode(notes))
    if release.item_encoder.parts is None:
        writer.leave_out_item_encoder(release.item_encoder.reason)
    else:
        writer.add_item_encoder(release.item_encoder.parts)
    ranking = context.config.ranking
    writer.describe(
        dataset=_dataset_section(context, release.trained),
        config=context.config.model_dump(mode="json"),
        metrics=_metrics_section(release),
        serving=ServingSection(
            candidates=ranking.candidates,
            proposer_candidates=ranking.retriever_candidates,
            confidence=release.calibrations,
        ),
    )


def _dataset_section(context: RunContext, trained: Trained) -> DatasetSection:
    dataset, text = context.dataset, trained.inputs.text
    return DatasetSection(
        name=dataset.name,
        synthetic=context.config.synthetic,
        n_users=dataset.n_users,
        n_items=dataset.n_items,
        manifest_sha256=file_sha256(dataset.path / c.MANIFEST_FILE),
        text_encoder=text.encoder,
        text_weights_sha256=text.weights_sha256,
    )


def _metrics_section(release: Release) -> MetricsSection:
    sources, state = release.sources, release.fitted.state
    differences = dict(release.served.onnx_differences)
    if release.item_encoder.parts is not None:
        differences["text_encoder"] = release.item_encoder.difference
    int8_cosine = release.trained.inputs.text.int8_cosine
    if int8_cosine is not None:
        differences["text_in_int8"] = 1 - int8_cosine
    return MetricsSection(
        validation_ndcg=state.best,
        index_recall=release.served.index_recall,
        onnx_differences=differences,
        sources={name: tuned.report for name, tuned in sources.alone.tuned.items()},
        skipped=sources.alone.skipped,
        hybrid=sources.hybrids.report,
        ranker=None if release.ranker is None else release.ranker.report,
        best_epoch=state.best_epoch,
        training_curve=state.curve,
    )


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
