"""Several sources asked about one batch of queries; what they share is computed once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.core.queries import Candidates, Queries
from recsys.core.types import Float32Array, Int32Array, Int64Array
from recsys.sources.base import Reading, Source
from recsys.sources.lending import Loans
from recsys.sources.shares import Shares


def read(sources: Sequence[Source], queries: Queries) -> Readings:
    """Get ready to ask the sources once; see `Panel` for sources that are asked again and again."""
    return Panel(sources).read(queries)


@dataclass(frozen=True)
class _Part:
    """A part of a question, for one of the readings.

    Attributes:
        reading: its number.
        slots: int64, of the sources asked, in the reading.
        rows: int64, of the answer, one for each of them.
    """

    reading: int
    slots: Int64Array
    rows: Int64Array


@dataclass(frozen=True)
class _Plan:
    """How a question to named sources is parted.

    Attributes:
        everyone: the parts of all.
        proud: of those that do not borrow.
        borrowing: of those that do; their rows are counted among these alone.
        borrowers: int64, which of all these are.
    """

    everyone: list[_Part]
    proud: list[_Part]
    borrowing: list[_Part]
    borrowers: Int64Array


class Panel:
    """Sources that are asked together, parted among readings once and for all.

    Attributes:
        sources: by name.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        """Take sources of different names, at least one; those that propose come before others, which spares work."""
        groups: dict[Hashable, list[Source]] = {}
        for source in sources:
            groups.setdefault(source.reading if source.reading.together else source.name, []).append(source)
        self.sources = {source.name: source for source in sources}
        self._groups = list(groups.values())
        self._slots = {
            source.name: (number, slot)
            for number, members in enumerate(self._groups)
            for slot, source in enumerate(members)
        }
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def read(self, queries: Queries) -> Readings:
        """Get ready to ask about B queries. Nothing is computed before it is asked for."""
        return Readings(self, [members[0].reading(members, queries) for members in self._groups], queries)

    def plan(self, names: tuple[str, ...]) -> _Plan:
        """How to ask the sources of these names."""
        if names not in self._plans:
            borrows = np.array([self.sources[name].borrows for name in names], np.bool_)
            borrowers, proud = np.flatnonzero(borrows), np.flatnonzero(~borrows)
            self._plans[names] = _Plan(
                self._parts(names, np.arange(len(names))),
                self._parts([names[row] for row in proud], proud),
                self._parts([names[row] for row in borrowers], np.arange(len(borrowers))),
                borrowers,
            )
        return self._plans[names]

    def _parts(self, names: Sequence[str], rows: Int64Array) -> list[_Part]:
        of_readings: dict[int, list[tuple[int, int]]] = {}
        for name, row in zip(names, rows.tolist(), strict=True):
            number, slot = self._slots[name]
            of_readings.setdefault(number, []).append((slot, row))
        return [_Part(number, *np.array(pairs, np.int64).T.copy()) for number, pairs in of_readings.items()]


class Readings:
    """What several sources say of a batch of B queries.

    Attributes:
        queries: the batch.
    """

    def __init__(self, panel: Panel, readings: Sequence[Reading], queries: Queries) -> None:
        """See `Panel.read`; the first of the readings is the first source's."""
        self.queries, self._panel, self._readings = queries, panel, readings

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
        return Readings(self._panel, [reading.select(rows, queries) for reading in self._readings], queries)

    def propose(self, depths: Mapping[str, int], *, exclude_seen: bool = True) -> list[Candidates]:
        """The best items of sources, in the order of their names.

        Args:
            depths: how many items each source is asked for, by name.
            exclude_seen: leave out the items of the history.
        """
        of_rows = list(depths.values())
        lists: dict[int, Candidates] = {}
        for part in self._panel.plan(tuple(depths)).everyone:
            rows = part.rows.tolist()
            asked = [of_rows[row] for row in rows]
            proposed = self._readings[part.reading].propose(part.slots.tolist(), asked, exclude_seen=exclude_seen)
            lists.update(zip(rows, proposed, strict=True))
        return [lists[row] for row in range(len(of_rows))]

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
        return self._with_loans(names, items, loans, last=last)[1]

    def own_and_lent(self, names: Sequence[str], items: Int32Array, loans: Loans) -> tuple[Float32Array, Float32Array]:
        """The scores of `scores` without what is borrowed, and with it; the same array where nothing can be."""
        return self._with_loans(names, items, loans, last=False)

    def _with_loans(
        self, names: Sequence[str], items: Int32Array, loans: Loans | None, *, last: bool
    ) -> tuple[Float32Array, Float32Array]:
        scores = np.empty((len(names), *items.shape), np.float32)
        plan = self._panel.plan(tuple(names))
        wide = items if loans is None else loans.with_lenders(items)
        if loans is None or wide is items:
            self._write(plan.everyone, items, scores, last)
            return scores, scores
        self._write(plan.proud, items, scores, last)
        of_lenders = np.empty((len(plan.borrowers), *wide.shape), np.float32)
        self._write(plan.borrowing, wide, of_lenders, last)
        own = scores.copy()
        own[plan.borrowers] = of_lenders[..., : items.shape[1]]
        loans.fill(of_lenders, items, plan.borrowers, scores)
        return own, scores

    def _write(self, parts: Sequence[_Part], items: Int32Array, scores: Float32Array, last: bool) -> None:
        for part in parts:
            reading = self._readings[part.reading]
            write = reading.write_last_scores if last else reading.write_scores
            write(part.slots, part.rows, items, scores)

    def why(self, name: str, items: Int32Array, loans: Loans | None = None) -> Shares:
        """What a source's scores of the items int32 [B, C] are made of, the borrowed ones also by lender.

        Args:
            name: of the source.
            items: padded with `NO_ITEM`.
            loans: see `scores`.
        """
        source = self._panel.sources[name]
        shares = source.why(self.queries, items)
        if loans is None or not source.borrows:
            return shares
        lenders, weights = loans.of_items(items, self.scores([name], items)[0] == 0)
        if not weights.any():
            return shares
        of_lenders = source.why(self.queries, lenders.reshape(len(items), -1))
        by_position = of_lenders.by_position.reshape(*lenders.shape, shares.by_position.shape[2])
        return Shares(
            shares.by_position + np.einsum("bcm,bcml->bcl", weights, by_position),
            shares.rest + (weights * of_lenders.rest.reshape(lenders.shape)).sum(axis=2),
            lenders,
            weights * of_lenders.total.reshape(lenders.shape),
        )
