"""One item of one user: all that the families of facts read of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from recsys.bundle import ItemRecord
from recsys.core.histories import Histories
from recsys.explain.actions import Action, nothing_known
from recsys.explain.coalitions import HISTORY
from recsys.explain.evidence import Evidence, HistoryShare, SourceOpinion
from recsys.explain.fact import Fact, Kind, Polarity, Unit
from recsys.explain.facts.base import FactBase

MOST_RECENT = 100  # items of a history that facts look at


@dataclass(frozen=True)
class Past:
    """A history, and what the user did.

    Attributes:
        items: rows, oldest first.
        actions: at each position.
    """

    items: tuple[int, ...]
    actions: tuple[Action, ...]

    @classmethod
    def of(cls, histories: Histories, actions: Sequence[Action] | None = None) -> Self:
        """Of one query, B = 1; no `actions`: nothing is known of them."""
        return cls(tuple(histories.items.tolist()), tuple(nothing_known(histories) if actions is None else actions))

    def last_action(self, item: int) -> Action:
        """What the user did with an item the last time."""
        return next(
            (action for row, action in zip(self.items[::-1], self.actions[::-1], strict=True) if row == item), None
        )


@dataclass(frozen=True)
class Case:
    """What facts are collected from.

    Attributes:
        evidence: of the item.
        base: the numbers of all items.
        past: of the user.
    """

    evidence: Evidence
    base: FactBase
    past: Past

    @property
    def item(self) -> int:
        """Row of the item that is explained."""
        return self.evidence.item

    @property
    def reference(self) -> int | None:
        """Row of the item that it is compared with."""
        return self.evidence.contributions.reference if self.evidence.contributions else None

    @cached_property
    def recent(self) -> tuple[int, ...]:
        """Distinct items of the history but the explained one, latest first, at most `MOST_RECENT`."""
        return tuple(item for item in dict.fromkeys(self.past.items[::-1]) if item != self.item)[:MOST_RECENT]

    @cached_property
    def _whole(self) -> bool:
        """Whether facts look at the whole history."""
        return len(set(self.past.items) - {self.item}) <= MOST_RECENT

    @cached_property
    def records(self) -> Mapping[int, ItemRecord]:
        """What the catalogue knows of the item and of the recent ones."""
        return {record.row: record for record in self.base.catalogue.items((self.item, *self.recent))}

    def title(self, item: int) -> str:
        """Of a recent item; empty where it has none."""
        return self.records[item].title or ""

    @cached_property
    def groups(self) -> Mapping[str, float]:
        """Contributions by group."""
        contributions = self.evidence.contributions
        return {} if contributions is None else {group.group: group.value for group in contributions.groups}

    def group(self, *names: str) -> float | None:
        """What groups contribute together; None where it was computed of none of them."""
        values = [self.groups[name] for name in names if name in self.groups]
        return sum(values) if values else None

    @cached_property
    def alone(self) -> str | None:
        """The source whose score is final, where it is one and no hybrid: its history is a group of its own."""
        sources = self.evidence.sources
        only = sources[0].source if len(sources) == 1 else None
        return only if only in self.groups and HISTORY in self.groups else None

    def compared(self, source: str) -> bool:
        """Whether it is known what the source contributes, or nothing was compared at all."""
        return not self.groups or source in self.groups

    def history_strength(self, share: HistoryShare, source: str) -> float:
        """What a history item's share of a source's score stands for.

        It is the source's contribution, in proportion to all that speaks for the item in the source's score; where
        nothing was compared, the share times the source's weight in the source sum.
        """
        given = share.shares.get(source, 0.0)
        if given <= 0:
            return 0.0
        if not self.groups:
            return given * self.opinions[source].weight
        if self.alone == source:
            return self.groups[HISTORY] * given / self.speaking[source]
        return self.groups[source] * given / (self.speaking[source] + max(self.opinions[source].rest, 0.0))

    def rest_strength(self, source: str) -> float:
        """The same for what is no history item's share."""
        rest = self.opinions[source].rest
        if rest <= 0:
            return 0.0
        if not self.groups:
            return rest * self.opinions[source].weight
        if self.alone == source:
            return self.groups[source]
        return self.groups[source] * rest / (self.speaking[source] + rest)

    @cached_property
    def opinions(self) -> Mapping[str, SourceOpinion]:
        """By source."""
        return {opinion.source: opinion for opinion in self.evidence.sources}

    @cached_property
    def speaking(self) -> Mapping[str, float]:
        """By source, all shares of items of the history that speak for the item."""
        shares = [share.shares for share in self.evidence.history]
        return {source: sum(max(of_item.get(source, 0.0), 0.0) for of_item in shares) for source in self.opinions}

    def of_items(self, kind: Kind, value: str, unit: Unit, items: Sequence[int], strength: float) -> Fact:
        """A personal fact about items of the history, the latest first.

        It is told of those that are not sensitive. Where there is no other, value and item are withheld. Of a history
        that is not looked at as a whole nobody knows how many there are: the fact speaks of the latest alone.
        """
        told = [item for item in items if not self.base.sensitive[item]]
        named = unit == "category" and self.base.sensitive_names.match(value)
        if named or not told:
            return Fact("", kind, "", unit, None, None, len(items), polarity(strength), strength, True, True)
        action, count = self.past.last_action(told[0]), len(told) if self._whole else 1
        return Fact("", kind, value, unit, told[0], action, count, polarity(strength), strength, personal=True)


def polarity(strength: float) -> Polarity:
    """Only what contributes speaks for an item."""
    return "for" if strength > 0 else "against"
