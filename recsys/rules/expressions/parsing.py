"""From a text to a tree."""

from __future__ import annotations

import json
from functools import cache

from lark import Lark, Token
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError

from recsys.rules.expressions.building import Builder, refuse
from recsys.rules.expressions.errors import ExpressionError
from recsys.rules.expressions.nodes import Expression, Node, parts_of
from recsys.rules.rule import MAX_EXPRESSION_CHARS

MAX_DEPTH = 64  # nodes above each other; the functions that walk a tree call themselves
# By the kinds of words and signs that may follow, the first that fits.
_WANTED = {
    "NUMBER": "a value",
    "NAME": "a name",
    "$END": "an operator or the end",
    "RPAR": 'an operator or ")"',
    "RSQB": '"," or "]"',
}
_HINTS = {
    "=": "to compare, write ==",
    "&": "write && or and",
    "|": "write || or or",
    "?": "there is no ?:, write (a && b) || (!a && c)",
    "%": "numbers have + - * /",
    '"': "the text that begins here does not end",
    "'": "the text that begins here does not end",
    **dict.fromkeys("\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb", 'texts stand in "straight quotes"'),
    "{": "there are no maps; a list is written [1, 2]",
}


def parse(text: str) -> Expression:
    """The tree of an expression.

    Raises:
        ExpressionError: it is none of the language, too long, or nested too deeply.
    """
    if len(text) > MAX_EXPRESSION_CHARS:
        raise ExpressionError(f"longer than {MAX_EXPRESSION_CHARS} characters (it has {len(text)})", 1, 1, 0)
    try:
        root: Node = Builder().transform(_parser().parse(text))
    except VisitError as error:
        if isinstance(error.orig_exc, ExpressionError):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    _require_shallow(root)
    return Expression(text, root)


@cache
def _parser() -> Lark:
    return Lark.open_from_package(
        __package__, "grammar.lark", parser="lalr", propagate_positions=True, maybe_placeholders=False
    )


def _syntax_error(text: str, error: UnexpectedInput) -> ExpressionError:
    if isinstance(error, UnexpectedToken):
        return _misplaced(text, error.token, error.accepts)
    wrong = text[error.pos_in_stream or 0]
    hint = f": {_HINTS[wrong]}" if wrong in _HINTS else ""
    shown = json.dumps(wrong, ensure_ascii=not wrong.isprintable())  # a space that is none must be seen
    return ExpressionError(f"unexpected {shown}{hint}", error.line, error.column, error.pos_in_stream or 0)


def _misplaced(text: str, token: Token, accepted: set[str]) -> ExpressionError:
    """Of a word or sign where none of its kind may stand; `accepted` are the kinds that may."""
    wanted = next((words for kind, words in _WANTED.items() if kind in accepted), "a field, such as item.price,")
    if token.type == "$END":
        lines = text.split("\n")
        return ExpressionError(f"ends where {wanted} should follow", len(lines), len(lines[-1]) + 1, len(text))
    if token.type == "ORDER" and "NUMBER" not in accepted:
        wanted = "comparisons do not chain, join them with &&: an operator or the end"
    message = f"unexpected {json.dumps(token)}: {wanted} should follow"
    return ExpressionError(message, token.line or 1, token.column or 1, token.start_pos or 0)


def _require_shallow(root: Node) -> None:
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            refuse(node.place, f"nested deeper than {MAX_DEPTH} levels")
        waiting += [(part, depth + 1) for part in parts_of(node)]
