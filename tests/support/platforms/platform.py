"""What a platform's generated files are, and what a preparation makes of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

START = 1_600_000_000  # 2020-09-13 12:26:40 UTC
HOUR = 3600
USERS, ITEMS = 6, 7


@dataclass(frozen=True)
class Platform:
    """Files in the style of a platform.

    Attributes:
        name: of its config.
        files: their contents, by their names.
        types: number of events that are kept, by our type.
        dropped: number of lines that are none, by cause.
        users, items: in the dataset.
        facts: of some items: their fields.
        user_facts: of some users: their attributes.
        uninspected: settings that an inspection cannot know, or that it need not propose.
        statements: that DuckDB runs in the folder once the files are there, as the config says.
    """

    name: str
    files: Mapping[str, str | bytes]
    types: Mapping[str, int]
    users: int
    items: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    user_facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    uninspected: Sequence[str] = ()
    statements: Sequence[str] = ()

    def write(self, folder: Path) -> None:
        """Write the files into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        for statement in self.statements:
            duckdb.sql(statement.format(folder=folder.as_posix()))


def table(header: str, rows: Iterable[Sequence[Any]], delimiter: str = ",") -> str:
    """A table as CSV; `header` as it stands in the first line, "" for none."""
    text = io.StringIO()
    if header:
        text.write(header + "\n")
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue()


def lines(records: Iterable[Mapping[str, Any]]) -> str:
    """Records as JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def user(k: int) -> int:
    """The user of event k."""
    return k % USERS


def item(k: int) -> int:
    """The item of event k: with k = 6 r + u it is (r + u) modulo 7, so that each user meets all in seven rounds."""
    return (2 * (k // USERS) + k) % ITEMS


def when(k: int, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    """The time of event k, one an hour, as a text."""
    return f"{datetime.fromtimestamp(START + HOUR * k, UTC):{pattern}}"


def seconds(k: int) -> int:
    """The time of event k, one an hour."""
    return START + HOUR * k
