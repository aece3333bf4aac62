"""Evidence of why an item is in a list, or is not: the list is made, and what made it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from recsys.bundle.layout import FULL
from recsys.core.queries import Queries
from recsys.explain.counterfactual import counterfactual
from recsys.explain.errors import QuestionError
from recsys.explain.evidence import Counterfactual, Evidence, HistoryShare, Stage
from recsys.explain.history_shares import score_parts
from recsys.explain.kept_out import kept_out_by
from recsys.explain.leave_one_out import leave_one_out
from recsys.explain.opinions import opinions
from recsys.explain.question import Question
from recsys.explain.reference import contributions_of
from recsys.explain.stages import standing_of
from recsys.pipeline.allow import ExcludeSeen, Restriction
from recsys.pipeline.policy import Policy
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.trace import Trace
from recsys.sources.base import Source

Depth = Literal["cheap", "full"]

_UNRESTRICTED: Mapping[str, Restriction] = MappingProxyType({})


@dataclass(frozen=True)
class Explainer:
    """Explains the lists of a recommender and of its sources alone.

    Attributes:
        recommender: the full pipeline.
        source: gives the source of a name, each that a list can be asked for by.
    """

    recommender: Recommender
    source: Callable[[str], Source]

    def explain(
        self,
        query: Queries,
        item: int,
        k: int,
        *,
        model: str = FULL,
        exclude_seen: ExcludeSeen = True,
        restrictions: Mapping[str, Restriction] = _UNRESTRICTED,
        policy: Policy | None = None,
        reference: int | None = None,
        depth: Depth = "full",
    ) -> Evidence:
        """What is known of why an item stands where it does.

        Args:
            query: a single one.
            item: row of any item of the catalogue, in the list or not.
            k: length of the list. It is part of the question: with k, candidates and finalists change.
            model: the full pipeline, or the name of a source.
            exclude_seen: see `Recommender.recommend`.
            restrictions: likewise, by the names under which the evidence tells of them.
            policy: likewise.
            reference: item row to compare with, one that is ranked; None: see `contributions_of`.
            depth: "full" runs the recommender again without items of the history and without rules, "cheap" does not.

        Raises:
            QuestionError: the reference was not ranked, or is the item; no such item; or not one query.
        """
        only = None if model == FULL else self.source(model)
        question = Question(self.recommender, k, only, exclude_seen, restrictions, policy)
        self._require(query, item)
        trace = question.trace(query)
        standing = standing_of(question, trace, item)
        contributions = contributions_of(question, trace, item, standing, reference)
        parts = score_parts(question, trace, item)
        history, left_out = parts.history, None
        if depth == "full":
            standing = replace(standing, kept_out_by=kept_out_by(question, trace, item, standing))
            history, left_out = _deep(question, trace, item, parts.history, listed=standing.stage == Stage.LISTED)
        return Evidence(
            item=item,
            model=model,
            k=k,
            standing=standing,
            contributions=contributions,
            sources=opinions(question, trace, item, parts),
            history=history,
            borrowed=parts.borrowed,
            counterfactual=left_out,
            features=self._features(trace, item),
        )

    def _require(self, query: Queries, item: int) -> None:
        if len(query) != 1:
            raise QuestionError("one query", f"{len(query)} of them", "ask for one user or session at a time")
        n_items = self.recommender.primary.n_items
        if not 0 <= item < n_items:
            raise QuestionError(f"an item of the {n_items:,} rows", f"row {item}", "name an item of the catalogue")

    def _features(self, trace: Trace, item: int) -> Mapping[str, float]:
        """What the ranker read of the item, by name; empty where it did not see it."""
        if trace.ranked is None or self.recommender.ranker is None:
            return {}
        column = trace.ranked.finalists.column(0, item)
        if column is None:
            return {}
        read = trace.ranked.features[0, column].tolist()
        return dict(zip(self.recommender.ranker.features.names, read, strict=True))


def _deep(
    question: Question, trace: Trace, item: int, history: tuple[HistoryShare, ...], *, listed: bool
) -> tuple[tuple[HistoryShare, ...], Counterfactual | None]:
    """What becomes of the item without items of the history; what it is in the list for, if it is."""
    shares, outcomes = leave_one_out(question, trace.queries, item, history)
    if not listed or not outcomes:
        return shares, None
    shown = set(trace.lists.items[0].tolist())
    return shares, counterfactual(question, trace.queries, item, outcomes, shown)
