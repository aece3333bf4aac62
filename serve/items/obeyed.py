"""What the shop's rules leave of lists of items that are the same for everyone: popular items, and similar ones.

Of the shop's rules only those that hide or require items mean something here: all others are about the lists of users.
A rule with a condition counts where that reads no field of the user, and is true for the context of the request. One of
a scenario counts where the request names it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from recsys.core.queries import Queries
from recsys.core.types import BoolArray
from recsys.pipeline.recommendations import names_of
from recsys.rules.policy import BoundRules, CompiledRules, Context


@dataclass
class Obeyed:
    """The rules for one such list.

    Attributes:
        policy: those of its scenario; None: there are none.
        forbidding: which of them forbade an item so far.
    """

    policy: BoundRules | None
    forbidding: BoolArray

    @classmethod
    def of(cls, rules: CompiledRules, scenario: str | None, context: Context) -> Self:
        """Those of the shop's rules that a list without a user obeys."""
        policy = rules.for_anyone.bound(scenario, context)
        return cls(policy, np.zeros(0 if policy is None else len(policy.rules), np.bool_))

    def allowed(self, rows: Sequence[int]) -> list[int]:
        """Those of the item rows that may be listed, in their order."""
        if self.policy is None or not rows:
            return list(rows)
        items = np.array(rows, np.int32)
        query = replace(Queries.nobody(), now=np.array([int(time.time())], np.int64))
        (forbidden,) = self.policy.forbidding(query, items[None])
        self.forbidding |= forbidden.any(axis=0)
        kept: list[int] = items[~forbidden.any(axis=1)].tolist()
        return kept

    @property
    def rules(self) -> list[str]:
        """Ids of the rules that forbade an item so far."""
        return [] if self.policy is None else names_of(self.policy.names, self.forbidding)
