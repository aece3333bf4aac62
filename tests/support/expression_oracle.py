"""Random expressions, and what they mean: one row after another, in plain Python, with None for what is unknown.

An expression is a tuple of its kind and its parts. It is written with as few brackets as precedence allows.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

Tree = tuple[Any, ...]
Row = Mapping[str, Any]
_SHORT = ["", "a", "b", "ab", "ba", 'a"b', "é", "𝄞", "\\n\n", "3"]
_COMPARED = ["==", "!=", "<", "<=", ">", ">="]


class Number(NamedTuple):
    """A number and its precision: `single`, `double`, or `written`, which takes on that of what stands beside it."""

    value: float
    precision: str


class Fields(NamedTuple):
    """The fields that random expressions read, as they are written, by type; `single` are kept in single precision."""

    number: list[str]
    text: list[str]
    texts: list[str]
    bool: list[str]
    single: list[str]


# What random expressions are made of


def truths(fields: Fields) -> st.SearchStrategy[Tree]:
    """Expressions that are true, false or unknown."""
    text = st.one_of(_texts(), _fields(fields.text))
    number = numbers(fields)
    leaves = [
        st.tuples(st.just("constant"), st.booleans()),
        _fields(fields.bool),
        st.tuples(st.just("compare"), st.sampled_from(_COMPARED), number, number),
        st.tuples(st.just("compare"), st.sampled_from(_COMPARED), text, text),
        st.tuples(st.just("compare"), st.sampled_from(["==", "!="]), _fields(fields.bool), _fields(fields.bool)),
        st.tuples(st.just("in"), number, st.lists(_numbers(), max_size=3)),
        st.tuples(st.just("in"), text, st.lists(_texts(), max_size=3)),
        st.tuples(st.just("test"), st.sampled_from(["startsWith", "endsWith", "contains"]), text, text),
        st.tuples(st.just("has"), _fields([*fields.number, *fields.text, *fields.texts, *fields.bool])),
    ]
    if fields.texts:
        leaves.append(st.tuples(st.just("holds"), text, _fields(fields.texts)))
    return st.recursive(
        st.one_of(leaves),
        lambda inner: st.one_of(
            st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
            st.tuples(st.just("not"), inner),
        ),
        max_leaves=6,
    )


def numbers(fields: Fields) -> st.SearchStrategy[Tree]:
    """Expressions that are numbers."""
    sized = [_fields([*fields.text, *fields.texts]).map(lambda field: ("size", field))]
    return st.recursive(
        st.one_of(_numbers(), _fields(fields.number), *sized),
        lambda inner: st.one_of(
            st.tuples(st.just("arithmetic"), st.sampled_from(["+", "-", "*", "/"]), inner, inner),
            st.tuples(st.just("negative"), _fields(fields.number)),
        ),
        max_leaves=3,
    )


def _fields(paths: list[str]) -> st.SearchStrategy[Tree]:
    return st.tuples(st.just("field"), st.sampled_from(paths))


def _numbers() -> st.SearchStrategy[Tree]:
    values = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, 9.99, 0.1, 1e-300, 1e39, 1e308, 16777217.0, -9.99])
    return st.tuples(st.just("constant"), values)


def _texts() -> st.SearchStrategy[Tree]:
    return st.tuples(st.just("constant"), st.sampled_from([*_SHORT, "b" + "a" * 20, "a" * 20 + "b", "a" * 300]))


# How they are written

_OR, _AND, _NOT, _RELATION, _SUM, _PRODUCT, _UNARY, _PRIMARY = range(8)
_LEVELS = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}


def written(tree: Tree, words: bool = False) -> str:
    """The expression as text, with `and`, `or`, `not` or with `&&`, `||`, `!`."""
    return _written(tree, words)[0]


def _written(tree: Tree, words: bool) -> tuple[str, int]:
    """The text, and how tightly it holds together."""
    kind, *parts = tree
    if kind in ("and", "or", "not"):
        return _combined(kind, parts[0], words)
    if kind == "constant":
        return _constant(parts[0])
    if kind in ("arithmetic", "negative"):
        *operator, last = parts
        level = _LEVELS[operator[0]] if operator else _UNARY
        left = f"{_at(level, operator[1], words)} {operator[0]} " if operator else "-"
        return left + _at(min(level + 1, _UNARY), last, words), level
    if kind in ("compare", "in", "holds"):
        return _relation(tree, words), _RELATION
    texts = {
        "field": lambda: parts[0],
        "test": lambda: f"{_at(_PRIMARY, parts[1], words)}.{parts[0]}({written(parts[2], words)})",
    }
    return texts.get(kind, lambda: f"{kind}({written(parts[0], words)})")(), _PRIMARY


def _at(level: int, part: Tree, words: bool) -> str:
    """The text of a part that must hold together at least so tightly, with brackets where it does not."""
    text, own = _written(part, words)
    return text if own >= level else f"({text})"


def _combined(kind: str, parts: Any, words: bool) -> tuple[str, int]:
    if kind == "not":
        return (f"not {_at(_NOT, parts, words)}", _NOT) if words else (f"!{_at(_UNARY, parts, words)}", _UNARY)
    sign, level = {"and": (" and " if words else " && ", _AND), "or": (" or " if words else " || ", _OR)}[kind]
    return sign.join(_at(level + 1, part, words) for part in parts), level


def _relation(tree: Tree, words: bool) -> str:
    match tree:
        case "compare", operator, left, right:
            return f"{_at(_SUM, left, words)} {operator} {_at(_SUM, right, words)}"
        case "in", value, options:
            return f"{_at(_SUM, value, words)} in [{', '.join(written(option) for option in options)}]"
    _, text, texts = tree
    return f"{_at(_SUM, text, words)} in {_at(_SUM, texts, words)}"


def _constant(value: Any) -> tuple[str, int]:
    if isinstance(value, bool):
        return str(value).lower(), _PRIMARY
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii="\n" in value), _PRIMARY
    return repr(value), _UNARY if math.copysign(1, value) < 0 else _PRIMARY


def with_context(tree: Tree, context: dict[str, Any]) -> Tree:
    """The expression with fields of the context for some of its constants, whose values are added to `context`.

    Numbers are given as such and as texts, in turn. Where both sides of a comparison would be of the context, nothing
    tells their type, and the left one stays.
    """

    def given(part: Tree) -> Tree:
        if part[0] != "constant" or isinstance(part[1], bool):
            return with_context(part, context)
        name = f"value{len(context)}"
        as_text = isinstance(part[1], float) and len(context) % 2 == 0
        context[name] = repr(part[1]) if as_text else part[1]
        return "field", f"context.{name}"

    match tree:
        case "compare", operator, left, right:
            left = with_context(left, context)
            return "compare", operator, left, right if left[0] == "constant" else given(right)
        case "arithmetic", operator, left, right:
            return "arithmetic", operator, given(left), given(right)
        case "test", method, text, part:
            return "test", method, given(text), given(part)
        case ("and" | "or") as kind, parts:
            return kind, [with_context(part, context) for part in parts]
        case "not", part:
            return "not", with_context(part, context)
    return tree


# What they mean


def meaning(tree: Tree, row: Row, fields: Fields) -> bool | None:
    """What an expression says of a row of values by the paths of their fields; None: nothing."""
    kind, *parts = tree
    if kind in ("and", "or"):
        said = [meaning(part, row, fields) for part in parts[0]]
        decisive = kind == "or"
        return decisive if decisive in said else None if None in said else not decisive
    if kind == "not":
        opposite = meaning(parts[0], row, fields)
        return None if opposite is None else not opposite
    if kind == "has":
        return row.get(parts[0][1]) not in (None, [])
    return _tested(tree, row, fields)


def _tested(tree: Tree, row: Row, fields: Fields) -> bool | None:
    def of(part: Tree) -> Any:
        return _value(part, row, fields)

    match tree:
        case "compare", operator, left, right:
            return _compared(operator, of(left), of(right))
        case "in", value, options:
            return None if of(value) is None else any(_compared("==", of(value), of(option)) for option in options)
        case "holds", text, texts:
            return None if of(text) is None else of(text) in (of(texts) or [])
        case "test", method, text, part:
            return None if None in (of(text), of(part)) else _TESTS[method](of(text), of(part))
    value: bool | None = of(tree)
    return value


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "startsWith": lambda text, part: text[: len(part)] == part,
    "endsWith": lambda text, part: text[max(len(text) - len(part), 0) :] == part,
    "contains": lambda text, part: part in text,
}


def _value(tree: Tree, row: Row, fields: Fields) -> Any:
    kind, *parts = tree
    if kind == "constant":
        return Number(parts[0], "written") if isinstance(parts[0], float) else parts[0]
    if kind == "field":
        return _field(parts[0], row, fields)
    if kind == "size":
        value = row.get(parts[0][1], [] if parts[0][1] in fields.texts else None)
        return None if value is None else Number(float(len(value)), "double")
    if kind == "negative":
        number = _value(parts[0], row, fields)
        return None if number is None else number._replace(value=-number.value)
    if kind == "arithmetic":
        return _calculated(parts[0], _value(parts[1], row, fields), _value(parts[2], row, fields))
    return meaning(tree, row, fields)


def _field(path: str, row: Row, fields: Fields) -> Any:
    value = row.get(path)
    if path not in fields.number or value is None:
        return value
    return Number(value, "single" if path in fields.single else "double")


def single(value: float) -> float:
    """The nearest number of single precision; infinite beyond all of them."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def _alike(left: Number, right: Number) -> tuple[float, float, str]:
    """Both in the precision in which they meet."""
    met = {left.precision, right.precision} - {"written"}
    if met != {"single"}:
        return left.value, right.value, "double" if met else "written"
    return single(left.value), single(right.value), "single"


def _calculated(operator: str, left: Number | None, right: Number | None) -> Number | None:
    if left is None or right is None:
        return None
    a, b, precision = _alike(left, right)
    try:
        result = {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b}[operator]()
    except ZeroDivisionError:
        return None
    result = single(result) if precision == "single" and math.isfinite(result) else result
    return Number(result, precision) if math.isfinite(result) else None


def _compared(operator: str, left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    a, b = _alike(left, right)[:2] if isinstance(left, Number) else (left, right)
    return bool({
        "==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b,
    }[operator])  # fmt: skip
