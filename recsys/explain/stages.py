"""How far an item came on the way to the list, and what kept it back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys.explain.evidence import Stage, Standing
from recsys.explain.question import Question
from recsys.pipeline.allow import PURCHASES, Restriction, Unbought, Unseen
from recsys.pipeline.ranker import RankedCandidates, Ranker
from recsys.pipeline.recommendations import Moves, names_of
from recsys.pipeline.trace import Trace

SEEN, BOUGHT = "seen", "bought"  # names of the restrictions about the user's own items


def standing_of(question: Question, trace: Trace, item: int) -> Standing:
    """How far the item came for the only query of the trace."""
    standing = _at_the_end(question, trace, item)
    ranker = question.recommender.ranker
    if trace.ranked is None or ranker is None or not ranker.scorer.weights:
        return standing
    return _at_the_gate(standing, ranker, trace, trace.ranked, item)


def ruled_out_by(question: Question, trace: Trace, item: int) -> tuple[str, ...]:
    """Ids of the shop's rules that forbid the item to the only query of the trace."""
    if question.policy is None or trace.plan is None:
        return ()
    forbidding = question.policy.forbidding(trace.queries, np.array([[item]], np.int32))[0, 0]
    return tuple(names_of(trace.plan.rules, forbidding))


def forbidden_by(question: Question, trace: Trace, item: int) -> tuple[str, ...]:
    """Names of the restrictions that forbid the item to the only query of the trace; rules of the shop aside."""
    own: dict[str, Restriction] = {}
    again = trace.plan is not None and bool((trace.plan.again[0] == item).any())
    if question.exclude_seen and not again:
        own = {BOUGHT: Unbought()} if question.exclude_seen == PURCHASES else {SEEN: Unseen()}
    restrictions = {**own, **question.restrictions}
    items = np.array([[item]], np.int32)
    return tuple(name for name, one in restrictions.items() if not one.allows(trace.queries, items)[0, 0])


def _at_the_end(question: Question, trace: Trace, item: int) -> Standing:
    """Stage, rank and final score."""
    lists = trace.lists
    places = np.flatnonzero(lists.items[0] == item)
    if len(places):
        stage = Stage.FILLED if lists.popular[0, places[0]] else Stage.LISTED
        standing = Standing(stage, int(places[0]) + 1, float(lists.scores[0, places[0]]))
        return _moved(standing, lists.moves, int(places[0]))
    forbidden, ruled_out = forbidden_by(question, trace, item), ruled_out_by(question, trace, item)
    if forbidden or ruled_out or not trace.allowed.allows(trace.queries, np.array([[item]], np.int32))[0, 0]:
        return Standing(Stage.FORBIDDEN, forbidden_by=forbidden, ruled_out_by=ruled_out)
    column = int(trace.columns(item)[0])
    if column >= 0:
        stage = Stage.ARRANGED if column < trace.k else Stage.RANKED
        return Standing(stage, column + 1, float(trace.scores(item)[0]))
    candidate = trace.ranked is not None and trace.ranked.candidates.column(0, item) is not None
    return Standing(Stage.CANDIDATE if candidate else Stage.UNPROPOSED)


def _moved(standing: Standing, moves: Moves | None, place: int) -> Standing:
    """With what the shop's rules did to the item at that place of the list."""
    if moves is None or not moves.rules:
        return standing
    rules = tuple(names_of(moves.rules, moves.moved_by[0, place]))
    return replace(
        standing,
        rank_before=int(moves.ranks_before[0, place]),
        moved_by=rules,
        placed_by=tuple(rule for rule in rules if rule in moves.placing),
        cut=bool(moves.cut[0]),
    )


def _at_the_gate(standing: Standing, ranker: Ranker, trace: Trace, ranked: RankedCandidates, item: int) -> Standing:
    """With the source sum, and how the candidates passed by it."""
    candidates, allowed = ranked.candidates, trace.allowed
    own = candidates.column(0, item)
    if own is None:
        return standing
    order = ranker.gate_order(trace.queries, candidates, repeats=allowed.repeats, invited=trace.invited)[0]
    ahead = (order > order[own]).sum() + (order[:own] == order[own]).sum()
    finalists = ranked.finalists
    parted = finalists.items.shape[1] < candidates.items.shape[1]
    return replace(
        standing,
        source_sum=float(candidates.sums[0, own]),
        sum_rank=int(ahead) + 1,
        gate=float(finalists.sums[0, -1]) if parted else float("nan"),
        set_back=bool(order[own] == -np.inf),
    )
