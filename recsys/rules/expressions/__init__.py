"""The language of rules' conditions: a subset of CEL, parsed, checked and evaluated over whole columns."""

from recsys.rules.expressions.checking import Condition, Side, check
from recsys.rules.expressions.context import ContextValue
from recsys.rules.expressions.errors import ExpressionError
from recsys.rules.expressions.evaluation import Outcome, evaluate
from recsys.rules.expressions.nodes import Expression, fields_of
from recsys.rules.expressions.parsing import parse

__all__ = [
    "Condition",
    "ContextValue",
    "Expression",
    "ExpressionError",
    "Outcome",
    "Side",
    "check",
    "evaluate",
    "fields_of",
    "parse",
]
