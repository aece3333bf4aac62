"""Files in the style of real shops' files, made of one small log, and what came of them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.prepare.prepared import PreparedDataset

START = 1_600_000_000  # 2020-09-13 12:26:40 UTC, a Sunday
HEADER = ["user_id", "item_id", "event_type", "timestamp", "price", "note"]
ROWS = [
    [f"u{k % 8}", f"i{(k // 8 + k) % 7}", "purchase", str(START + 3600 * k), f"{2 + k % 7}.5", "-"] for k in range(40)
]


@dataclass
class Came:
    """What came of a file: the dataset, and the manifest's entry on the file."""

    dataset: PreparedDataset

    @property
    def log(self) -> dict[str, Any]:
        return dict(self.dataset.manifest["sources"][0])

    @property
    def kept(self) -> int:
        return int(self.log["kept"])

    @property
    def dropped(self) -> dict[str, int]:
        return dict(self.log["dropped"])

    @property
    def users(self) -> set[str]:
        return set(self.dataset.user_ids)

    @property
    def items(self) -> set[str]:
        return set(self.dataset.item_ids)

    @property
    def times(self) -> list[int]:
        return sorted(self.dataset.interactions["timestamp"])

    @property
    def prices(self) -> set[float]:
        return set(self.dataset.interactions["price"].dropna())

    def item(self, name: str) -> dict[str, Any]:
        return dict(self.dataset.items.set_index("item_id").loc[name])


@dataclass
class Shop:
    """A shop's file, and what must come of it.

    Attributes:
        content: of the file.
        holds: for what came of it; None if it must be refused.
        refused: a pattern in the error's message.
        settings: of the section data.
        catalogue: content of a catalogue in JSON lines.
        name: of the file.
    """

    content: bytes | Callable[[Path], object]
    holds: Callable[[Came], bool] | None = None
    refused: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    catalogue: str = ""
    name: str = "log.csv"


def text(rows: list[list[str]] = ROWS, header: list[str] = HEADER, delimiter: str = ",", end: str = "\n") -> str:
    return "".join(delimiter.join(row) + end for row in [header, *rows])


def with_value(column: str, make: Callable[[int, str], str], every: int = 1) -> list[list[str]]:
    """The rows with another value in a column of every so many of them."""
    place = HEADER.index(column)
    return [
        [*row[:place], make(k, row[place]) if k % every == 0 else row[place], *row[place + 1 :]]
        for k, row in enumerate(ROWS)
    ]


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.csv", content)
    return buffer.getvalue()


def parquet(**columns: Any) -> Callable[[Path], object]:
    """A writer of a Parquet file of the rows, some columns replaced."""
    names = {name: [row[place] for row in ROWS] for place, name in enumerate(HEADER)}
    return lambda path: pq.write_table(pa.table({**names, **columns}), path)


def catalogue(make: Callable[[int], dict[str, Any]]) -> str:
    return "".join(json.dumps(make(n), ensure_ascii=False) + "\n" for n in range(7))
