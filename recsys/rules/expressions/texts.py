"""Comparing texts. What is asked of a column is asked of its distinct texts, and handed to the rows by their codes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from recsys.core.joined_texts import JoinedTexts
from recsys.core.types import BoolArray, Float64Array
from recsys.rules.columns import TextColumn, TextsColumn
from recsys.rules.expressions.nodes import Order, TextTest
from recsys.rules.expressions.truths import UNKNOWN, Mask, Truths, certain

Texts: TypeAlias = TextColumn | str | None
"""A text for each row, or one for all; None: it is missing in all."""


def _contains(texts: Any, parts: Any) -> Any:
    return np.strings.find(texts, parts) >= 0


_TESTS: dict[Order | TextTest, tuple[Callable[..., Any], Callable[[str, str], bool]]] = {
    "==": (np.equal, operator.eq),
    "!=": (np.not_equal, operator.ne),
    "<": (np.less, operator.lt),
    "<=": (np.less_equal, operator.le),
    ">": (np.greater, operator.gt),
    ">=": (np.greater_equal, operator.ge),
    "startsWith": (np.strings.startswith, str.startswith),
    "endsWith": (np.strings.endswith, str.endswith),
    "contains": (_contains, operator.contains),
}
_FOUND: dict[Order | TextTest, Callable[[JoinedTexts, str], BoolArray]] = {
    "startsWith": JoinedTexts.starting_with,
    "endsWith": JoinedTexts.ending_with,
    "contains": JoinedTexts.holding,
}


def compared(test: Order | TextTest, left: Texts, right: Texts) -> Truths:
    """A comparison by code points, or a test of the left text for the right one."""
    of_arrays, of_texts = _TESTS[test]
    if left is None or right is None:
        return UNKNOWN
    if isinstance(left, str):
        return certain(of_texts(left, right)) if isinstance(right, str) else handed(right, of_arrays(left, right.names))
    if isinstance(right, str):
        found = _FOUND[test](left.joined, right) if test in _FOUND else of_arrays(left.names, right)
        return handed(left, found)
    known = (left.codes >= 0) & (right.codes >= 0)
    true = np.zeros(len(known), np.bool_)
    true[known] = of_arrays(left.names[left.codes[known]], right.names[right.codes[known]])
    return Truths.known(true, known)


def one_of(texts: Texts, options: list[str]) -> Truths:
    """Whether each text is one of the options."""
    if texts is None:
        return UNKNOWN
    if isinstance(texts, str):
        return certain(texts in options)
    return handed(texts, texts.are(options))


def handed(column: TextColumn, chosen: BoolArray) -> Truths:
    """What holds for the rows of a column, given bool [V] of its distinct texts."""
    known: Mask = column.codes >= 0
    true = chosen.take(column.codes) if len(chosen) else np.zeros(len(column.codes), np.bool_)
    return Truths.known(true, known)


def held(text: Texts, lists: TextsColumn) -> Truths:
    """Whether each row's list holds the text."""
    if text is None:
        return UNKNOWN
    rows = np.repeat(np.arange(len(lists.indptr) - 1), np.diff(lists.indptr))
    true = np.zeros(len(lists.indptr) - 1, np.bool_)
    if isinstance(text, str):
        chosen: BoolArray = lists.names == text
        if len(chosen):
            true[rows[chosen[lists.codes]]] = True
        return Truths(true, ~true)
    known = text.codes >= 0
    asked = known[rows]
    rows, codes = rows[asked], lists.codes[asked]
    true[rows[text.names[text.codes[rows]] == lists.names[codes]]] = True
    return Truths.known(true, known)


def sizes(texts: Texts | TextsColumn) -> Float64Array | float:
    """Number of characters of texts, NaN where they are missing; of lists, number of texts."""
    if texts is None:
        return np.nan
    if isinstance(texts, str):
        return float(len(texts))
    if isinstance(texts, TextsColumn):
        return np.diff(texts.indptr).astype(np.float64)
    if not len(texts.names):
        return np.full(len(texts.codes), np.nan)
    return np.where(texts.codes >= 0, np.strings.str_len(texts.names).astype(np.float64).take(texts.codes), np.nan)
