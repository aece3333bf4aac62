"""What every source of candidates answers, and a reading: what a source says of one batch of queries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

import numpy as np

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.types import Float32Array, Int32Array, Int64Array
from recsys.sources.new_items import NewItems
from recsys.sources.shares import Shares

SimilarBy = Literal["behaviour", "content"]


class Reading(ABC):
    """What some sources say of one batch of B queries. What several questions share is computed once.

    Attributes:
        together: whether one reading serves all sources of its class, else each source has one of its own.
        sources: those it speaks for; questions name them by their index here, their slot.
        queries: the batch.
        seconds: time spent in stages that are worth a figure of their own, by stage.
    """

    together: ClassVar[bool] = False

    def __init__(self, sources: Sequence[Source], queries: Queries) -> None:
        self.sources, self.queries = sources, queries
        self.seconds: dict[str, float] = {}

    @abstractmethod
    def propose(self, slots: Sequence[int], depths: Sequence[int], *, exclude_seen: bool) -> list[Candidates]:
        """As many of the best items of each of the sources as its depth says, see `Source.propose`."""

    @abstractmethod
    def write_scores(self, slots: Int64Array, rows: Int64Array, items: Int32Array, scores: Float32Array) -> None:
        """Write the sources' scores of given items, 0 where there is none.

        Args:
            slots: int64 [R], of the sources.
            rows: int64 [R], the row of `scores` for each of them.
            items: int32 [B, C], padded with `NO_ITEM`.
            scores: float32 [S, B, C].
        """

    @abstractmethod
    def write_last_scores(self, slots: Int64Array, rows: Int64Array, items: Int32Array, scores: Float32Array) -> None:
        """As `write_scores`, the scores that the last item of each history gives alone."""

    @property
    def user_vectors(self) -> Float32Array:
        """float32 [B, D], what the source makes of each user; D is 0 for a source without such vectors."""
        return np.zeros((len(self.queries), 0), np.float32)

    def select(self, rows: Int64Array, queries: Queries) -> Self:
        """The reading of some rows of the batch, `queries`, which are computed already."""
        del rows  # for readings that keep what they computed of each row
        return type(self)(self.sources, queries)

    @cached_property
    def last(self) -> Queries:
        """The queries with the last item of each history alone."""
        queries = self.queries
        return Queries(queries.histories.last(1), queries.users, queries.now, profiles=queries.profiles)


class ReadingAlone(Reading):
    """Of a single source, which is asked anew at every question."""

    @property
    def source(self) -> Source:
        return self.sources[0]

    def propose(self, slots: Sequence[int], depths: Sequence[int], *, exclude_seen: bool) -> list[Candidates]:
        del slots  # there is but one
        return [self.source.propose(self.queries, depth, exclude_seen=exclude_seen) for depth in depths]

    def write_scores(self, slots: Int64Array, rows: Int64Array, items: Int32Array, scores: Float32Array) -> None:
        del slots
        for row in rows:
            self._write(self.queries, items, scores[row])

    def write_last_scores(self, slots: Int64Array, rows: Int64Array, items: Int32Array, scores: Float32Array) -> None:
        del slots
        for row in rows:
            self._write(self.last, items, scores[row])

    def _write(self, queries: Queries, items: Int32Array, scores: Float32Array) -> None:
        """Write the scores [B, C] of the items for the queries, 0 where there is none."""
        given = self.source.score(queries, items)
        scores[:] = np.where(np.isfinite(given), given, 0)


class Source(ABC):
    """Proposes items and scores them. One contract suite in tests/contracts holds for all.

    A query with an empty history gets no candidates (all `NO_ITEM`) from a source that knows users by their history
    alone; what to answer then is the caller's named policy, not a guess. The answer to a query does not depend on the
    others in its batch.

    Attributes:
        name: by which configs, bundles and answers call it.
        kind: by which a bundle knows the class that reads it back, see `recsys.sources.loading`; the dotted path of the
            class unless it says otherwise.
        reading: how a batch is read, see `recsys.sources.readings.read`.
        borrows: whether an item that nobody has chosen yet borrows scores from items of similar text where the source
            has none of it. False for one that knows such items by itself.
        scans: whether it proposes by a look at every item of the catalogue, and not at lists made before or an index.
        similar_by: by what it tells which items are similar to an item; None: it does not.
        measured: what its fit measured of itself, by name, for the log and the report; a bundle does not keep it.
    """

    name: str
    kind: ClassVar[str]
    reading: ClassVar[type[Reading]] = ReadingAlone
    borrows: bool = True
    scans: ClassVar[bool] = False
    similar_by: SimilarBy | None = None
    measured: Mapping[str, float] = MappingProxyType({})

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        if "kind" not in cls.__dict__:
            cls.kind = f"{cls.__module__}.{cls.__qualname__}"

    @property
    @abstractmethod
    def n_items(self) -> int:
        """Size of the catalogue: item rows are 0..n_items-1."""

    @abstractmethod
    def propose(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        """The k best items of each query, without those in its history if `exclude_seen`."""

    @abstractmethod
    def score(self, queries: Queries, items: Int32Array | None = None) -> Float32Array:
        """Exact scores, -inf for an item (or a whole row) on which the source has no opinion, and beside `NO_ITEM`.

        Args:
            queries: B queries.
            items: int32 [B, C], those to score; None: the whole catalogue.

        Returns:
            float32 [B, C], or [B, n_items].
        """

    def best(self, queries: Queries, k: int) -> Candidates:
        """As `propose` with the items of the history, but exact.

        A hybrid takes its members' first thousand items as exact: a source whose `propose` leaves some of them out has
        to override this, too.
        """
        return self.propose(queries, k, exclude_seen=False)

    def why(self, queries: Queries, items: Int32Array) -> Shares:
        """What the scores of items int32 [B, C] are made of; all of it is the rest unless a source knows better."""
        return Shares.nobodys(self.score(queries, items), int(queries.histories.lengths.max(initial=0)))

    def supporters(self, item: int, other: int) -> int | None:
        """How many users stand behind `other`'s being similar to `item`; None: nobody has counted.

        What explanations may say of behaviour follows from it: of a source that does not count, nothing.
        """
        del item, other
        return None

    def similar(self, item: int, k: int) -> Candidates:
        """The k items most similar to the item row, the item itself not among them: [1, k]."""
        history = Histories.from_rows(1, np.zeros(1, np.int64), np.array([item]), np.zeros(1, np.int64))
        return self.propose(Queries(history, np.array([NO_ITEM], np.int32), np.zeros(1, np.int64)), k)

    def with_settings(self, **settings: Any) -> Self:
        """The same source with other settings, those that take no fit of their own."""
        raise TypeError(f"{self.name} takes no settings after its fit, got {', '.join(settings)}")

    def with_new_items(self, new: NewItems) -> Source | None:
        """The source in a catalogue of M items more, in the rows behind its own; None: it cannot read such rows.

        It shares all that it holds. `recsys.sources.hiding.extended` hides the rows from a source that cannot.
        """
        del new
        return None

    def fault(self) -> str | None:
        """What does not fit together in the parts that were read, as an error tells it; None: all does."""
        return None

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write into `folder`, which exists and is empty."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""


def scores_of(items: Int32Array, scores: Float32Array) -> Float32Array:
    """Of scores of the whole catalogue [B, n_items] those of the items [B, C]; -inf beside `NO_ITEM`."""
    given = np.take_along_axis(scores, np.maximum(items, 0), axis=1)
    return np.where(items == NO_ITEM, np.float32(-np.inf), given)
