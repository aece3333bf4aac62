"""From the parser's tree to nodes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NoReturn, TypeVar

from lark import Token
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive, v_args

from recsys.rules.expressions.errors import ExpressionError
from recsys.rules.expressions.literals import seconds, seconds_since_1970, unescaped
from recsys.rules.expressions.nodes import (
    NOW,
    OPERATIONS,
    ORDERS,
    TEXT_TESTS,
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
    Place,
    Size,
    Some,
    Tested,
)

FUNCTIONS = "has(field), size(field), timestamp(text) and duration(text)"
METHODS = ".startsWith(text), .endsWith(text), .contains(text) and .size()"
_OTHER_LANGUAGES = {
    "null": "there is no null; ask has(item.price)",
    "none": "there is no None; ask has(item.price)",
    "true": "write true",
    "false": "write false",
}

Value = TypeVar("Value")


def refuse(place: Place, message: str, fields: tuple[str, ...] = ()) -> NoReturn:
    """Raise an `ExpressionError` at a place."""
    raise ExpressionError(message, place.line, place.column, place.position, fields)


@v_args(meta=True, inline=True)
class Builder(Transformer_NonRecursive[Token, Node]):
    """Makes a node of each branch of the parser's tree; the methods are named like the grammar's rules."""

    def either(self, meta: Meta, *parts: Node) -> Node:
        return Some(_place(meta), parts)

    def both(self, meta: Meta, *parts: Node) -> Node:
        return Every(_place(meta), parts)

    def not_(self, meta: Meta, operand: Node) -> Node:
        return Not(_place(meta), operand)

    def comparison(self, meta: Meta, left: Node, operator: Token, right: Node) -> Node:
        return Comparison(_place(meta), ORDERS[operator], left, right)

    def list(self, _: Meta, *options: Node) -> tuple[Constant, ...]:
        constants = []
        for option in options:
            if not isinstance(option, Constant):
                refuse(option.place, "a list holds values that are written out, no fields")
            constants.append(option)
            if option.type != constants[0].type:
                refuse(option.place, f"a list holds values of one type, not {constants[0].type} and {option.type}")
        return tuple(constants)

    def one_of(self, meta: Meta, value: Node, options: tuple[Constant, ...]) -> Node:
        return OneOf(_place(meta), value, options)

    def holds(self, meta: Meta, text: Node, texts: Node) -> Node:
        return Holds(_place(meta), text, texts)

    def arithmetic(self, meta: Meta, left: Node, operator: Token, right: Node) -> Node:
        return Arithmetic(_place(meta), OPERATIONS[operator], left, right)

    def negative(self, meta: Meta, operand: Node) -> Node:
        return _folded(Negative(_place(meta), operand))

    def number(self, meta: Meta, written: Token) -> Node:
        value = float(written)
        if math.isinf(value):
            refuse(_place(meta), "too large a number")
        return Constant(_place(meta), value, "number")

    def text(self, meta: Meta, written: Token) -> Node:
        return Constant(_place(meta), _read(unescaped, written, _place(meta)), "text")

    def true(self, meta: Meta) -> Node:
        return Constant(_place(meta), True, "bool")

    def false(self, meta: Meta) -> Node:
        return Constant(_place(meta), False, "bool")

    def now(self, meta: Meta) -> Node:
        return Field(_place(meta), "", NOW)

    def root(self, _: Meta, name: Token) -> Token:
        return name

    def field(self, meta: Meta, root: Token, name: Token) -> Node:
        return Field(_place(meta), str(root), str(name))

    def unknown(self, meta: Meta, name: Token) -> Node:
        hint = _OTHER_LANGUAGES.get(name.lower(), f'fields are written item.price or user.segment, texts "{name}"')
        refuse(_place(meta), f"unknown name {name}: {hint}")

    def call(self, meta: Meta, name: Token, *arguments: Node) -> Node:
        place = _place(meta)
        if name not in ("has", "size", "timestamp", "duration"):
            refuse(place, f"unknown function {name}; there are {FUNCTIONS}")
        if len(arguments) != 1:
            refuse(place, f"{name} takes one value, not {len(arguments)}")
        argument = arguments[0]
        if name == "size":
            return Size(place, argument)
        if name == "has":
            if not isinstance(argument, Field) or not argument.root:
                refuse(argument.place, "has asks for a field, such as has(item.price)")
            return Has(place, argument)
        if not isinstance(argument, Constant) or not isinstance(argument.value, str):
            example = 'timestamp("2026-12-01T00:00:00Z")' if name == "timestamp" else 'duration("30d")'
            refuse(argument.place, f"{name} takes a text that is written out, such as {example}")
        if name == "timestamp":
            return Constant(place, _read(seconds_since_1970, argument.value, argument.place), "time")
        return Constant(place, _read(seconds, argument.value, argument.place), "duration")

    def method(self, meta: Meta, operand: Node, name: Token, *arguments: Node) -> Node:
        place = Place(name.line or 1, name.column or 1, name.start_pos or 0)
        if name == "matches":
            refuse(place, f"there is no matches, since regular expressions may take for ever; there are {METHODS}")
        if name == "size" and not arguments:
            return Size(_place(meta), operand)
        if name not in TEXT_TESTS:
            refuse(place, f"unknown method {name}; there are {METHODS}")
        if len(arguments) != 1:
            refuse(place, f"{name} takes one text, not {len(arguments)}")
        return Tested(_place(meta), TEXT_TESTS[name], operand, arguments[0])


def _place(meta: Meta) -> Place:
    return Place(meta.line, meta.column, meta.start_pos)


def _folded(node: Node) -> Node:
    """A written number or duration behind a minus as the number that it is."""
    if isinstance(node, Negative) and isinstance(node.operand, Constant):
        operand = node.operand
        if operand.type in ("number", "duration"):
            return Constant(node.place, -float(operand.value), operand.type)
    return node


def _read(read: Callable[[str], Value], written: str, place: Place) -> Value:
    try:
        return read(written)
    except ValueError as error:
        refuse(place, str(error))
