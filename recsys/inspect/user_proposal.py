"""Settings for tables of users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recsys.inspect.columns import Column
from recsys.inspect.tables import Table
from recsys.inspect.yaml_lines import Setting
from recsys.prepare.mapping_settings import OF_USER

_TRUTHS = {"true", "false", "yes", "no", "0", "1", "t", "f", "y", "n"}
_MOST = 6


def user_settings(tables: Sequence[Table]) -> Iterator[Setting]:
    """Which columns of users are kept, and of which types."""
    if not tables:
        return
    yield Setting("users", [str(table.path) for table in tables])
    first = tables[0]
    user = first.roles["user_id"].column
    known = {role.column: name.removeprefix(OF_USER) for name, role in first.roles.items()}
    kept = {}
    for column in first.columns:
        if column.name != user and column.name in known and column.distinct > 1:
            kept[known[column.name]] = column
    names = {"user_id": user} | {ours: column.name for ours, column in kept.items()}
    if renamed := {ours: name for ours, name in names.items() if ours.casefold() != name.casefold()}:
        yield Setting("user_columns", renamed)
    if kept:
        types = {ours: _type_of(column) for ours, column in list(kept.items())[:_MOST]}
        yield Setting("user_attributes", types, "kept; a model reads them only if it is told to")


def _type_of(column: Column) -> str:
    if {value.casefold() for value in column.counts} <= _TRUTHS and column.distinct <= 2:
        return "bool"
    if column.times is not None:
        return "date"
    return "number" if column.numeric > 0.95 else "text"
