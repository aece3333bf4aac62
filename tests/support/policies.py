"""Policies that tests make by hand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.core.queries import Queries
from recsys.core.types import BoolArray, Int32Array, Int64Array
from recsys.pipeline.allow import Among, Restriction
from recsys.pipeline.arrange import Arranged, Arrangement
from recsys.pipeline.policy import Plan, UserVectors


def unmoved(columns: Int64Array) -> Arranged:
    """Columns that no rule answers for."""
    return Arranged(columns, np.zeros((*columns.shape, 0), np.bool_), np.zeros((len(columns), 0), np.bool_))


def no_items(queries: Queries) -> Int32Array:
    """None for each query."""
    return np.empty((len(queries), 0), np.int32)


@dataclass(frozen=True)
class ArrangedBy:
    """A policy that wants an arrangement, and nothing else."""

    arrangement: Arrangement

    def plan(self, queries: Queries, k: int, vectors: UserVectors | None = None, filters: Sequence[Among] = ()) -> Plan:
        del k, vectors, filters
        return Plan(
            (), (), np.zeros((len(queries), 0), np.bool_), no_items(queries), no_items(queries), self.arrangement
        )

    def forbidding(self, queries: Queries, items: Int32Array) -> BoolArray:
        del queries
        return np.zeros((*items.shape, 0), np.bool_)

    def moving(self, queries: Queries) -> BoolArray:
        return np.zeros((len(queries), 0), np.bool_)

    def without(self, rules: Collection[str]) -> ArrangedBy:
        del rules
        return self


@dataclass(frozen=True)
class Asking:
    """A policy of one rule, which restricts lists, lets items come again and invites others; -1 is padding.

    Attributes:
        again, invited: by user row.
    """

    again: dict[int, list[int]]
    invited: dict[int, list[int]]
    restrictions: tuple[Restriction, ...] = ()
    arrangement: Arrangement | None = None

    def plan(self, queries: Queries, k: int, vectors: UserVectors | None = None, filters: Sequence[Among] = ()) -> Plan:
        del k, vectors, filters
        users = queries.users.tolist()
        restricting = np.full((len(users), 1), bool(self.restrictions))
        again, invited = (_padded([of.get(user, []) for user in users]) for of in (self.again, self.invited))
        return Plan(("asking",), self.restrictions, restricting, again, invited, self.arrangement)

    def forbidding(self, queries: Queries, items: Int32Array) -> BoolArray:
        forbidden = np.zeros(items.shape, np.bool_)
        for restriction in self.restrictions:
            forbidden |= ~restriction.allows(queries, items)
        return forbidden[..., None]

    def moving(self, queries: Queries) -> BoolArray:
        return np.full((len(queries), 1), self.arrangement is not None or bool(self.again))

    def without(self, rules: Collection[str]) -> Asking | None:
        return None if "asking" in rules else self


def _padded(rows: list[list[int]]) -> Int32Array:
    width = max(map(len, rows))
    return np.array([[*row, *[-1] * (width - len(row))] for row in rows], np.int32).reshape(len(rows), width)
