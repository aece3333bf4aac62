"""Rules that ask for what cannot be had: too few items, or shares of more than the whole list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from recsys.core.types import BoolArray
from recsys.rules.columns import NO_NAME
from recsys.rules.findings.case import Case
from recsys.rules.findings.finding import Finding
from recsys.rules.rule import ROUNDING, Cap, Hide, Promote, Require


def unsatisfiable(case: Case) -> Iterator[Finding]:
    """Each set of rules once, for all that act together."""
    found: set[tuple[str, tuple[str, ...]]] = set()
    for columns, sample in sorted(case.gatherings, key=lambda gathering: gathering[1]):
        for finding in _of_gathering(case, columns, sample):
            key = finding.message.partition(":")[0], finding.rules
            if key not in found:
                found.add(key)
                yield finding


def _of_gathering(case: Case, columns: Sequence[int], sample: bool) -> Iterator[Finding]:
    allowed = case.allowed(columns)
    yield from _too_few(case, columns, allowed, sample)
    yield from _promotions(case, columns, allowed, sample)
    yield from _caps(case, columns, allowed, sample)


def _chosen(case: Case, columns: Sequence[int], *actions: type) -> list[int]:
    return [column for column in columns if isinstance(case.rule(column).action, actions)]


def _ids(case: Case, columns: Sequence[int]) -> tuple[str, ...]:
    return tuple(case.rule(column).id for column in columns)


def _too_few(case: Case, columns: Sequence[int], allowed: BoolArray, sample: bool) -> Iterator[Finding]:
    left, restricting = int(allowed.sum()), _chosen(case, columns, Hide, Require)
    if restricting and left < min(case.k, len(allowed)):
        message = f"too few items: hide and require leave {left}, a list has {case.k}"
        yield Finding("unsatisfiable", _ids(case, restricting), message, "widen require, or hide less", sample)


def _promotions(case: Case, columns: Sequence[int], allowed: BoolArray, sample: bool) -> Iterator[Finding]:
    promotions = _chosen(case, columns, Promote)
    share = sum(_share(case, column) for column in promotions)
    if share > 1 + ROUNDING:
        message = f"shares above 1: promotions ask for {share:g} of a list"
        yield Finding("unsatisfiable", _ids(case, promotions), message, "lower the shares to 1 in all", sample)
    for column in filter(case.asked, promotions):
        needed, had = _needed(case, column), int((case.items(column) & allowed).sum())
        if had < needed:
            message = f"too few to promote: {needed} of {case.k} are wanted, the catalogue allows {had}"
            remedy = "lower the share, or widen where"
            yield Finding("unsatisfiable", _ids(case, [column]), message, remedy, sample)


def _caps(case: Case, columns: Sequence[int], allowed: BoolArray, sample: bool) -> Iterator[Finding]:
    for cap in _chosen(case, columns, Cap):
        room = _room(case, cap, allowed) if case.asked(cap) else case.k
        if room < min(case.k, int(allowed.sum())):
            message = f"a cap too low: it lets {room} items into a list of {case.k}"
            remedy = "raise most, or let more groups into lists"
            yield Finding("unsatisfiable", _ids(case, [cap]), message, remedy, sample)
        promotions = _chosen(case, columns, Promote)
        for promotion in (one for one in promotions if case.asked(cap, one)):
            items = case.items(promotion) & allowed
            needed = min(_needed(case, promotion), int(items.sum()))
            let_in = _room(case, cap, items)
            if let_in < needed:
                ids = _ids(case, [cap, promotion])
                message = f"a cap against a promotion: {ids[1]} wants {needed} items, {ids[0]} lets {let_in} of them in"
                yield Finding("unsatisfiable", ids, message, "raise most, or lower the share; caps win", sample)


def _share(case: Case, column: int) -> float:
    action = case.rule(column).action
    return action.share if isinstance(action, Promote) else 0.0


def _needed(case: Case, column: int) -> int:
    action = case.rule(column).action
    return action.of(case.k) if isinstance(action, Promote) else 0


def _room(case: Case, column: int, items: BoolArray) -> int:
    """The most of some items, bool [N], that a cap lets into a list; with a window, no fewer than that."""
    action = case.rule(column).action
    assert isinstance(action, Cap)  # noqa: S101
    groups = np.where(case.items(column), case.compiled.base.groups(action.by).codes, NO_NAME)[items]
    windows = 1 if action.window is None else -(-case.k // action.window)
    counts = np.bincount(groups[groups != NO_NAME])
    return int(np.minimum(counts, action.most * windows).sum() + (groups == NO_NAME).sum())
