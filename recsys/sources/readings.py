"""Several sources asked about one batch of queries; what they share is computed once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from recsys.core.queries import Candidates, Queries
from recsys.core.types import Float32Array, Int32Array, Int64Array
from recsys.sources.base import Reading, Source
from recsys.sources.lending import Loans
from recsys.sources.shares import Shares


def read(sources: Sequence[Source], queries: Queries) -> Readings:
    """Get ready to ask the sources about the queries. Nothing is computed before it is asked for.

    Args:
        sources: of different names, at least one; those that propose come before others, which spares work.
        queries: B queries.
    """
    groups: dict[Hashable, list[Source]] = {}
    for source in sources:
        groups.setdefault(source.reading if source.reading.together else source.name, []).append(source)
    return Readings([members[0].reading(members, queries) for members in groups.values()], queries)


class Readings:
    """What several sources say of a batch of B queries.

    Attributes:
        queries: the batch.
    """

    def __init__(self, readings: Sequence[Reading], queries: Queries) -> None:
        """See `read`; the first of the readings is the first source's."""
        self.queries, self._readings = queries, readings
        self._slots = {
            source.name: (number, slot)
            for number, reading in enumerate(self._readings)
            for slot, source in enumerate(reading.sources)
        }

    @property
    def user_vectors(self) -> Float32Array:
        """float32 [B, D], what the first source makes of each user."""
        return self._readings[0].user_vectors

    @property
    def seconds(self) -> dict[str, float]:
        """Time spent until now, by stage."""
        total: dict[str, float] = {}
        for reading in self._readings:
            for stage, seconds in reading.seconds.items():
                total[stage] = total.get(stage, 0.0) + seconds
        return total

    def select(self, rows: Int64Array) -> Readings:
        """Of the given rows of the batch; what costs much to compute again is kept."""
        queries = self.queries.select(rows)
        return Readings([reading.select(rows, queries) for reading in self._readings], queries)

    def propose(self, depths: Mapping[str, int], *, exclude_seen: bool = True) -> list[Candidates]:
        """The best items of sources, in the order of their names.

        Args:
            depths: how many items each source is asked for, by name.
            exclude_seen: leave out the items of the history.
        """
        by_name: dict[str, Candidates] = {}
        for reading, slots, names in self._grouped(list(depths)):
            lists = reading.propose(slots, [depths[name] for name in names], exclude_seen=exclude_seen)
            by_name.update(zip(names, lists, strict=True))
        return [by_name[name] for name in depths]

    def scores(
        self, names: Sequence[str], items: Int32Array, loans: Loans | None = None, *, last: bool = False
    ) -> Float32Array:
        """Scores float32 [S, B, C], 0 where there is none.

        Args:
            names: of S sources.
            items: int32 [B, C], padded with `NO_ITEM`.
            loans: what nobody has chosen yet borrows where a source that `borrows` has no score of it; None: nothing.
            last: the scores that the last item of each history gives alone.
        """
        scores = np.empty((len(names), *items.shape), np.float32)
        wide = items if loans is None else loans.with_lenders(items)
        if loans is None or wide is items:
            self._write(names, range(len(names)), items, scores, last)
            return scores
        borrows = [self._source(name).borrows for name in names]
        own = [row for row, borrower in enumerate(borrows) if not borrower]
        rows = [row for row, borrower in enumerate(borrows) if borrower]
        self._write([names[row] for row in own], own, items, scores, last)
        of_lenders = np.empty((len(rows), *wide.shape), np.float32)
        self._write([names[row] for row in rows], range(len(rows)), wide, of_lenders, last)
        loans.fill(of_lenders, items, np.array(rows, np.int64), scores)
        return scores

    def why(self, name: str, items: Int32Array, loans: Loans | None = None) -> Shares:
        """What a source's scores of the items int32 [B, C] are made of, the borrowed ones also by lender.

        Args:
            name: of the source.
            items: padded with `NO_ITEM`.
            loans: see `scores`.
        """
        source = self._source(name)
        shares = source.why(self.queries, items)
        if loans is None or not source.borrows:
            return shares
        lenders, weights = loans.of_items(items, self.scores([name], items)[0] == 0)
        of_lenders = source.why(self.queries, lenders.reshape(len(items), -1))
        by_position = of_lenders.by_position.reshape(*lenders.shape, -1)
        return Shares(
            shares.by_position + np.einsum("bcm,bcml->bcl", weights, by_position),
            shares.rest + (weights * of_lenders.rest.reshape(lenders.shape)).sum(axis=2),
            lenders,
            weights * of_lenders.total.reshape(lenders.shape),
        )

    def _source(self, name: str) -> Source:
        number, slot = self._slots[name]
        return self._readings[number].sources[slot]

    def _write(
        self, names: Sequence[str], rows: Sequence[int], items: Int32Array, scores: Float32Array, last: bool
    ) -> None:
        row_of = dict(zip(names, rows, strict=True))
        for reading, slots, members in self._grouped(names):
            write = reading.write_last_scores if last else reading.write_scores
            write(slots, [row_of[name] for name in members], items, scores)

    def _grouped(self, names: Sequence[str]) -> list[tuple[Reading, list[int], list[str]]]:
        """The readings that speak for the named sources, with their slots and names."""
        groups: dict[int, tuple[Reading, list[int], list[str]]] = {}
        for name in names:
            number, slot = self._slots[name]
            _, slots, members = groups.setdefault(number, (self._readings[number], [], []))
            slots.append(slot)
            members.append(name)
        return list(groups.values())
