"""One table of events written in every way that a shop may write it, with the settings that read it."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

THEIRS: Final = {
    "user_id": "Kunden Nr",
    "item_id": "SKU",
    "event_type": "Aktion",
    "timestamp": "when",
    "price": "Betrag",
    "quantity": "Anz",
}
TYPES: Final = {"gesehen": "view", "Gekauft": "purchase", "Suche": "ignore"}


def _zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log.csv", data)
    return buffer.getvalue()


COMPRESSIONS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": lambda data: bytes(pa.compress(data, "zstd")),
    ".zip": _zipped,
}


@dataclass(frozen=True)
class Row:
    """An event as the table has it, and a note that nothing reads."""

    user: str
    item: str
    type: str
    time: int
    price: float | None
    quantity: int | None
    note: str

    def values(self) -> dict[str, Any]:
        """By our names; nothing in the place of what is missing."""
        return {
            "user_id": self.user,
            "item_id": self.item,
            "event_type": self.type,
            "timestamp": self.time,
            "price": self.price,
            "quantity": self.quantity,
        }


@dataclass(frozen=True)
class Dialect:
    """How a table is written as delimited text."""

    delimiter: str
    quote: str
    end: str
    encoding: str
    has_header: bool

    def settings(self) -> dict[str, Any]:
        """What has to be said, because without names the first line may be read in several ways."""
        said: dict[str, Any] = {"quote": self.quote or "none"}
        if self.encoding == "windows-1252":
            said["encoding"] = self.encoding
        if not self.has_header:
            said |= {"header": [*THEIRS.values(), "_"], "delimiter": self.delimiter}
        return said


def as_text(rows: Sequence[Row], dialect: Dialect, names: Sequence[str]) -> bytes:
    """The table as delimited text; `names` of its columns, the last of which is that of the notes."""
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=dialect.delimiter,
        lineterminator=dialect.end,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
    )
    if dialect.has_header:
        writer.writerow(names)
    for row in rows:
        values = [*row.values().values(), row.note]
        writer.writerow(["" if value is None else value for value in values])
    return out.getvalue().encode(dialect.encoding)


def as_flat_json(rows: Sequence[Row], names: Sequence[str], *, in_array: bool) -> bytes:
    """A record for each event, its numbers as numbers; what is missing is null or left out in turn."""
    records = []
    for number, row in enumerate(rows):
        record = dict(zip(names, [*row.values().values(), row.note], strict=True))
        records.append({name: value for name, value in record.items() if value is not None or number % 2})
    return _json(records, in_array=in_array)


NESTED: Final = {
    "user_id": "user.id",
    "item_id": "basket.Lines[].product.sku",
    "event_type": "event.name",
    "timestamp": "event.at",
    "price": "basket.Lines[].paid",
    "quantity": "basket.Lines[].n",
}


def nested(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A record for all events that follow each other and have user, type and time in common."""
    records = []
    for (user, kind, time), group in groupby(rows, key=lambda row: (row.user, row.type, row.time)):
        lines = [
            {"product": {"sku": row.item, "note": row.note}, "paid": row.price, "n": row.quantity} for row in group
        ]
        records.append({"user": {"id": user}, "event": {"name": kind, "at": time}, "basket": {"Lines": lines}})
    return records


def as_nested_json(rows: Sequence[Row], *, in_array: bool) -> bytes:
    return _json(nested(rows), in_array=in_array)


def write_parquet(rows: Sequence[Row], names: Sequence[str], path: Path) -> None:
    """A column for each of the table's; times as timestamps."""
    columns = {name: [row.values()[ours] for row in rows] for ours, name in zip(THEIRS, names, strict=False)}
    table = pa.table(columns)
    place = list(THEIRS).index("timestamp")
    times = table.column(place).cast(pa.timestamp("s", "UTC")).cast(pa.timestamp("us", "UTC"))
    pq.write_table(table.set_column(place, names[place], times), path, row_group_size=7)


def write_nested_parquet(rows: Sequence[Row], path: Path) -> None:
    line = pa.struct(
        {"product": pa.struct({"sku": pa.string()}), "paid": pa.float64(), "n": pa.int64()},
    )
    schema = pa.schema(
        {
            "user": pa.struct({"id": pa.string()}),
            "event": pa.struct({"name": pa.string(), "at": pa.int64()}),
            "basket": pa.struct({"Lines": pa.list_(line)}),
        }
    )
    pq.write_table(pa.Table.from_pylist(nested(rows), schema=schema), path, row_group_size=5)


def _json(records: Sequence[Any], *, in_array: bool) -> bytes:
    if in_array:
        return json.dumps(records, ensure_ascii=False, indent=1).encode()
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
