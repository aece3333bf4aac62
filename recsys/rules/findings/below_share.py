"""Promotions below their share in the lists of a preview, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Int32Array, Int64Array
from recsys.pipeline.allow import Allowed
from recsys.rules.columns import NO_NAME
from recsys.rules.findings.case import Case
from recsys.rules.findings.finding import Finding
from recsys.rules.rule import Cap, Promote

_MOST_EXPLAINED = 50  # lists of a rule whose reason is looked for
_SEEN = "too few of its items are left beside those seen, not due or filtered out", "widen where, or lower the share"
_CAPPED = "caps let no more of its items in", "raise most of the cap, or lower the share; caps win"
_UNKNOWN = "too few of its items were at hand", "widen where, or lower the share"


def below_share(
    case: Case, lists: Int32Array, allowed: Callable[[], Allowed], others: Sequence[Finding]
) -> Iterator[Finding]:
    """Each promotion that has fewer items than its share asks for in lists for which it acts.

    Args:
        case: the rules.
        lists: int32 [B, k], of its queries, made by the rules.
        allowed: what those lists may hold; is called where one is below a share.
        others: what is known of the rules otherwise: what is not to be had, or dead, is not told twice.
    """
    told = {rule for one in others if one.problem in ("dead", "unsatisfiable") for rule in one.rules}
    for column in case.of(Promote):
        rule = case.rule(column)
        if rule.id in told or not isinstance(rule.action, Promote):
            continue
        needed, rows = rule.action.of(case.k), np.flatnonzero(case.meant[:, column])
        listed = (case.items(column)[lists[rows]] & (lists[rows] != NO_ITEM)).sum(axis=1)
        below = rows[listed < needed]
        if len(below):
            because, remedy = _reason(case, column, needed, lists, below[:_MOST_EXPLAINED], allowed())
            message = (
                f"below its share: {len(below)} of {len(rows)} lists hold fewer than {needed} of its items "
                f"among {case.k}; {because}"
            )
            yield Finding("unsatisfiable", (rule.id,), message, remedy, of_sample=True)


def _reason(
    case: Case, column: int, needed: int, lists: Int32Array, rows: Int64Array, allowed: Allowed
) -> tuple[str, str]:
    """Why most of some lists are below the share of a promotion, and what to do."""
    reasons = Counter(_reason_of(case, column, needed, lists[row], int(row), allowed) for row in rows)
    return reasons.most_common(1)[0][0]


def _reason_of(case: Case, column: int, needed: int, items: Int32Array, row: int, allowed: Allowed) -> tuple[str, str]:
    acting = np.flatnonzero(case.meant[row]).tolist()
    left = np.flatnonzero(case.items(column) & case.allowed(acting)).astype(np.int32)  # enough, or it is told already
    rows = np.array([row])
    left = left[allowed.select(rows.tolist()).allows(case.queries.select(rows), left[None])[0]]
    if len(left) < needed:
        return _SEEN
    free = ~np.isin(left, items)
    for cap in acting:
        if isinstance(case.rule(cap).action, Cap):
            free &= _let_in(case, cap, items, left)
    return _UNKNOWN if free.any() else _CAPPED


def _let_in(case: Case, cap: int, items: Int32Array, others: Int32Array) -> BoolArray:
    """Bool [C], which of other items a cap would let into a list, without regard to its window."""
    action = case.rule(cap).action
    assert isinstance(action, Cap)  # noqa: S101
    groups = np.where(case.items(cap), case.compiled.base.groups(action.by).codes, NO_NAME)
    windows = 1 if action.window is None else -(-case.k // action.window)
    listed, wanted = groups[items[items != NO_ITEM]], groups[others]
    counts = np.bincount(listed[listed != NO_NAME], minlength=int(groups.max(initial=0)) + 1)
    return np.asarray((wanted == NO_NAME) | (counts[wanted] < action.most * windows), np.bool_)
