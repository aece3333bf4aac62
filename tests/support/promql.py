"""What an expression of PromQL asks for: metrics, and the labels by which it chooses and groups them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser as ast

OF_THE_SCRAPE = frozenset({"job", "instance", "__name__"})


@dataclass(frozen=True)
class Asked:
    """A selector: the name of its metric, a regular expression where it may be one of several, and its matchers."""

    name: str
    matchers: tuple[tuple[str, str], ...]


def parse(expression: str) -> Any:
    """The syntax tree; Grafana's own variable stands for a time."""
    return ast.parse(expression.replace("$__rate_interval", "5m"))


def asked(node: Any) -> Iterator[Asked]:
    """Every selector below a node."""
    if isinstance(node, ast.VectorSelector):
        matchers = tuple((matcher.name, matcher.value) for matcher in node.matchers.matchers)
        named = [value for label, value in matchers if label == "__name__"]
        yield Asked(node.name or named[0], tuple(pair for pair in matchers if pair[0] != "__name__"))
    for below in _below(node):
        yield from asked(below)


def grouped_by(node: Any) -> Iterator[tuple[str, set[str]]]:
    """Of every aggregation, a label that it names and the metrics below it."""
    if isinstance(node, ast.AggregateExpr) and node.modifier is not None:
        metrics = {selector.name for selector in asked(node.expr)}
        yield from ((label, metrics) for label in node.modifier.labels)
    for below in _below(node):
        yield from grouped_by(below)


def _below(node: Any) -> Iterator[Any]:
    if isinstance(node, ast.BinaryExpr):
        yield from (node.lhs, node.rhs)
    elif isinstance(node, ast.Call):
        yield from node.args
    elif isinstance(node, ast.MatrixSelector):
        yield node.vector_selector
    elif isinstance(node, (ast.AggregateExpr, ast.ParenExpr, ast.UnaryExpr, ast.SubqueryExpr)):
        yield node.expr


def matches(name: str, metric: str) -> bool:
    """Whether a selector's name, or regular expression, is that of a metric."""
    return re.fullmatch(name, metric) is not None
