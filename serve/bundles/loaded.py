"""One bundle, open and warm, with what the server computes from it once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from recsys.bundle import Bundle, ItemCard, ItemRecord
from recsys.bundle.consistency import require_consistent
from recsys.bundle.layout import FULL
from recsys.bundle.manifest import verify_files
from recsys.bundle.overlay import LiveBundle
from recsys.core.bounded_cache import BoundedCache
from recsys.core.errors import BundleError, RecsysError
from recsys.core.logistic import logistic
from recsys.core.queries import Queries
from recsys.core.types import Float32Array, Float64Array, Int32Array
from recsys.explain.actions import Actions
from recsys.explain.cheap import CheapFacts
from recsys.explain.explainer import Explainer
from recsys.explain.facts import FactBase
from recsys.explain.sensitive import SensitiveNames
from recsys.histories.event_types import EventTypes
from recsys.rules.base import RuleBase
from recsys.sources.base import Source
from serve.bundles.facets import Facets, ItemFacets
from serve.bundles.info import BundleInfo
from serve.bundles.names import Names
from serve.errors import UnknownModelError
from serve.settings import Settings

logger = logging.getLogger(__name__)

MAX_CARDS = 20_000


class LoadedBundle:
    """A bundle that answers. A request reads it once, so that an answer never mixes two bundles.

    Attributes:
        bundle: the open bundle, or live items over it.
        recommender: its full pipeline.
        info: what answers say of it.
        models: names of what can be asked for: the full pipeline and every source.
        popular: int32 [N], item rows from the most popular one.
        popularity: float32 [N], popularity of each item.
        facets: what items can be filtered by.
        brands, categories: their names, to be found.
        cards: what lists show of item rows.
        event_types: the types of events that it knows.
        explainer: says why its lists are what they are.
        actions: tell what was done at each place of a history.
        fact_base: what statements about its items rest on.
        cheap_facts: finds such statements for whole lists.
        rule_base: what the shop's rules read of it.
    """

    def __init__(
        self,
        bundle: Bundle,
        candidates: int | None = None,
        threads: int = 1,
        sensitive: SensitiveNames | None = None,
        base: LoadedBundle | None = None,
        before: LoadedBundle | None = None,
    ) -> None:
        """Compose the pipeline.

        Args:
            bundle: open.
            candidates, threads: as of `Bundle.recommender`.
            sensitive: categories that no explanation names; None: those of most shops.
            before: an earlier overlay over the same bundle.
            base: what was loaded of the bundle below, where this is an overlay; None: it is none.
        """
        self.bundle, self._base = bundle, base  # not itself: what holds itself is let go late
        self._composed = candidates, threads, sensitive
        self.recommender = bundle.recommender(candidates=candidates, threads=threads)
        synthetic = bundle.manifest.dataset.synthetic
        self.info = BundleInfo(name=bundle.name, version=bundle.version, synthetic=synthetic)
        self.models = (FULL, *bundle.sources)
        self.popular, self.popularity = self._by_popularity()
        self.facets = Facets.of(bundle.facets) if base is None else _facets_over(base, bundle, before)
        self.brands, self.categories = self._names(before or base)
        self.event_types: EventTypes = EventTypes.of(bundle) if base is None else base.event_types
        self.explainer = Explainer(self.recommender, bundle.source)
        self.actions: Actions = Actions.of(bundle) if base is None else base.actions
        names = SensitiveNames() if sensitive is None else sensitive
        self.fact_base, self.cheap_facts = self._facts(names, (base, before))
        self.rule_base: RuleBase = RuleBase.of(bundle, None if base is None else base.rule_base)
        self.cards = BoundedCache[int, ItemCard](bundle.catalogue.cards, MAX_CARDS)

    def _by_popularity(self) -> tuple[Int32Array, Float32Array]:
        """See `by_popularity`; those of the bundle below where no item came."""
        base = self._base
        if base is not None and base.recommender.popularity is self.recommender.popularity:
            return base.popular, base.popularity
        return by_popularity(self.recommender.popularity)

    def _names(self, before: LoadedBundle | None) -> tuple[Names, Names]:
        """Brands and categories; nobody waits for those of a bundle, and few names are others in an overlay."""
        facets = self.facets
        if before is None:
            return Names(facets.brands).prepare(), Names(facets.categories).prepare()
        return Names.of(facets.brands, before.brands), Names.of(facets.categories, before.categories)

    def _facts(self, sensitive: SensitiveNames, others: Sequence[LoadedBundle | None]) -> tuple[FactBase, CheapFacts]:
        """What statements rest on; those of another where what is said of items is the same."""
        facets = self.facets
        for other in others:
            if other is not None and facets is other.facets:
                return other.fact_base, other.cheap_facts
        facts = FactBase.of(self.bundle, sensitive, facets.prices, facets.categories)
        return facts, CheapFacts(facts, facets.brands, facets.categories)

    @cached_property
    def last_interaction(self) -> int:
        """Time of the last interaction of its histories, in seconds since 1970; 0 where there are none."""
        if self._base is not None:
            return self._base.last_interaction
        return int(self.bundle.histories.timestamps.max(initial=0))

    @property
    def base(self) -> LoadedBundle:
        """The same without live items; itself where there are none."""
        return self if self._base is None else self._base

    def over(self, overlay: Bundle, before: LoadedBundle | None = None) -> LoadedBundle:
        """The same pipeline over what live items make of the bundle; it shares what it can with the overlay before."""
        return LoadedBundle(overlay, *self._composed, base=self.base, before=before)

    @classmethod
    def open(
        cls,
        path: Path,
        settings: Settings,
        warm_up: Callable[[LoadedBundle], None],
        on_step: Callable[[str], None] = lambda _: None,
    ) -> LoadedBundle:
        """Open the bundle at `path`, a version, and load and check all of it.

        Args:
            path: its folder.
            settings: of the server.
            warm_up: makes its first lists; raises a `BundleError` where it must not be served.
            on_step: is told what is being done.

        Raises:
            BundleError: missing, partial, corrupt, incompatible, or of parts that do not fit together.
        """
        try:
            loaded = cls._open(path, settings, on_step)
            on_step("compiling loops")
            warm_up(loaded)
        except RecsysError:
            raise
        except Exception as error:  # a bundle can be broken in any way: none may end the server
            logger.exception("The bundle in %s cannot be read", path)
            got = f"{type(error).__name__}: {error}"
            raise BundleError(f"a sound bundle in {path}", got, "export it again") from error
        return loaded

    @classmethod
    def _open(cls, path: Path, settings: Settings, on_step: Callable[[str], None]) -> LoadedBundle:
        try:
            on_step(f"opening the bundle in the folder {path.name}")
            bundle = Bundle(path, verify="quick")
            if settings.verify == "full" and path.name != settings.trusted_version:
                on_step(f"verifying the files of {bundle.name}, version {bundle.version}")
                verify_files(path, bundle.manifest, "full")
        except OSError as error:
            raise BundleError(f"a readable bundle in {path}", str(error), "mend or export the bundle again") from error
        on_step(f"loading {bundle.name}, version {bundle.version}")
        require_consistent(bundle)
        return cls(bundle, settings.candidates, settings.scoring_threads, settings.sensitive_names)

    def require_model(self, name: str) -> None:
        """Raise an `UnknownModelError` unless it has such a model."""
        if name not in self.models:
            raise UnknownModelError(f"model: expected one of {', '.join(self.models)} (got {name!r})")

    def source(self, name: str) -> Source:
        """The source of that name; BundleError if the bundle holds none."""
        return self.bundle.source(name)

    def confidence(self, model: str, scores: Float32Array) -> Float64Array:
        """A model's scores as numbers from 0 to 1, growing with the score."""
        scale, offset = self.calibration(model)
        return logistic(scale * scores.astype(np.float64) + offset)

    def share_of_interactions(self, popularity: Float32Array) -> Float64Array:
        """Of popular items their share of all interactions: what stands for the confidence of models."""
        return np.clip(popularity.astype(np.float64) / self._all_interactions, 0, 1)

    @cached_property
    def _all_interactions(self) -> float:
        return max(float(self.popularity.sum()), 1e-9)

    def calibration(self, model: str) -> tuple[float, float]:
        """Scale and offset of a model's scores: `serving.confidence.MODEL` of the manifest, or 1 and 0."""
        given = self.bundle.manifest.serving.confidence.get(model)
        return (1.0, 0.0) if given is None else (given.scale, given.offset)

    def calibrated(self, model: str) -> bool:
        """Whether the bundle says how the model's scores relate to probabilities."""
        return model in self.bundle.manifest.serving.confidence


def _facets_over(base: LoadedBundle, overlay: Bundle, before: LoadedBundle | None) -> Facets:
    """Those of a bundle with live items over it; the same ones where nothing that is filtered by has changed."""
    if not isinstance(overlay, LiveBundle) or not overlay.live.records:
        return base.facets
    if before is not None and isinstance(before.bundle, LiveBundle) and before.bundle.says_the_same(overlay):
        return before.facets
    now = {row: _facets_of(record) for row, record in overlay.live.records.items()}
    originally = {row: _facets_of(record) for row, record in overlay.live.originals.items()}
    return base.facets.changed(now, originally, overlay.n_items)


def _facets_of(record: ItemRecord) -> ItemFacets:
    return ItemFacets(record.brand, record.categories, record.price)


def by_popularity(popularity: Source) -> tuple[Int32Array, Float32Array]:
    """Item rows from the most popular one [N], and the popularity of each row [N]."""
    nobody = Queries.nobody()
    ranking = popularity.propose(nobody, popularity.n_items, exclude_seen=False).items[0]
    return ranking, popularity.score(nobody)[0]
