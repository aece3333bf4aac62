"""A section `data` that reads what was looked at, with comments on what is not certain."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from recsys.config import Config, parse_config
from recsys.core.events import LIST_EVENT_TYPES, LOG_WEIGHTS, SECONDS_PER_DAY
from recsys.inspect.columns import Column
from recsys.inspect.event_types import map_types
from recsys.inspect.item_proposal import catalogue_settings, property_settings, told_separator, told_settings
from recsys.inspect.roles import Roles
from recsys.inspect.tables import Table
from recsys.inspect.user_proposal import user_settings
from recsys.inspect.words import meaning_of
from recsys.inspect.yaml_lines import Setting, yaml_text
from recsys.prepare.formats.matching import plain_name
from recsys.prepare.mapping_settings import GROUP
from recsys.prepare.settings import DataConfig

LOGS = ("event log", "Amazon reviews", "RecBole interactions", "store")
CATALOGUES = ("catalogue", "Amazon metadata", "RecBole items")
_BOUGHT = re.compile(r"order|transact|purchase|sale|invoice|basket|receipt|lineitem", re.IGNORECASE)
_LEAST_TIMES = 5  # that differ, of a log that is split by time
_NEEDED = ("user_id", "item_id", "event_type", "timestamp")
_NOT_YET = "EVENTS.csv"


@dataclass(frozen=True)
class Proposal:
    """A config.

    Attributes:
        text: of the whole config, in YAML.
        config: the same, as the programs read it.
        unclear: what somebody must say, as sentences.
    """

    text: str
    config: Config
    unclear: list[str]

    @property
    def has_log(self) -> bool:
        """Whether there is an event log to prepare."""
        return self.config.data.interactions != [Path(_NOT_YET)]


def propose(tables: Sequence[Table]) -> Proposal:
    """A config that reads the tables.

    Raises:
        ConfigError: the settings contradict each other: a fault of the proposal.
    """
    logs, left_out = _alike([table for table in tables if table.kind in LOGS])
    catalogues = [table for table in tables if table.kind in CATALOGUES]
    _agree_on_editions(logs, catalogues)
    settings = [
        *_inputs(logs, catalogues),
        *(_log_settings(logs, bool(catalogues)) if logs else _of_schemas(tables)),
        *_text_settings([*logs, *catalogues]),
        *catalogue_settings(catalogues),
        *property_settings([table for table in tables if table.kind == "property log"], bool(catalogues)),
        *user_settings([table for table in tables if table.kind == "users"]),
        *_split(logs),
    ]
    text = f"name: {_name_of(logs or tables)}\ndata:\n{yaml_text(settings, '  ')}"
    unclear = list(_unclear(tables, logs, left_out))
    return Proposal(text, parse_config(yaml.safe_load(text), "the proposal"), unclear)


def _name_of(tables: Sequence[Table]) -> str:
    stem = re.sub(r"[^A-Za-z0-9]+", "_", tables[0].path.name.partition(".")[0]).strip("_").lower()
    return stem if re.match(r"[a-z]", stem) else f"shop_{stem}".rstrip("_")


def _alike(logs: list[Table]) -> tuple[list[Table], list[Table]]:
    """The logs that one mapping reads, and the others: most files with the same columns, then the largest."""
    if not logs:
        return [], []
    shapes = Counter(_shape(log) for log in logs)
    rows = Counter[tuple[Any, ...]]()
    for log in logs:
        rows[_shape(log)] += log.sample.size if log.sample else 0
    best = max(shapes, key=lambda shape: (shapes[shape], rows[shape]))
    return [log for log in logs if _shape(log) == best], [log for log in logs if _shape(log) != best]


def _agree_on_editions(logs: Sequence[Table], catalogues: Sequence[Table]) -> None:
    """Read reviews that two editions read alike as those of their catalogue's edition."""
    for log in logs:
        log.format = next((each.format for each in catalogues if each.format in log.also_fitting), log.format)


def _shape(log: Table) -> tuple[Any, ...]:
    """What logs have in common that one config reads: formats that name their columns themselves, or the mapping."""
    if log.format != "events":
        return (log.format,)
    return log.format, tuple(sorted((role, plain_name(given.column)) for role, given in log.roles.items()))


def _format_of(logs: Sequence[Table]) -> str:
    return logs[0].format if logs else "events"


def _inputs(logs: Sequence[Table], catalogues: Sequence[Table]) -> Iterator[Setting]:
    yield Setting("format", _format_of(logs))
    types = _types_of_files(logs)
    if types:
        typed = [{"path": str(log.path), "event_type": name} for log, name in zip(logs, types, strict=True)]
        yield Setting("interactions", typed, "guessed: the names of the files tell what happened")
    elif logs:
        yield Setting("interactions", [str(log.path) for log in logs])
    else:
        yield Setting("interactions", [_NOT_YET], "unclear: none of the files is an event log; name one")
    if catalogues:
        named = [
            str(each.path) if each.format == _format_of(logs) else {"path": str(each.path), "format": each.format}
            for each in catalogues
        ]
        yield Setting("metadata", named)


def _text_settings(tables: Sequence[Table]) -> Iterator[Setting]:
    found: dict[str, Any] = {}
    for table in tables:
        found |= table.sample.settings if table.sample else {}
    for key, value in found.items():
        yield Setting(key, value, "guessed: look whether letters and columns come out right")


def _types_of_files(logs: Sequence[Table]) -> list[str]:
    """What happened in each of several logs without types, by the names of the files; empty where these tell not."""
    if any(log.format != "events" or {"event_type", "rating"} & set(log.roles) for log in logs):
        return []
    types = [_type_in_name(log.path.name.partition(".")[0]) for log in logs]
    return [name for name in types if name] if all(types) and len(set(types)) > 1 else []


def _type_in_name(stem: str) -> str | None:
    """The type that a file's name tells: the whole of it, or one of its words."""
    found = [meaning_of(part) for part in (stem, *re.split(r"[\W_]+", stem))]
    types = {name for name in found if name in LOG_WEIGHTS or name in LIST_EVENT_TYPES}
    return types.pop() if len(types) == 1 else None


def _log_settings(logs: Sequence[Table], has_catalogue: bool) -> Iterator[Setting]:
    log = logs[0]
    if log.sample is None or log.format not in ("events", "recbole"):
        return
    yield from _columns(log, has_catalogue)
    if not has_catalogue:
        yield from told_separator(log)
    if not _types_of_files(logs):
        yield from _types(log)
    yield from _ratings(log.column("rating"))
    yield from _times(log.column("timestamp"))
    yield from _bad_lines(log)


def _columns(log: Table, has_catalogue: bool) -> Iterator[Setting]:
    told = {} if has_catalogue else told_settings(log)
    roles: Roles = {**log.roles, **told}
    comments = {
        role: f"guessed from {given.why}: {', '.join(_examples(log, given.column))}"
        for role, given in roles.items()
        if given.is_guessed
    }
    if log.sample is not None and not log.sample.has_names:
        ours = {given.column: role for role, given in log.roles.items()}
        header = [ours.get(column.name, "_") for column in log.columns]
        yield Setting("header", header, "the first line is data", comments)
        return
    named = {role: given.column for role, given in roles.items() if given.column.casefold() != role}
    if log.group:
        named[GROUP] = log.group
        comments[GROUP] = "the first row of each alone says who, when, or in which state"
    if named:
        ordered = {role: named[role] for role in sorted(named, key=list(_ORDER).index)}
        yield Setting("columns", ordered, comments={role: comments.get(role, "") for role in named})


def _of_schemas(tables: Sequence[Table]) -> Iterator[Setting]:
    """What schemas call the columns of files that are not there yet."""
    for table in tables:
        if table.kind == "schema":
            key = "columns" if "user_id" in table.roles else "metadata_columns"
            named = {role: given.column for role, given in table.roles.items() if given.column.casefold() != role}
            if named:
                yield Setting(key, named)


_ORDER = dict.fromkeys(
    (
        *("user_id", "item_id", "event_type", "timestamp", "rating", "price", "quantity", "event_id", GROUP),
        *("item.title", "item.brand", "item.categories", "item.price", "item.description", "item.image"),
    )
)


def _examples(log: Table, name: str) -> list[str]:
    column = next(column for column in log.columns if column.name == name)
    return [example[:24] for example in column.examples[:2]]


def _types(log: Table) -> Iterator[Setting]:
    types = log.column("event_type")
    if types is not None and log.sample is not None:
        mapping = map_types(types.counts, not log.sample.is_whole)
        if mapping.renamed:
            yield Setting("event_types", mapping.renamed, comments=mapping.comments)
        return
    if "rating" in log.roles:
        return
    names = [str(log.path.name), *(column.name for column in log.columns)]
    if {"price", "quantity"} & set(log.roles) or any(map(_BOUGHT.search, names)):
        yield Setting("event_type", "purchase", "guessed: no column tells what happened; each row is a purchase")
    else:
        yield Setting("event_type", "view", "unclear: no column tells what happened; set what each row is")


def _ratings(column: Column | None) -> Iterator[Setting]:
    if column is None or not len(column.numbers):
        return
    low, high = float(column.numbers.min()), float(column.numbers.max())
    if low >= 1 and high <= 5:
        return
    best = next((top for top in (5, 10, 100) if high <= top), high)
    yield Setting("rating_range", [min(low, 1.0), float(best)], f"the sample has {low:g} to {high:g}")


def _times(column: Column | None) -> Iterator[Setting]:
    if column is None:
        return
    times = column.times
    if times is None or times.are_order_numbers:
        yield Setting("time_unit", "s", "numbers that order events, and no times")
        yield Setting("burst_seconds", 0, "numbers that follow each other are no burst")
    elif times.date_order:
        sure = "" if times.is_sure else "unclear: the other order fits as well; "
        yield Setting("date_order", times.date_order, f"{sure}for example {column.examples[0]}")


def _bad_lines(log: Table) -> Iterator[Setting]:
    """A limit on bad lines that lets through a log with rows of guests, or without an item."""
    columns = {role: column for role in _NEEDED if (column := log.column(role)) is not None}
    if not columns:
        return
    lacking = np.zeros(len(log.columns[0].texts), bool)
    for column in columns.values():
        lacking |= column.lacks
    if "user_id" in columns:
        lacking |= columns["user_id"].has_one_of(DataConfig.model_fields["no_user_ids"].default)
    share = float(lacking.mean())
    if share > DataConfig.model_fields["max_bad_line_share"].default:
        limit = min(1.0, math.ceil(share * 1.2 * 20) / 20)
        lacked = " or ".join(role for role, column in columns.items() if column.missing) or "user_id"
        yield Setting("max_bad_line_share", limit, f"guessed: {share:.1%} of the rows have no {lacked}")


def _split(logs: Sequence[Table]) -> Iterator[Setting]:
    column = logs[0].column("timestamp") if logs and logs[0].kind == "event log" else None
    times = column.times if column is not None else None
    if column is None or times is None or times.are_order_numbers:
        return
    if column.distinct >= _LEAST_TIMES and times.last - times.first >= SECONDS_PER_DAY:
        yield Setting("split", {"method": "temporal"})


def _unclear(tables: Sequence[Table], logs: Sequence[Table], left_out: Sequence[Table]) -> Iterator[str]:
    if not logs:
        yield "None of the files is evidently an event log: name one at data.interactions."
    for log in left_out:
        yield (
            f"{log.path.name} has other columns than {logs[0].path.name}: one mapping cannot read both, so it is left "
            "out; inspect it alone, or give both files the same columns."
        )
    kinds = {table.kind for table in tables}
    if {"order lines", "orders"} & kinds:
        yield (
            "Lines of orders and the orders with users and times are to be joined by the order's number first: "
            "docs/bring-your-data.md has the command (Instacart)."
        )
