"""Write a bundle so that a reader sees a whole one or none."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple, Self

import msgspec
import numpy as np

from recsys.bundle import layout
from recsys.bundle.attributes import Attributes
from recsys.bundle.catalogue import ItemRecord, write_catalogue
from recsys.bundle.cycles import write_cycles
from recsys.bundle.histories import write_histories
from recsys.bundle.locks import FolderLock, name_lock
from recsys.bundle.manifest import (
    DatasetSection,
    IndexSection,
    Manifest,
    MetricsSection,
    RankerSection,
    ServingSection,
    as_json,
    digest,
    list_files,
    package_versions,
    write_manifest,
)
from recsys.bundle.trial import require_parts, try_out
from recsys.bundle.versions import Versions, remove_unless_open
from recsys.core.attributes import AttributeType
from recsys.core.disk import sync
from recsys.core.errors import BundleError
from recsys.core.histories import Histories
from recsys.core.tower_io import RATING_HEAD
from recsys.core.types import Float32Array
from recsys.encoding import ItemEncoderParts
from recsys.encoding.files import ENCODER_FOLDER
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.ratings.predictor import RatingPredictor
from recsys.sources.base import Source
from recsys.sources.hybrid import Hybrid
from recsys.sources.two_tower.source import TwoTowerSource


class _Described(NamedTuple):
    dataset: DatasetSection
    config: dict[str, Any]
    metrics: MetricsSection
    serving: ServingSection


def require_writable(parent: Path | str, name: str) -> None:
    """Make sure that a bundle can be written below `parent / name`, by writing and removing a small file there.

    Raises:
        BundleError: it cannot.
    """
    home = Path(parent) / name
    try:
        home.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=home) as file:
            file.write(b"a bundle goes here")
    except OSError as error:
        raise _not_written(home, error) from error


class BundleWriter:
    """Context manager that writes one version of a bundle below `parent / name`.

        with BundleWriter(config.bundle.dir, config.name, keep=config.bundle.keep) as writer:
            writer.add_two_tower(two_tower)
            ...
        writer.path  # the published version

    Everything goes into a temporary folder. A clean exit checks it, renames it, makes it current and removes
    old versions that nobody has open; an exception, or the process's death, leaves what was there before.
    Several processes may write versions of one name at once: each publishes its own, the last is current.
    With `current=False` the version only waits, whole and tried out, until `Versions` lets it in.

    Attributes:
        folder: the temporary folder, for files that no method here writes (onnx/, tf/).
        path: folder of the version, after a clean exit.
    """

    folder: Path
    path: Path
    _lock: FolderLock

    def __init__(self, parent: Path | str, name: str, *, keep: int = 3, current: bool = True) -> None:
        self._home, self._name, self._keep, self._current = Path(parent) / name, name, keep, current
        self._versions = Versions(self._home)
        self._attributes: dict[str, AttributeType] = {}
        self._sources: dict[str, str] = {}
        self._hybrids: dict[str, dict[str, float]] = {}
        self._index: IndexSection | None = None
        self._ranker: RankerSection | None = None
        self._no_item_encoder: str | None = "the bundle was written without a text encoder"
        self._described: _Described | None = None

    def __enter__(self) -> Self:
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            self._versions.record  # noqa: B018 - one that cannot be read is told now, not after hours of training
            with name_lock(self._home):
                self._remove_leftovers()
                # Not mkdtemp, which hides its folder from other users: the server may run as one.
                self.folder = self._home / f"{layout.TEMPORARY_PREFIX}{uuid.uuid4().hex}"
                self.folder.mkdir()
                self._lock = FolderLock.shared(self.folder)
        except OSError as error:
            raise _not_written(self._home, error) from error
        for name in (layout.ONNX_FOLDER, layout.TF_FOLDER, layout.RETRIEVERS_FOLDER):
            (self.folder / name).mkdir()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        try:
            if kind is None:
                self._publish()
            elif isinstance(error, OSError):
                raise _not_written(self._home, error) from error
        finally:
            self._lock.close()
            shutil.rmtree(self.folder, ignore_errors=True)  # nothing is left of it after publishing

    def add_towers(self, folder: Path) -> None:
        """Copy the exported functions of the towers and the rating head: onnx/ and tf/ in `folder`."""
        for name in (layout.ONNX_FOLDER, layout.TF_FOLDER):
            shutil.copytree(folder / name, self.folder / name, dirs_exist_ok=True)

    def add_two_tower(self, two_tower: TwoTowerSource) -> None:
        """Item embeddings, index and query tower (its ONNX file is copied unless it is already in the folder)."""
        two_tower.save(self.folder)
        self._index = IndexSection(**asdict(two_tower.index.parameters))

    def add_source(self, source: Source) -> None:
        """Another source, under its name."""
        folder = self.folder / layout.RETRIEVERS_FOLDER / source.name
        folder.mkdir()
        source.save(folder)
        self._sources[source.name] = source.kind

    def add_hybrid(self, hybrid: Hybrid) -> None:
        """A hybrid of the two-tower and sources added before: its weights, not its members once more."""
        self._hybrids[hybrid.name] = dict(hybrid.weights)

    def add_catalogue(self, items: Iterable[ItemRecord], user_ids: Iterable[str]) -> None:
        """Items (rows 0..N-1) and users (the n-th id belongs to row n)."""
        write_catalogue(self.folder / layout.CATALOGUE_FILE, items, user_ids)

    def add_attributes(self, attributes: Attributes) -> None:
        """Further columns of the catalogue; not called where there are none."""
        (self.folder / layout.ATTRIBUTES_FOLDER).mkdir()
        attributes.save(self.folder / layout.ATTRIBUTES_FOLDER)
        self._attributes = dict(attributes.types)

    def add_histories(self, histories: Histories) -> None:
        """The histories of all users, with all their interactions; row b is user row b."""
        write_histories(histories, self.folder / layout.HISTORIES_FOLDER)

    def add_cycles(self, cycles: Float32Array) -> None:
        """Days after which people buy each item again, float32 [N]; NaN where nothing tells. May be left out."""
        write_cycles(cycles, self.folder / layout.CYCLES_FILE)

    def add_ratings(self, predictor: RatingPredictor, rating_head: Path | None = None) -> None:
        """What ratings are predicted from, and the rating head's ONNX file, unless that is in `folder` already."""
        folder = self.folder / layout.RATINGS_FOLDER
        folder.mkdir()
        predictor.statistics.save(folder)
        np.save(folder / layout.ITEM_PARTS_FILE, predictor.item_parts)
        if rating_head is not None:
            shutil.copyfile(rating_head, self.folder / RATING_HEAD.onnx_file)

    def add_ranker(self, ranker: Ranker, proposers: Iterable[str]) -> None:
        """The ranker and what it reads.

        Args:
            ranker: the scorers and members of its scorer are sources added before.
            proposers: names of those scorers that propose candidates too.
        """
        for name in (layout.FEATURES_FOLDER, layout.LOANS_FOLDER):
            (self.folder / name).mkdir()
        ranker.features.save(self.folder / layout.FEATURES_FOLDER)
        ranker.scorer.loans.save(self.folder / layout.LOANS_FOLDER)
        ranker.model.save(self.folder / layout.RANKER_FILE)
        self._ranker = RankerSection(
            proposers=list(proposers),
            scorers=list(ranker.scorer.scorers),
            features=list(ranker.features.names),
            source_sum=dict(ranker.scorer.weights),
            repeat_log_odds=ranker.repeat_log_odds,
            finalists=ranker.finalists,
        )

    def add_item_encoder(self, parts: ItemEncoderParts) -> None:
        """What encodes new items, beside onnx/ and `ITEM_INPUTS_FILE` in `folder`. May be left out."""
        (self.folder / ENCODER_FOLDER).mkdir()
        parts.save(self.folder / ENCODER_FOLDER)
        self._no_item_encoder = None

    def leave_out_item_encoder(self, reason: str) -> None:
        """Say in the manifest why the bundle cannot encode new items."""
        self._no_item_encoder = reason

    def describe(
        self, *, dataset: DatasetSection, config: dict[str, Any], metrics: MetricsSection, serving: ServingSection
    ) -> None:
        """What the manifest says beside the parts; to be called once, before the clean exit.

        Args:
            dataset: what identifies the prepared dataset.
            config: the resolved config, `config.model_dump(mode="json")`.
            metrics: figures measured at export.
            serving: candidates for a query, calibration of scores.
        """
        self._described = _Described(dataset, config, metrics, serving)

    def _publish(self) -> None:
        try:
            manifest = self._manifest(datetime.now(UTC))
            version = manifest.version
            write_manifest(self.folder, manifest)
            try_out(self.folder)
            _flush(self.folder)
            if self._current:
                self.path = self._home / version
                self._versions.publish(self.folder, version, "train", keep=self._keep)
            else:
                self.path = self._versions.waiting_folder(version)
                self.folder.rename(self.path)
        except OSError as error:
            raise _not_written(self._home, error) from error

    def _manifest(self, created: datetime) -> Manifest:
        require_parts(self.folder)
        described, index = self._described, self._index
        if described is None or index is None:
            raise ValueError("add_two_tower and describe must be called before the clean exit of a BundleWriter")
        manifest = Manifest(
            schema_version=layout.SCHEMA_VERSION,
            name=self._name,
            version="",
            created_at=created.isoformat(),
            dataset=described.dataset,
            config=described.config,
            metrics=described.metrics,
            attributes=self._attributes,
            sources=self._sources,
            hybrids=self._hybrids,
            ranker=self._ranker,
            serving=described.serving,
            no_item_encoder=self._no_item_encoder,
            index=index,
            packages=package_versions(),
            files=list_files(self.folder),
            sha256="",
        )
        # The hash covers every file's hash and the time in microseconds: no two versions share a name.
        version = f"{created:%Y%m%dT%H%M%S.%fZ}-{digest(as_json(manifest))[:8]}"
        return msgspec.structs.replace(manifest, version=version)

    def _remove_leftovers(self) -> None:
        """Remove what writers left that died; a living writer holds a lock on its folder."""
        for path in self._home.glob(f"{layout.TEMPORARY_PREFIX}*"):
            if path.is_dir():
                remove_unless_open(path)


def _not_written(home: Path, error: OSError) -> BundleError:
    return BundleError(
        f"to write a bundle below {home}",
        str(error),
        "free space or permit writing there; the bundle before is untouched",
    )


def _flush(folder: Path) -> None:
    """Force everything below `folder` to disk, so that not even a power cut publishes half a bundle."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)
