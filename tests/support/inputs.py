"""Inputs of a preparation, in the ways in which shops and servers keep their events."""

import bz2
import csv
import gzip
import zipfile
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from recsys.config import parse_config
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from recsys.store import Event, Store

COLUMNS = ("event_id", "user_id", "item_id", "event_type", "timestamp")
HEADER = "user_id,item_id,event_type,timestamp\n"


def run(tmp_path: Path, interactions: Sequence[Any], **data: Any) -> PreparedDataset:
    return PreparedDataset.load(prepare_at(tmp_path, interactions, **data))


def prepare_at(tmp_path: Path, interactions: Sequence[Any], console: Console | None = None, **data: Any) -> Path:
    given_ = {
        "format": "events",
        "interactions": interactions,
        "prepared_dir": tmp_path / "prepared",
        "k_core_users": 0,
        "k_core_items": 0,
        **data,
    }
    return prepare(parse_config({"name": "shop", "data": given_}, "the test"), console or Console(quiet=True))


def day(number: int, users: str = "uvw") -> str:
    """A log of one day of September 2020: each user views two items of that day."""
    start = 1_598_918_400 + (number - 1) * 86_400
    return HEADER + "".join(
        f"{user},i{number}{n},view,{start + 60 * n + ord(user)}\n" for n in range(2) for user in users
    )


def days(*numbers: int) -> str:
    return HEADER + "".join(day(number).removeprefix(HEADER) for number in numbers)


def write_days(folder: Path) -> Path:
    """Daily logs of three days, and the marker of the job that wrote them."""
    folder.mkdir()
    for number in (3, 1, 2):
        (folder / f"2020-09-0{number}.csv").write_text(day(number))
    (folder / "_SUCCESS").touch()
    return folder


class Logged(NamedTuple):
    event_id: str
    user_id: str
    item_id: str
    event_type: str
    timestamp: int


def csv_text(events: Sequence[Logged]) -> str:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerows([COLUMNS, *events])
    return text.getvalue()


def write_csv(path: Path, events: Sequence[Logged]) -> Path:
    path.write_text(csv_text(events), "utf8")
    return path


def write_gzip(path: Path, events: Sequence[Logged]) -> Path:
    path.write_bytes(gzip.compress(csv_text(events).encode()))
    return path


def write_zip(path: Path, events: Sequence[Logged]) -> Path:
    """Two files packed in one, each with its names of columns, where there are so many events."""
    half = len(events) // 2
    with zipfile.ZipFile(path, "w") as archive:
        for number, part in enumerate(part for part in (events[:half], events[half:]) if part):
            archive.writestr(f"{number}.csv", csv_text(part))
    return path


def write_spreadsheet(path: Path, events: Sequence[Logged]) -> Path:
    """Semicolons and UTF-16, compressed."""
    rows = [";".join(f'"{value}"' for value in row) + "\r\n" for row in (COLUMNS, *events)]
    path.write_bytes(bz2.compress("".join(rows).encode("utf-16")))
    return path


def write_parquet(path: Path, events: Sequence[Logged]) -> Path:
    pq.write_table(pa.table(dict(zip(COLUMNS, zip(*events, strict=True), strict=True))), path)
    return path


def write_store(path: Path, events: Sequence[Logged]) -> Path:
    with Store.open(str(path), timeout_s=20) as store:
        store.upgrade()
        store.append([Event(*event) for event in events])
    return path


WRITERS: Sequence[Callable[[Path, Sequence[Logged]], Path]] = (
    write_csv,
    write_gzip,
    write_zip,
    write_spreadsheet,
    write_parquet,
    write_store,
)
