"""Whether the fields of an expression exist and its types fit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from recsys.rules.columns import FieldType
from recsys.rules.expressions.building import refuse
from recsys.rules.expressions.errors import closest_first, listed
from recsys.rules.expressions.nodes import (
    NOW,
    Arithmetic,
    Comparison,
    Constant,
    Every,
    Expression,
    Field,
    Has,
    Holds,
    Negative,
    Node,
    Not,
    OneOf,
    Size,
    Some,
    Tested,
    ValueType,
)
from recsys.rules.spending import SEGMENTS

Side = Literal["where", "when"]
"""What an expression is about: the items of a catalogue, or users and requests."""

_ROOTS: dict[Side, tuple[str, ...]] = {"where": ("item",), "when": ("user", "context")}
_OTHER: dict[Side, Side] = {"where": "when", "when": "where"}
_READS: dict[Side, str] = {"where": "item.* and now", "when": "user.*, context.* and now"}
_A: dict[ValueType, str] = {
    "number": "a number",
    "text": "a text",
    "texts": "a list of texts",
    "bool": "true or false",
    "time": "a time",
    "duration": "a duration",
}
_LISTED: tuple[ValueType, ...] = ("text", "number", "bool", "time", "duration")
_NEVER_GIVEN = ("texts", "duration")  # with a request
_A_PAIR = {"texts": "lists of texts", "bool": "true and false"}
_ONLY: dict[str, tuple[str, ...]] = {"user.segment": SEGMENTS}  # what a field can be, where that is known
_ARITHMETIC: dict[tuple[str, ValueType, ValueType], ValueType] = {
    **{(operator, "number", "number"): "number" for operator in "+-*/"},
    ("+", "time", "duration"): "time",
    ("+", "duration", "time"): "time",
    ("+", "duration", "duration"): "duration",
    ("-", "time", "duration"): "time",
    ("-", "time", "time"): "duration",
    ("-", "duration", "duration"): "duration",
}


@dataclass(frozen=True)
class Condition:
    """An expression whose fields exist and whose types fit.

    Attributes:
        text: as it was written.
        root: every field of it has a type; those of the context have the one that they are used as.
    """

    text: str
    root: Node


def check(expression: Expression, side: Side, types: Mapping[str, FieldType]) -> Condition:
    """The expression with the types of its fields.

    Args:
        expression: parsed.
        side: `where` may read items and now, `when` users, context and now.
        types: of the fields of items or of users, by their names without `item.` or `user.`.

    Raises:
        ExpressionError: a field does not exist or may not be read here, or types do not fit.
    """
    return Condition(expression.text, _Checker(side, types).typed(expression.root, "bool"))


class _Checker:
    def __init__(self, side: Side, types: Mapping[str, FieldType]) -> None:
        self._side, self._types = side, types

    def typed(self, node: Node, *wanted: ValueType) -> Node:
        """The node with types, if its own is one of those that are wanted."""
        typed, found = self._inferred(node, wanted[0])
        if found not in wanted:
            refuse(node.place, f"expected {' or '.join(_A[one] for one in wanted)}, got {_A[found]}")
        return typed

    def _inferred(self, node: Node, context_as: ValueType) -> tuple[Node, ValueType]:
        """The node with types, and its own; a field of the context is of the type that it is used as."""
        match node:
            case Constant():
                return node, node.type
            case Field():
                return self._field(node, context_as)
            case Size():
                return replace(node, operand=self.typed(node.operand, "text", "texts")), "number"
            case Arithmetic():
                return self._arithmetic(node)
            case Negative():
                operand, found = self._inferred(node.operand, "number")
                if found not in ("number", "duration"):
                    refuse(node.operand.place, f"expected a number or a duration behind -, got {_A[found]}")
                return replace(node, operand=operand), found
            case _:
                return self._truth(node), "bool"

    def _truth(self, node: Has | Not | Every | Some | Comparison | OneOf | Holds | Tested) -> Node:
        typed: Node
        match node:
            case Has():
                typed = replace(node, field=self._field(node.field, "text")[0])
            case Not():
                typed = replace(node, operand=self.typed(node.operand, "bool"))
            case Every() | Some():
                typed = replace(node, parts=tuple(self.typed(part, "bool") for part in node.parts))
            case Comparison():
                typed = self._comparison(node)
            case OneOf():
                kinds: tuple[ValueType, ...] = (node.options[0].type,) if node.options else _LISTED
                typed = replace(node, value=self.typed(node.value, *kinds))
                _require_possible(node.value, node.options)
            case Holds():
                typed = replace(node, text=self.typed(node.text, "text"), texts=self.typed(node.texts, "texts"))
            case Tested():
                typed = replace(node, text=self.typed(node.text, "text"), part=self.typed(node.part, "text"))
        return typed

    def _comparison(self, node: Comparison) -> Node:
        equality = node.operator in ("==", "!=")
        left, right, of_left, of_right = self._pair(node, "text" if equality else "number")
        if of_left != of_right:
            message = f"{node.operator} compares values of one type, not {_A[of_left]} with {_A[of_right]}"
            refuse(node.right.place, message)
        if of_left == "texts" or (of_left == "bool" and not equality):
            refuse(node.place, f"{node.operator} does not compare {_A_PAIR[of_left]}")
        if equality:
            _require_possible(node.left, (node.right,))
            _require_possible(node.right, (node.left,))
        return replace(node, left=left, right=right)

    def _arithmetic(self, node: Arithmetic) -> tuple[Node, ValueType]:
        left, right, of_left, of_right = self._pair(node, "number")
        result = _ARITHMETIC.get((node.operator, of_left, of_right))
        if result is None:
            message = f"{node.operator} does not go with {_A[of_left]} and {_A[of_right]}"
            refuse(node.right.place, f"{message}; numbers have + - * /, times and durations + -")
        return replace(node, left=left, right=right), result

    def _pair(self, node: Comparison | Arithmetic, context_as: ValueType) -> tuple[Node, Node, ValueType, ValueType]:
        """Both operands with their types. A field of the context is used as what stands on the other side."""
        if _of_context(node.left) and not _of_context(node.right):
            right, of_right = self._inferred(node.right, context_as)
            left, of_left = self._inferred(node.left, _beside(node, of_right))
        else:
            left, of_left = self._inferred(node.left, context_as)
            right, of_right = self._inferred(node.right, _beside(node, of_left))
        return left, right, of_left, of_right

    def _field(self, field: Field, context_as: ValueType) -> tuple[Field, ValueType]:
        if not field.root:
            return replace(field, type="time"), "time"
        if field.root not in _ROOTS[self._side]:
            message = f"{self._side} reads {_READS[self._side]}; {field.root}.* may stand in {_OTHER[self._side]} alone"
            refuse(field.place, message)
        if field.root == "context":
            if context_as in _NEVER_GIVEN:
                refuse(
                    field.place,
                    f"{field.path} is a number, a text, true or false, or a time, never {_A[context_as]}",
                )
            return replace(field, type=cast(FieldType, context_as)), context_as
        found = self._types.get(field.name)
        if found is None:
            fields = (*(f"{field.root}.{name}" for name in closest_first(field.name, self._types)), NOW)
            refuse(field.place, f"unknown field {field.path}; there are {listed(fields)}", fields)
        return replace(field, type=found), found


def _require_possible(field: Node, others: Sequence[Node]) -> None:
    """A value that the field never has is a slip: all users would be alike to it, and nothing would tell."""
    if not isinstance(field, Field) or field.path not in _ONLY:
        return
    possible = _ONLY[field.path]
    for other in others:
        if isinstance(other, Constant) and other.value not in possible:
            written = json.dumps(other.value, ensure_ascii=False)
            refuse(other.place, f"{field.path} is never {written}; it is one of {listed(possible)}")


def _of_context(node: Node) -> bool:
    return isinstance(node, Field) and node.root == "context"


def _beside(node: Comparison | Arithmetic, other: ValueType) -> ValueType:
    """What a field of the context is taken for beside a value: in sums with a duration, a time."""
    return "time" if other == "duration" and isinstance(node, Arithmetic) else other
