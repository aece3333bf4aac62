"""What an expression says of each row. No loop over rows: every node is a few NumPy calls on whole columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np

from recsys.core.types import BoolArray, Float32Array, Float64Array, Int64Array
from recsys.rules.columns import Columns, TextColumn, TextsColumn
from recsys.rules.expressions.checking import Condition
from recsys.rules.expressions.context import ContextValue, in_type
from recsys.rules.expressions.nodes import (
    Arithmetic,
    Comparison,
    Constant,
    Every,
    Field,
    Has,
    Holds,
    Negative,
    Node,
    Not,
    OneOf,
    Operation,
    Order,
    Size,
    Some,
    Tested,
)
from recsys.rules.expressions.texts import Texts, compared, held, one_of, sizes
from recsys.rules.expressions.truths import NO, Mask, Truths, certain, every, some

Numbers: TypeAlias = Float64Array | Float32Array | float
"""A number for each row, or one for all; NaN: missing."""

Value: TypeAlias = Numbers | Texts | TextsColumn | Truths

_ORDERS: dict[Order, np.ufunc] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_OPERATIONS: dict[Operation, np.ufunc] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}


@dataclass(frozen=True)
class Outcome:
    """What a condition says of n rows.

    Attributes:
        true: bool [n], where it is true. A rule acts there alone.
        false: bool [n], where it is false.
    """

    true: BoolArray
    false: BoolArray

    @property
    def unknown(self) -> BoolArray:
        """Bool [n], where a value is missing without which nobody can say."""
        return ~(self.true | self.false)


def evaluate(
    condition: Condition,
    columns: Columns,
    now: Int64Array | float,
    context: Mapping[str, ContextValue] | None = None,
) -> Outcome:
    """What a condition says of each row.

    Args:
        condition: checked against the types of `columns`.
        columns: n items of a catalogue, or n users of a batch.
        now: seconds since 1970, one for all rows or int64 [n].
        context: what the request gave; None: nothing.
    """
    with np.errstate(all="ignore"):  # what cannot be computed is unknown
        truths = _truths(condition.root, _Rows(columns, now, context or {}))
    return Outcome(_of_all(truths.true, columns.size), _of_all(truths.false, columns.size))


def _of_all(mask: Mask, size: int) -> BoolArray:
    return mask if isinstance(mask, np.ndarray) else np.full(size, mask)


class _Rows(NamedTuple):
    columns: Columns
    now: Int64Array | float
    context: Mapping[str, ContextValue]


def _truths(node: Node, rows: _Rows) -> Truths:
    match node:
        case Every():
            return every([_truths(part, rows) for part in node.parts])
        case Some():
            return some([_truths(part, rows) for part in node.parts])
        case Not():
            return _truths(node.operand, rows).negated()
        case Has():
            return _has(node.field, rows)
        case Comparison() | OneOf() | Tested() | Holds():
            return _tested(node, rows)
        case _:
            return cast(Truths, _value(node, rows))


def _tested(node: Comparison | OneOf | Tested | Holds, rows: _Rows) -> Truths:
    match node:
        case Comparison():
            return _compared(node.operator, _value(node.left, rows), _value(node.right, rows))
        case OneOf():
            return _one_of(node, _value(node.value, rows))
        case Tested():
            text, part = _value(node.text, rows), _value(node.part, rows)
            return compared(node.test, cast(Texts, text), cast(Texts, part))
        case Holds():
            text, texts = _value(node.text, rows), _value(node.texts, rows)
            return held(cast(Texts, text), cast(TextsColumn, texts))


def _value(node: Node, rows: _Rows) -> Value:
    match node:
        case Constant():
            return certain(node.value) if isinstance(node.value, bool) else node.value
        case Field():
            return _field(node, rows)
        case Arithmetic():
            return _calculated(node, rows)
        case Negative():
            return cast(Numbers, -cast(Any, _value(node.operand, rows)))
        case Size():
            return sizes(cast(Texts | TextsColumn, _value(node.operand, rows)))
        case _:
            return _truths(node, rows)


def _field(field: Field, rows: _Rows) -> Value:
    if field.root == "context":
        return in_type(rows.context.get(field.name), field.type)
    if not field.root:
        return rows.now if isinstance(rows.now, float) else np.asarray(rows.now, np.float64)
    if field.type == "text":
        return rows.columns.texts(field.name)
    if field.type == "texts":
        return rows.columns.text_lists(field.name)
    numbers = rows.columns.numbers(field.name)
    return Truths(numbers == 1, numbers == 0) if field.type == "bool" else numbers


def _calculated(node: Arithmetic, rows: _Rows) -> Numbers:
    left, right = cast(Numbers, _value(node.left, rows)), cast(Numbers, _value(node.right, rows))
    result = _OPERATIONS[node.operator](left, right)
    if isinstance(result, np.ndarray):
        return np.where(np.isfinite(result), result, result.dtype.type(np.nan))
    # A number of Python's takes on the precision of the column beside it; one of NumPy's would not.
    return float(result) if np.isfinite(result) else np.nan


def _compared(operator: Order, left: Value, right: Value) -> Truths:
    if isinstance(left, Truths) and isinstance(right, Truths):
        equal = Truths(
            (left.true & right.true) | (left.false & right.false), (left.true & right.false) | (left.false & right.true)
        )
        return equal if operator == "==" else equal.negated()
    if isinstance(left, TextColumn | str | None) or isinstance(right, TextColumn | str | None):
        return compared(operator, cast(Texts, left), cast(Texts, right))
    return _compared_numbers(operator, cast(Numbers, left), cast(Numbers, right))


def _compared_numbers(operator: Order, left: Numbers, right: Numbers) -> Truths:
    true = _ORDERS[operator](left, right)
    return Truths.known(true, _known(left) & _known(right))


def _known(numbers: Numbers) -> Mask:
    """Where there is a number."""
    known: Mask = ~np.isnan(numbers) if isinstance(numbers, np.ndarray) else np.bool_(not math.isnan(numbers))
    return known


def _one_of(node: OneOf, value: Value) -> Truths:
    options = [option.value for option in node.options]
    if isinstance(value, TextColumn | str | None):
        return one_of(value, cast(list[str], options))
    if not options:
        return Truths(NO, value.true | value.false if isinstance(value, Truths) else _known(cast(Numbers, value)))
    return some([_compared("==", value, certain(option) if isinstance(option, bool) else option) for option in options])


def _has(field: Field, rows: _Rows) -> Truths:
    if field.root == "context":
        return certain(rows.context.get(field.name) is not None)
    if field.type == "text":
        there = rows.columns.texts(field.name).codes >= 0
    elif field.type == "texts":
        there = np.diff(rows.columns.text_lists(field.name).indptr) > 0
    else:
        there = ~np.isnan(rows.columns.numbers(field.name))
    return Truths(there, ~there)
