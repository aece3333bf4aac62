"""An expression as a tree. Every node knows the place where it begins in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias, get_args

from recsys.rules.columns import FieldType

ValueType: TypeAlias = FieldType | Literal["duration"]
"""Of a value: that of a field, or a duration, which is in seconds."""

Order = Literal["==", "!=", "<", "<=", ">", ">="]
Operation = Literal["+", "-", "*", "/"]
TextTest = Literal["startsWith", "endsWith", "contains"]
ORDERS: dict[str, Order] = {order: order for order in get_args(Order)}
OPERATIONS: dict[str, Operation] = {operation: operation for operation in get_args(Operation)}
TEXT_TESTS: dict[str, TextTest] = {test: test for test in get_args(TextTest)}
NOW = "now"


@dataclass(frozen=True)
class Place:
    """Where a node begins: line and column from 1, and the position in the whole text from 0."""

    line: int
    column: int
    position: int


@dataclass(frozen=True)
class Constant:
    """A value that is written out.

    Attributes:
        value: a number, a text, a truth value; times are seconds since 1970, durations seconds.
    """

    place: Place
    value: float | str | bool
    type: ValueType


@dataclass(frozen=True)
class Field:
    """A field of what the expression is about.

    Attributes:
        root: `item`, `user` or `context`; empty for `now`.
        name: of the field.
        type: unknown before the expression is checked.
    """

    place: Place
    root: str
    name: str
    type: FieldType | None = None

    @property
    def path(self) -> str:
        """As it is written: `item.price`."""
        return f"{self.root}.{self.name}" if self.root else self.name


@dataclass(frozen=True)
class Not:
    """True where the operand is false."""

    place: Place
    operand: Node


@dataclass(frozen=True)
class Every:
    """True where all parts are: `&&`."""

    place: Place
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Some:
    """True where one of the parts is: `||`."""

    place: Place
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Comparison:
    """Two values of one type, compared."""

    place: Place
    operator: Order
    left: Node
    right: Node


@dataclass(frozen=True)
class OneOf:
    """Whether a value is one of those written out: `item.brand in ["A", "B"]`."""

    place: Place
    value: Node
    options: tuple[Constant, ...]


@dataclass(frozen=True)
class Holds:
    """Whether a list of texts holds a text: `"Hair Care" in item.categories`."""

    place: Place
    text: Node
    texts: Node


@dataclass(frozen=True)
class Tested:
    """A text that begins with, ends with or contains another."""

    place: Place
    test: TextTest
    text: Node
    part: Node


@dataclass(frozen=True)
class Has:
    """Whether a field is there."""

    place: Place
    field: Field


@dataclass(frozen=True)
class Size:
    """Number of texts of a list, or of characters of a text."""

    place: Place
    operand: Node


@dataclass(frozen=True)
class Arithmetic:
    """Sum, difference, product or ratio of two values."""

    place: Place
    operator: Operation
    left: Node
    right: Node


@dataclass(frozen=True)
class Negative:
    """A number or a duration with the other sign."""

    place: Place
    operand: Node


Node: TypeAlias = (
    Constant | Field | Not | Every | Some | Comparison | OneOf | Holds | Tested | Has | Size | Arithmetic | Negative
)


@dataclass(frozen=True)
class Expression:
    """An expression that can be read; whether its fields exist and its types fit is not known yet."""

    text: str
    root: Node


def parts_of(node: Node) -> Iterator[Node]:
    """The nodes right below a node."""
    for field in fields(node):
        value = getattr(node, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Node):
                yield part


def fields_of(expression: Expression) -> frozenset[str]:
    """The fields that an expression reads, as they are written: `item.price`, `now`."""
    found, waiting = set(), [expression.root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Field):
            found.add(node.path)
        waiting += parts_of(node)
    return frozenset(found)
