"""How a list mixes groups of items (categories, brands) beside the mix of its user's history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recsys.core.histories import Histories
from recsys.core.types import Float64Array, Int32Array, Int64Array
from recsys.measure.metrics import Relevant
from recsys.measure.results import VarietyResults
from recsys.measure.tally import Summary
from recsys.prepare import columns as c

NO_GROUP = -1
SMOOTHING = 0.01  # Steck's alpha: the part of the history's mix that is taken to be in every list

By = Literal["category", "brand"]
GROUPINGS: tuple[By, ...] = ("category", "brand")
OF_LAST, ALL_OF_LAST, COVERED, DIVERGENCE = "of_last", "all_of_last", "covered", "divergence"
CHOICES = "choices"
FIGURES = (OF_LAST, ALL_OF_LAST, COVERED, DIVERGENCE)


@dataclass(frozen=True)
class Variety:
    r"""Figures of the mix of groups in lists, of the users whose history has an item with a group.

    The *last group* is that of the latest item of the history that has one. With p(g) the share of group g among the
    history's items that have a group, and q(g) its share among those of the list:

    * of_last: share of the list's items in the last group
    * all_of_last: 1 if all of them are, else 0
    * covered: share of the history's distinct groups with an item in the list
    * divergence: \sum_g p(g) log(p(g) / ((1 - alpha) q(g) + alpha p(g))), alpha = .01, natural logarithm: the
      calibration error of Steck, 2018, "Calibrated Recommendations"; 0 where both mixes are the same

    An item without a group is in none of them. A list without a grouped item covers nothing, and has the divergence
    log(1 / alpha).

    Attributes:
        groups: int32 [n_items], the group of each item; `NO_GROUP` where it has none.
    """

    groups: Int32Array

    @classmethod
    def of_items(cls, items: pd.DataFrame, by: By) -> Self:
        """By the finest category (the last one) or the brand of a prepared dataset's items."""
        return cls(_numbered(_finest(items[c.CATEGORIES]) if by == "category" else items[c.BRAND]))

    @property
    def known_share(self) -> float:
        """Share of the catalogue with a group."""
        return float((self.groups != NO_GROUP).mean()) if len(self.groups) else 0.0

    def last(self, histories: Histories) -> Int32Array:
        """int32 [B], the last group of each history; `NO_GROUP` where no item has one."""
        groups = self.groups[histories.items]
        grouped = groups != NO_GROUP
        last = np.full(len(histories), NO_GROUP, np.int32)
        last[histories.rows[grouped]] = groups[grouped]  # of several assignments the last one holds
        return last

    def of(self, lists: NDArray[np.integer], histories: Histories) -> dict[str, Float64Array]:
        """`FIGURES` float64 [B] of lists [B, K] padded with `NO_ITEM`; NaN for a history without a group."""
        last = self.last(histories)
        counted = np.where(last != NO_GROUP, 0.0, np.nan)
        # Row -1 is that of padding, as of any item without a group.
        groups = np.append(self.groups, np.int32(NO_GROUP))[lists]
        lengths = (lists >= 0).sum(axis=1)
        of_last = ((groups == last[:, None]) & (groups != NO_GROUP)).sum(axis=1)
        covered, divergence = self._against(groups, histories)
        return {
            OF_LAST: of_last / np.maximum(lengths, 1) + counted,
            ALL_OF_LAST: ((of_last == lengths) & (lengths > 0)) + counted,
            COVERED: covered + counted,
            DIVERGENCE: divergence + counted,
        }

    def of_choices(self, chosen: Relevant, histories: Histories) -> Float64Array:
        """Share float64 [B] of what users chose that is in the last group; NaN without choices or last group."""
        last = self.last(histories)[chosen.owners]
        of_last = np.bincount(chosen.owners, (self.groups[chosen.items] == last) & (last != NO_GROUP), len(histories))
        counted = (chosen.counts > 0) & (self.last(histories) != NO_GROUP)
        return np.where(counted, of_last / np.maximum(chosen.counts, 1), np.nan)

    def _against(self, groups: Int32Array, histories: Histories) -> tuple[Float64Array, Float64Array]:
        """Covered share and divergence float64 [B] of lists of groups [B, K]; 0 for a history without a group."""
        users = len(histories)
        wanted, wanted_counts = self._counts(histories.rows, self.groups[histories.items])
        listed, listed_counts = self._counts(np.repeat(np.arange(users), groups.shape[1]), groups.ravel())
        owners = wanted // self._stride
        p = wanted_counts / np.bincount(owners, wanted_counts, users)[owners]
        counts = np.zeros(len(wanted))
        if len(listed):
            at = np.minimum(np.searchsorted(listed, wanted), len(listed) - 1)
            counts = np.where(listed[at] == wanted, listed_counts[at], 0)
        q = counts / np.maximum((groups != NO_GROUP).sum(axis=1), 1)[owners]
        terms = p * np.log(p / ((1 - SMOOTHING) * q + SMOOTHING * p))
        distinct = np.bincount(owners, minlength=users)
        covered = np.bincount(owners, counts > 0, users) / np.maximum(distinct, 1)
        return covered, np.bincount(owners, terms, users).astype(np.float64)

    @property
    def _stride(self) -> int:
        return int(self.groups.max(initial=0)) + 1

    def _counts(self, rows: Int64Array, groups: Int32Array) -> tuple[Int64Array, Int64Array]:
        """The distinct pairs of row and group, in order, as row * stride + group; and how often each occurs."""
        grouped = groups != NO_GROUP
        return np.unique(rows[grouped].astype(np.int64) * self._stride + groups[grouped], return_counts=True)


class VarietyTally:
    """The variety of several systems' lists by one grouping, for the same U users."""

    def __init__(self, variety: Variety, systems: Sequence[str], n_users: int) -> None:
        self._variety = variety
        self._figures = {name: {figure: np.full(n_users, np.nan) for figure in FIGURES} for name in systems}
        self._choices = np.full(n_users, np.nan)

    def add(self, rows: slice, histories: Histories, lists: Mapping[str, Int32Array], chosen: Relevant) -> None:
        """Count the lists [B, K] of every system for the users in `rows`, and what these chose."""
        for name, table in self._figures.items():
            for figure, column in self._variety.of(lists[name], histories).items():
                table[figure][rows] = column
        self._choices[rows] = self._variety.of_choices(chosen, histories)

    def results(self, samples: int, seed: int) -> VarietyResults | None:
        """Means with intervals; None where no history has a group."""
        lists = Summary(self._figures, samples, seed)
        if not lists.users:
            return None
        choices = Summary({CHOICES: {OF_LAST: self._choices}}, samples, seed)
        return {
            "users": lists.users,
            "known_share": self._variety.known_share,
            "systems": lists.table(),
            "choices": {"users": choices.users, "figures": choices.table().get(CHOICES)},
        }


def _finest(categories: Iterable[Sequence[str] | None]) -> list[str | None]:
    return [None if names is None or not len(names) else names[-1] for names in categories]


def _numbered(names: Iterable[object]) -> Int32Array:
    """Groups by name; no text, or an empty one, is none."""
    numbers: dict[str, int] = {}
    given = (numbers.setdefault(name, len(numbers)) if isinstance(name, str) and name else NO_GROUP for name in names)
    return np.fromiter(given, np.int32)
