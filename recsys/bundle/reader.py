"""Open a bundle: verify it, and compose sources and recommender from its files."""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from recsys.bundle import layout
from recsys.bundle.attributes import Attributes
from recsys.bundle.catalogue import Catalogue
from recsys.bundle.cycles import read_cycles
from recsys.bundle.facet_columns import FacetColumns
from recsys.bundle.histories import read_histories
from recsys.bundle.locks import FolderLock
from recsys.bundle.manifest import Manifest, Verification, read_manifest, verify_files
from recsys.bundle.manifest_checks import faults
from recsys.core.errors import BundleError
from recsys.core.histories import Histories
from recsys.core.small_files import read_small_file
from recsys.core.stored_arrays import REMEDY, read_array
from recsys.core.tower_io import RATING_HEAD
from recsys.core.types import Float16Array, Float32Array
from recsys.encoding import ItemEncoder
from recsys.pipeline.allow import AllBut, Among
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures, FeatureParts
from recsys.pipeline.propose import Proposer
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.ranker_tables import RankerTables
from recsys.pipeline.ratings.predictor import RankingHead, RatingPredictor
from recsys.pipeline.ratings.statistics import RatingStatistics
from recsys.pipeline.recommender import Recommender
from recsys.sources.base import Source
from recsys.sources.hybrid import Hybrid
from recsys.sources.lending import Loans
from recsys.sources.loading import load_source
from recsys.sources.registry import FALLBACK, RANKER
from recsys.sources.two_tower.source import TwoTowerSource

_SWITCH_ATTEMPTS = 5
_LONGEST_CURRENT = 4096  # bytes of the file that names the version in use


class Bundle:
    """An open bundle. Its parts load when first asked for; arrays are memory-mapped.

    While it is open, no writer removes its version.

    Attributes:
        path: folder of the version.
        manifest: what the bundle says of itself.
    """

    def __init__(self, path: Path, *, verify: Verification = "full") -> None:
        """Open the version in folder `path`; see `open_bundle` for the arguments and errors."""
        self.path = path
        self._lock = FolderLock.shared(path)
        self._loaded: dict[str, Source] = {}
        self.manifest: Manifest = read_manifest(path)
        for expected, got in faults(self.manifest):
            raise BundleError(f"{expected} in {path / layout.MANIFEST_FILE}", got, REMEDY)
        verify_files(path, self.manifest, verify)

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def n_items(self) -> int:
        return len(self.item_embeddings)

    @property
    def has_ratings(self) -> bool:
        """Whether the bundle predicts ratings."""
        return (self.path / RATING_HEAD.onnx_file).is_file()

    @property
    def sources(self) -> list[str]:
        """Names of all sources in the bundle."""
        return [TwoTowerSource.name, *self.manifest.sources, *self.manifest.hybrids]

    @property
    def item_embeddings(self) -> Float16Array:
        """float16 [N, D], memory-mapped."""
        return self._two_tower.item_embeddings

    @cached_property
    def catalogue(self) -> Catalogue:
        """Items and users by id and row."""
        return Catalogue(self.path / layout.CATALOGUE_FILE)

    @cached_property
    def facets(self) -> FacetColumns:
        """Brand, categories and price of all items: the catalogue is read for it once."""
        return FacetColumns.of(self.catalogue.facets())

    @cached_property
    def attributes(self) -> Attributes:
        """Further columns of the catalogue, as many rows as it has items; large ones are memory-mapped."""
        return Attributes.load(self.path / layout.ATTRIBUTES_FOLDER, self.manifest.attributes, self.catalogue.n_items)

    @cached_property
    def in_stock(self) -> tuple[Among, ...]:
        """What every list obeys: items that are not sold out. Empty where none is known to be."""
        sold_out = self.attributes.sold_out
        return () if sold_out is None else (AllBut(~sold_out),)

    @cached_property
    def histories(self) -> Histories:
        """The histories of all users, with all their interactions; row b is user row b. Memory-mapped."""
        return read_histories(self.path / layout.HISTORIES_FOLDER, self.catalogue.n_items)

    @cached_property
    def cycles(self) -> Float32Array:
        """float32 [N], days after which people buy each item again; NaN where the data do not tell."""
        return read_cycles(self.path / layout.CYCLES_FILE, self.catalogue.n_items)

    @cached_property
    def item_encoder(self) -> ItemEncoder | None:
        """Encodes items that the bundle does not hold; None where it cannot, see `Manifest.no_item_encoder`."""
        if self.manifest.no_item_encoder is not None:
            return None
        return ItemEncoder.load(self.path, self.item_embeddings)

    @cached_property
    def _two_tower(self) -> TwoTowerSource:
        return TwoTowerSource.load(self.path)

    def two_tower(self) -> TwoTowerSource:
        """The two-tower, the same object at every call."""
        return self._two_tower

    @cached_property
    def rating_predictor(self) -> RatingPredictor | None:
        """Predicts ratings; None when the dataset had none."""
        if not self.has_ratings:
            return None
        head = RankingHead(self.path / RATING_HEAD.onnx_file)
        folder = self.path / layout.RATINGS_FOLDER
        parts = read_array(folder / layout.ITEM_PARTS_FILE, np.float32, None, None)
        return RatingPredictor(head, RatingStatistics.load(folder), parts, self.rating_range)

    @property
    def rating_range(self) -> tuple[float, float]:
        """The least and the greatest rating of its dataset; infinite where its config does not say."""
        least, greatest = self.manifest.config.get("data", {}).get("rating_range", (-math.inf, math.inf))
        return float(least), float(greatest)

    @property
    def predicts_repeats(self) -> bool:
        """Whether it was trained on histories that keep repeats, so that what a user chose before may follow again."""
        repeats: str = self.manifest.config.get("data", {}).get("repeats", "latest")
        return repeats != "latest"

    def source(self, name: str) -> Source:
        """The source called `name`, one of `sources`; the same object at every call.

        Raises:
            BundleError: the bundle has none of that name.
        """
        if name == TwoTowerSource.name:
            return self._two_tower
        if name not in self.sources:
            raise BundleError(
                f"one of the sources {', '.join(self.sources)}", repr(name), "name one that the bundle holds"
            )
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> Source:
        weights = self.manifest.hybrids.get(name)
        if weights is not None:
            return Hybrid({member: self.source(member) for member in weights}, weights, name)
        return load_source(self.manifest.sources[name], self.path / layout.RETRIEVERS_FOLDER / name, name)

    @cached_property
    def ranker(self) -> Ranker | None:
        """Puts candidates in order; None in a bundle without one.

        Raises:
            BundleError: it was trained on other features than this version of the program computes.
        """
        described = self.manifest.ranker
        if described is None:
            return None
        scorers = {name: self.source(name) for name in described.scorers}
        weights = described.source_sum
        members = {name: self.source(name) for name in weights if name not in scorers and name != self._two_tower.name}
        loans = Loans.load(self.path / layout.LOANS_FOLDER, self.n_items)
        scorer = CandidateScorer(self._two_tower, scorers, loans, weights, members)
        parts = FeatureParts(self._two_tower.name, tuple(scorers), self.rating_predictor)
        features = CandidateFeatures.load(self.path / layout.FEATURES_FOLDER, parts)
        if list(features.names) != described.features:
            raise BundleError(
                f"a ranker of the features {', '.join(features.names)}",
                f"one of {', '.join(described.features)} in {self.path}",
                "train again with this version of the program",
            )
        model = RankerTables.load(self.path / layout.RANKER_FILE, len(features.names))
        odds, knows_repeats = described.repeat_log_odds, self.predicts_repeats
        order = self._served_order()
        return Ranker(scorer, features, model, odds, knows_repeats, finalists=described.finalists, order=order)

    def _served_order(self) -> str:
        """What puts candidates in order: the ranker, unless validation chose something simpler."""
        choice = (self.manifest.metrics.ranker or {}).get("order")
        order = choice.get("served") if isinstance(choice, dict) else None
        return order if order in (*self.sources, RANKER) else RANKER

    def recommender(self, *, candidates: int | None = None, threads: int = 1) -> Recommender:
        """The full pipeline: candidates, the ranker, popularity for users without a history.

        Args:
            candidates: items that the two-tower proposes; None: as the bundle was made.
            threads: that share the queries of a large batch.
        """
        serving, described = self.manifest.serving, self.manifest.ranker
        others = described.proposers if described else ()
        return Recommender(
            proposers=[
                Proposer(self._two_tower, serving.candidates if candidates is None else candidates),
                *(Proposer(self.source(name), serving.proposer_candidates) for name in others),
            ],
            popularity=self.source(FALLBACK),
            predictor=self.rating_predictor,
            ranker=self.ranker,
            threads=threads,
        )

    def close(self) -> None:
        """Let writers remove this version. The parts loaded so far stay usable."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_bundle(path: Path | str, *, verify: Verification = "full") -> Bundle:
    """Open a bundle: `saved_model/<name>` opens the current version, `saved_model/<name>/<version>` that one.

    Args:
        path: folder of the name or of a version.
        verify: full compares the SHA-256 of every file, quick only the sizes.

    Raises:
        BundleError: missing, partial, corrupt or of an incompatible schema; the message says which.
    """
    path = Path(path)
    try:
        if (path / layout.MANIFEST_FILE).is_file():
            return Bundle(path, verify=verify)
        for _ in range(_SWITCH_ATTEMPTS):
            version = current_version(path)
            try:
                return Bundle(path / version, verify=verify)
            except FileNotFoundError:
                # Replaced and removed between reading `current` and locking the version: look again.
                if current_version(path) == version:
                    break
    except OSError as error:
        raise BundleError(f"a readable bundle in {path}", str(error), "mend or export the bundle again") from error
    raise BundleError(
        f"the version that {path / layout.CURRENT_FILE} names", f"no folder {version}", "export the bundle again"
    )


def current_version(path: Path) -> str:
    """Name of the version in use below `path` (saved_model/<name>).

    Raises:
        BundleError: there is none.
    """
    try:
        version = read_small_file(path / layout.CURRENT_FILE, _LONGEST_CURRENT).decode("utf8").strip()
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(
            f"a bundle in {path}",
            "neither manifest.json nor current there",
            "run train.py, which is `recsys train`, with the same --config first",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"a readable {path / layout.CURRENT_FILE}", str(error), "export the bundle again") from error
    if not version or "/" in version or version.startswith(".") or not version.isprintable():
        raise BundleError(
            f"the name of a version in {path / layout.CURRENT_FILE}", repr(version[:80]), "export the bundle again"
        )
    return version
