"""The arrangement that a shop's rules make of ranked items, see docs/rules.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.half import halves
from recsys.core.queries import Queries
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int64Array, UInt16Array
from recsys.pipeline.arrange import Arranged, Arrangement
from recsys.pipeline.recommendations import Recommendations
from recsys.rules.arranging.kernels import Batch, Lists, arrange_lists
from recsys.rules.arranging.room import new_draft, new_mix, new_pool
from recsys.rules.arranging.table import MMR, ArrangingRule, RuleTable, read_only, rule_table

DEPTH = 100  # ranked items that are looked at to arrange a list


@dataclass(frozen=True)
class ArrangingRules:
    """All rules of a policy that arrange lists, made ready for a bundle, once.

    Attributes:
        table: the A rules.
        n_rules: R, how many rules the policy has, those that arrange nothing included.
        prices: float32 [N], NaN where an item has none.
        vectors: uint16 [N, D], the items' vectors as `recsys.core.half.halves`; [N, 0] where nobody asks for variety.
    """

    table: RuleTable
    n_rules: int
    prices: Float32Array
    vectors: UInt16Array

    @classmethod
    def of(
        cls,
        rules: Sequence[ArrangingRule],
        n_rules: int,
        prices: Float32Array,
        vectors: NDArray[np.floating] | None = None,
    ) -> Self:
        """Make the rules ready.

        Args:
            rules: A rules, the one of highest priority first. Of those of one kind that exclude each other (upsell,
                price_fit, mmr, calibrate) the first active one acts.
            n_rules: R, see above.
            prices: see above.
            vectors: [N, D], of any length: their cosines are compared. A contiguous float16 array is not copied. Rules
                of type mmr need them.

        Raises:
            ValueError: an array of a rule is not of N items, or a rule lacks groups or vectors.
        """
        table = rule_table(rules, len(prices))
        if not (table.kinds == MMR).any():
            return cls(table, n_rules, read_only(prices), read_only(np.zeros((len(prices), 0), np.uint16)))
        if vectors is None or len(vectors) != len(prices):
            raise ValueError(f"rules of type mmr need a vector for each of {len(prices)} items")
        return cls(table, n_rules, read_only(prices), read_only(halves(vectors)))

    def arrangement(self, active: BoolArray, mean_prices: Float64Array) -> RuleArrangement | None:
        """The arrangement for a batch of B queries; None where no rule is active.

        Args:
            active: bool [B, A], which rules act for each query.
            mean_prices: float64 [B], mean price of each history; NaN where it is not known.
        """
        if active.shape != (len(mean_prices), len(self.table.kinds)):
            raise ValueError(f"expected {len(self.table.kinds)} rules of {len(mean_prices)} queries: {active.shape}")
        if not active.any():
            return None
        return RuleArrangement(self, active, mean_prices, np.empty((len(active), 0), np.int64))


@dataclass(frozen=True)
class RuleArrangement(Arrangement):
    """An `Arrangement` by rules, for the B queries of one batch; see `ArrangingRules.arrangement`.

    Attributes:
        given: int64 [B, G], columns that the lists begin with; -1 behind them.
    """

    rules: ArrangingRules
    active: BoolArray
    mean_prices: Float64Array
    given: Int64Array
    depth: int = DEPTH

    def select(self, rows: Int64Array) -> RuleArrangement:
        """See `Arrangement.select`."""
        return replace(self, active=self.active[rows], mean_prices=self.mean_prices[rows], given=self.given[rows])

    def after(self, columns: Int64Array) -> RuleArrangement:
        """See `Arrangement.after`."""
        return replace(self, given=columns)

    def choose(self, queries: Queries, ranked: Recommendations, k: int) -> Arranged:
        """See `Arrangement.choose`."""
        rules, (size, depth), count = self.rules, ranked.items.shape, len(self.rules.table.kinds)
        histories = queries.histories
        batch = Batch(
            read_only(ranked.items),
            read_only(ranked.scores),
            read_only(ranked.popular),
            read_only(histories.indptr),
            read_only(histories.items),
            read_only(self.active),
            read_only(np.asarray(self.mean_prices, np.float64)),
            read_only(self.given),
        )
        lists = Lists(
            np.full((size, k), -1, np.int64),
            np.zeros((size, k, rules.n_rules), np.bool_),
            np.zeros((size, rules.n_rules), np.bool_),
        )
        longest = int(histories.lengths.max(initial=0))
        arrange_lists(
            batch,
            rules.prices,
            rules.vectors,
            rules.table,
            new_pool(depth, count, rules.table.groups.shape[1], rules.vectors.shape[1]),
            new_draft(k, depth, count),
            new_mix(longest, depth),
            np.empty(longest, np.uint64),
            lists,
        )
        return Arranged(*lists)
