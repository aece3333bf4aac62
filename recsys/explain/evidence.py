"""Evidence: all that is known of why an item stands where it does in the list of a query. Items are rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Compared = Literal["score", "source_sum"]


class Stage(StrEnum):
    """How far an item came on the way to a list."""

    LISTED = "listed"
    """It is in the list, by its score."""
    FILLED = "filled"
    """It is in the list because it is popular: sources had too few items."""
    ARRANGED = "arranged"
    """It was ranked among the first, and an arrangement preferred others."""
    RANKED = "ranked"
    """The ranker saw it, and put it behind the list's last item."""
    CANDIDATE = "candidate"
    """A source proposed it, and its source sum was too low for the ranker to see it."""
    FORBIDDEN = "forbidden"
    """What was asked for, or a rule of the shop, forbids it."""
    UNPROPOSED = "unproposed"
    """No source proposed it."""


@dataclass(frozen=True)
class Contribution:
    """What a group of numbers gives to the difference of an item's score and the reference's.

    Attributes:
        group: heading of the features, or name of the source.
        value: in units of the score.
    """

    group: str
    value: float


@dataclass(frozen=True)
class Contributions:
    """Shapley values of the groups; together they are the difference of both scores.

    Attributes:
        score: of the item.
        reference: the item that it is compared with; None: there is none. A source's score is then compared with 0, the
            ranker's with that of a candidate of which nothing is known, whose numbers are all 0.
        reference_score: of that.
        groups: by falling absolute value.
        additivity_error: |sum of the groups - (score - reference_score)|.
        exact: whether the values are those of all coalitions; False where there were too many groups for that.
        of: what is compared: final scores; or source sums, of a candidate that the ranker did not see and of the last
            one that it did.
    """

    score: float
    reference: int | None
    reference_score: float
    groups: tuple[Contribution, ...]
    additivity_error: float
    exact: bool = True
    of: Compared = "score"


@dataclass(frozen=True)
class HistoryShare:
    """What an item of the history does for the explained item.

    Attributes:
        item: of the history.
        positions: where in the history it stands, 0 for the oldest.
        shares: by source, what it gives to the source's score; 0 where nothing.
        total: the shares, each times its source's weight in the source sum, together.
        rank_without: rank of the explained item among all ranked, from 1, if the user had never had to do with this
            item; None where it is not ranked then, or where that was not tried.
        score_without: the final score then; None likewise.
        tried: whether the recommender was run without it.
    """

    item: int
    positions: tuple[int, ...]
    shares: Mapping[str, float]
    total: float
    rank_without: int | None = None
    score_without: float | None = None
    tried: bool = False


@dataclass(frozen=True)
class Borrowed:
    """What an item that nobody has chosen yet borrows of items of similar text.

    Attributes:
        source: whose score is borrowed.
        lenders: by item, what it lends.
    """

    source: str
    lenders: Mapping[int, float]


@dataclass(frozen=True)
class Counterfactual:
    """The smallest set found of the user's own actions without which the item leaves the first k.

    Attributes:
        without: items of the history, in the order in which the search took them; empty: no set of at most three was
            found.
        rank: of the item among all ranked then, None where it is not ranked then, or where no set was found.
        replacement: what comes into the list then; None where nothing does.
    """

    without: tuple[int, ...]
    rank: int | None
    replacement: int | None


@dataclass(frozen=True)
class SourceOpinion:
    """What a source thinks of the item.

    Attributes:
        source: its name.
        score: 0 where it has none.
        weight: in the source sum; 0 where the score is borrowed.
        rank: among all items that the list may hold, from 1; None where it has no score.
        depth: how many items it proposes; 0 for one that only scores.
        proposed: whether it proposed the item.
        rest: of the score, what is no item of the history's share.
    """

    source: str
    score: float
    weight: float
    rank: int | None
    depth: int
    proposed: bool
    rest: float


@dataclass(frozen=True)
class Standing:
    """How far the item came.

    Attributes:
        stage: the last one it reached.
        rank: in the list; for a ranked item, among all ranked; None for others.
        score: final; of an item that fills the list up its popularity, as in the list; NaN for others.
        source_sum: see `recsys.pipeline.candidate_scorer.CandidateScorer`; NaN where it is no candidate, and where no
            ranker asks for a sum.
        sum_rank: among the candidates in the order in which they become finalists; None where it is no candidate.
        gate: the source sum of the last finalist; NaN where all candidates are finalists.
        set_back: whether it stands behind all others at the gate, whatever its sum, because it repeats a choice.
        forbidden_by: names of the restrictions that forbid it.
        ruled_out_by: ids of the shop's rules that forbid it.
        rank_before: rank of an item of the list before the shop's rules moved anything; None where no rule is in force.
        moved_by: ids of the shop's rules that put an item of the list where it is.
        placed_by: those of them that put it forward for the shop's sake, see `recsys.pipeline.policy.Plan`; others move
            it for the list's, such as for its variety.
        cut: whether rules of the shop may have taken items of the model's from the list that it is in.
        kept_out_by: ids of the shop's rules that keep out an item that they do not forbid, see
            `recsys.explain.kept_out`; empty at depth cheap.
    """

    stage: Stage
    rank: int | None = None
    score: float = float("nan")
    source_sum: float = float("nan")
    sum_rank: int | None = None
    gate: float = float("nan")
    set_back: bool = False
    forbidden_by: tuple[str, ...] = ()
    ruled_out_by: tuple[str, ...] = ()
    rank_before: int | None = None
    moved_by: tuple[str, ...] = ()
    placed_by: tuple[str, ...] = ()
    cut: bool = False
    kept_out_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """All of it for one item of one query.

    Attributes:
        item: explained.
        model: the full pipeline, or a source.
        k: length of the list.
        standing: how far it came.
        contributions: to what sets its score apart from the reference's; None for an item that was not scored, for a
            popular one that fills the list up, and where nothing else was scored.
        sources: opinions; of the ranker's sources in their order, or of the one source that was asked for.
        history: at depth full the item first without which the explained one falls furthest, those that were not tried
            last; at depth cheap by falling absolute total.
        borrowed: scores that are borrowed.
        counterfactual: None where it was not looked for: of items that are not in the list by their scores, without a
            history, and at depth cheap.
        features: what the ranker read of it, by name; empty where it did not see the item.
    """

    item: int
    model: str
    k: int
    standing: Standing
    contributions: Contributions | None
    sources: tuple[SourceOpinion, ...]
    history: tuple[HistoryShare, ...]
    borrowed: tuple[Borrowed, ...]
    counterfactual: Counterfactual | None
    features: Mapping[str, float]
