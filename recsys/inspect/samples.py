"""Rows of a file as tables of strings: those at its head, and some at places drawn from all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from recsys.prepare.formats.delimited_blocks import BlockReader

HEAD_BYTES = 2 << 20
WHOLE_BYTES = 4 << 20  # plain files up to this size are read whole
PLACES = 24
PLACE_BYTES = 1 << 16
SEED = 0

Layout = Literal["delimited text", "JSON lines", "a JSON array", "JSON objects", "Python literals", "Parquet"]


@dataclass
class Sample:
    """Rows of a file.

    Attributes:
        path: of the file.
        layout: how its rows are kept.
        rows: strings, null where there is nothing; those of the head first. Columns are named as the file names them,
            fields of JSON by their path (`items[].item_id`: a row for each entry of the list).
        head_rows: number of rows from the head.
        size: of the file, in bytes as stored.
        total: number of rows of the file; None where nothing tells.
        is_exact: whether `total` is counted and not estimated.
        places: number of places behind the head from which rows were read.
        has_names: whether the file names its columns; otherwise they are `column_1` and so on.
        types: of the columns that have one (Parquet), in words.
        extremes: of columns of which the file says them (Parquet): the least and the greatest value of all.
        written_as: encoding, compression, separator and quotes, in words.
        settings: of the section `data` without which the file cannot be read so.
        notes: what is odd about it, as sentences.
        head: the text of the head, in UTF-8, whole lines; empty of Parquet.
        reader: of blocks of delimited text.
    """

    path: Path
    layout: Layout
    rows: pa.Table
    head_rows: int
    size: int
    total: int | None = None
    is_exact: bool = False
    places: int = 0
    has_names: bool = True
    types: Mapping[str, str] = field(default_factory=dict)
    extremes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    written_as: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    head: bytes = b""
    reader: BlockReader | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all rows of the file are in the sample."""
        return self.is_exact and self.total == len(self.rows)

    @property
    def of_head(self) -> pa.Table:
        """The rows of the head."""
        return self.rows.slice(0, self.head_rows)


def strings_table(rows: list[dict[str, str | None]]) -> pa.Table:
    """Rows with any keys as a table of strings, the keys in the order in which they come first."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})


def joined(tables: list[pa.Table]) -> pa.Table:
    """Tables one below the other; a column that one lacks is null there."""
    return pa.concat_tables(tables, promote_options="default").combine_chunks()


def without_blanks(table: pa.Table) -> pa.Table:
    """A table of strings without blanks around them; what is empty then is null."""
    columns = {}
    for name in table.column_names:
        texts = pc.utf8_trim_whitespace(table[name])
        columns[name] = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    return pa.table(columns) if columns else table
