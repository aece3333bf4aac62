"""Policy: what a shop wants of its lists beside what their users like. `recsys.rules` makes one of rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from recsys.core.queries import Queries
from recsys.core.types import BoolArray, Float32Array, Int32Array
from recsys.pipeline.allow import Among, Restriction
from recsys.pipeline.arrange import Arrangement


@dataclass(frozen=True)
class Plan:
    """What a policy means for the lists of B queries.

    Attributes:
        rules: names of the policy's R rules, the same for every batch.
        restrictions: what items must pass beside what the request says.
        restricting: bool [B, R], which rules the restrictions of each query come from.
        again: int32 [B, P], items of the history that may be in the list again although seen ones are left out, padded
            with `NO_ITEM`. They are ranked as if they were not in the history, without a source that proposes them.
        invited: int32 [B, W], items that are ranked though no source proposes them, padded with `NO_ITEM`.
        arrangement: chooses what makes a list from more ranked items; None: the first k do.
        arranging: bool [B], the queries for which the arrangement may choose other items than the first k; None: all.
        placing: those of the rules that put items forward for the shop's sake (pin, promote, boost, upsell), not for
            the list's: an item that they brought must not be said to be there for what its user likes.
        offered_by: rules that let items come again, by their columns, with their part of `again`, int32 [B, P] each.
    """

    rules: tuple[str, ...]
    restrictions: tuple[Restriction, ...]
    restricting: BoolArray
    again: Int32Array
    invited: Int32Array
    arrangement: Arrangement | None = None
    arranging: BoolArray | None = None
    placing: frozenset[str] = frozenset()
    offered_by: tuple[tuple[int, Int32Array], ...] = ()


UserVectors = Callable[[], Float32Array]


class Policy(Protocol):
    """Says what is wanted of lists. A function of queries alone, so that whoever changes a history asks again."""

    def plan(
        self, queries: Queries, k: int, vectors: UserVectors | None = None, filters: Sequence[Among] = ()
    ) -> Plan | None:
        """What is wanted of lists of k items; None: nothing beside what the request says, for none of them.

        Args:
            queries: B queries.
            k: see above.
            vectors: gives the vectors float32 [B, D] that the primary source makes of their users, where somebody has
                them anyway; None: a policy that needs them makes them.
            filters: of the request: what they forbid need not be invited.
        """

    def forbidding(self, queries: Queries, items: Int32Array) -> BoolArray:
        """Bool [B, C, R], which rules of `Plan.rules` forbid each of the items [B, C] in the list of its query."""

    def moving(self, queries: Queries) -> BoolArray:
        """Bool [B, R], which rules of `Plan.rules` may move items of each query that they do not forbid.

        Those are among them that do nothing as long as another of them acts.
        """

    def without(self, rules: Collection[str]) -> Policy | None:
        """The policy without some of its rules, by name; None: nothing is left of it."""
