"""Which rules of the shop keep an item out of a list though they do not forbid it.

The recommender is run again without them, since rules act on each other: nothing is estimated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from recsys.explain.evidence import Stage, Standing
from recsys.explain.question import Question
from recsys.pipeline.recommendations import names_of
from recsys.pipeline.trace import Trace

MOST_TRIED = 20  # rules, those that win first
_SETTLED = (Stage.LISTED, Stage.FILLED, Stage.FORBIDDEN)
_Listed = Callable[[Collection[str]], bool]


def kept_out_by(question: Question, trace: Trace, item: int, standing: Standing) -> tuple[str, ...]:
    """Ids of the rules without any single one of which the item would be in the only list of the trace.

    Where it takes several, those that keep it out together: none of them can be spared. Empty where it would not be in
    the list without all of them either.
    """
    policy, plan = question.policy, trace.plan
    if policy is None or plan is None or standing.stage in _SETTLED:
        return ()
    moving = policy.moving(trace.queries)[0]
    rules = names_of(plan.rules, moving)[:MOST_TRIED]

    def listed(without: Collection[str]) -> bool:
        """Whether the item is in the list that is made without some rules."""
        again = replace(question, policy=policy.without(without)).trace(trace.queries)
        return bool((again.lists.items[0] == item).any())

    # What was ranked among the first would be in the list but for rules; of others one run tells.
    if not rules or (standing.stage is not Stage.ARRANGED and not listed(rules)):
        return ()
    alone = tuple(rule for rule in rules if listed([rule]))
    return alone or _together(rules, listed)


def _together(rules: Sequence[str], listed: _Listed) -> tuple[str, ...]:
    """Of the rules some without which the item is in the list, and none of which can be spared for that."""
    if not listed(rules):
        return ()
    cause, before = list(rules), 0
    while len(cause) != before:  # a rule that could not be spared before may be now
        before = len(cause)
        for rule in reversed(cause):
            fewer = [other for other in cause if other != rule]
            if listed(fewer):
                cause = fewer
    return tuple(cause)
