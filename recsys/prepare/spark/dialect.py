"""SQL as DuckDB reads it, as Spark reads it: sqlglot translates, and what it leaves is done here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlglot
from sqlglot import exp

# DuckDB's functions without a counterpart of the same name. Hashes differ in value: they are compared among each other.
_FUNCTIONS = {"HASH": "xxhash64"}


def parsed(statement: str) -> exp.Expr:
    """One statement of DuckDB."""
    return sqlglot.parse_one(statement, dialect="duckdb")


def in_spark(query: exp.Expr, values: Mapping[str, Any]) -> str:
    """A query for Spark, with values in the places of `$name`.

    Args:
        query: as `parsed` gives it.
        values: by the names of parameters: None, numbers, texts and lists of them.

    Raises:
        KeyError: a parameter has no value.
    """
    return query.copy().transform(_translated, values).sql(dialect="spark")


def table_names(query: exp.Expr) -> set[str]:
    """The tables that a statement reads or changes, without those that it defines by WITH."""
    defined = {each.alias for each in query.find_all(exp.CTE)}
    return {table.name for table in query.find_all(exp.Table)} - defined


def _translated(node: exp.Expr, values: Mapping[str, Any]) -> exp.Expr:
    if isinstance(node, exp.Placeholder):
        return _literal(values[node.name])
    if isinstance(node, exp.Anonymous) and node.name.upper() in _FUNCTIONS:
        return exp.func(_FUNCTIONS[node.name.upper()], *node.expressions, dialect="spark")
    if isinstance(node, exp.Window) and isinstance(node.this, exp.RowNumber) and _is_empty(node):
        # Spark numbers rows in an order alone: that of nothing is as good as any.
        node.set("order", exp.Order(expressions=[exp.Ordered(this=exp.null())]))
    return node


def _is_empty(window: exp.Window) -> bool:
    return not any(window.args.get(part) for part in ("partition_by", "order", "alias"))


def _literal(value: Any) -> exp.Expr:
    if isinstance(value, float):
        # A number with a point would be a decimal to Spark, and its sums and products of another precision.
        return exp.cast(exp.Literal.string(repr(value)), exp.DType.DOUBLE)
    if isinstance(value, list | tuple):
        return exp.Array(expressions=[_literal(each) for each in value])
    return exp.convert(value)
