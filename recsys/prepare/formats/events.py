"""Event logs in delimited text or Parquet, with a catalogue in any form (`recsys.prepare.formats.catalogue`).

Columns: user_id, item_id, event_type, timestamp (see `recsys.core.values.times` for how it may be written); optional
rating, price, quantity, event_id; others are ignored. `data.event_weights` gives the weight of each type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from recsys.core.errors import DataError
from recsys.prepare import columns as c
from recsys.prepare.formats.base import Format, OnBytes
from recsys.prepare.formats.catalogue import reader as catalogue
from recsys.prepare.formats.delimited import DelimitedRows
from recsys.prepare.formats.event_checks import OPTIONAL, REQUIRED, checked_tables
from recsys.prepare.formats.files import head_texts
from recsys.prepare.formats.names import missing_names, nearest_names
from recsys.prepare.formats.parquet import check_types, is_parquet, open_parquet, parquet_tables, typed_columns
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.raw.dialects import read_header
from recsys.prepare.settings import DataConfig
from recsys.prepare.text_settings import TextConfig

_NUMBER_OR_TIME = re.compile(r"^\s*[-+]?\d[\d.,:/TZ+ -]*$")


def event_tables(report: InputReport, config: DataConfig, first_seq: int, on_bytes: OnBytes) -> Iterator[pa.Table]:
    """Yield an event log in delimited text or Parquet, see `Format.interactions`."""
    rows = DelimitedRows(report)
    if is_parquet(report.path):
        file = open_parquet(report.path)
        typed = typed_columns(file.schema_arrow)
        batches = parquet_tables(file, report, config, (*REQUIRED, *OPTIONAL), on_bytes)
        yield from checked_tables(rows, batches, config, config.event_weights, first_seq, typed=typed)
        return
    columns = {name: name for name in (*REQUIRED, *OPTIONAL)}
    batches = rows.read(columns, config.allow_truncated, on_bytes)
    yield from checked_tables(rows, batches, config, config.event_weights, first_seq)


def check(report: InputReport) -> None:
    """Stop when a file is evidently no event log, or no catalogue of one; see `Format.check`."""
    if report.kind == "interactions":
        check_columns(report.path, report.text)
    else:
        catalogue.check(report)


def check_columns(path: Path, text: TextConfig | None = None) -> None:
    """Stop when a file is no CSV or Parquet file with the required columns; `text`: how text is written.

    Raises:
        DataError: a column is missing, comes twice, or is of a type that holds no values; with those that there are.
    """
    if is_parquet(path):
        schema = open_parquet(path).schema_arrow
        _check_names(schema.names, str(path))
        check_types(path, schema)
        return
    text = text or TextConfig()
    for file_name, head in head_texts(path, text.encoding):
        header = read_header(head, text, (*REQUIRED, *OPTIONAL), file_name)
        _check_names(header.names, file_name, is_packed=file_name != str(path))


def _check_names(names: list[str], file_name: str, is_packed: bool = False) -> None:
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        got, remedy = _missing(missing, names)
        if is_packed:
            remedy += "; or unpack the archive, and name the files in it that are event logs"
        raise DataError(f"the columns {', '.join(REQUIRED)} in {file_name}", got, remedy)
    twice = [name for name in (*REQUIRED, *OPTIONAL) if names.count(name) > 1]
    if twice:
        raise DataError(
            f"each column once in {file_name}",
            f"{', '.join(f'{name} {names.count(name)} times' for name in twice)} among {', '.join(names)[:200]}",
            "rename or remove all but one of them",
        )


def _missing(missing: Sequence[str], names: Sequence[str]) -> tuple[str, str]:
    """What a file has in the place of columns that it lacks, and the remedy."""
    if _is_data(names):
        return (
            f"a first line that holds data and no names: {','.join(names)[:100]!r}",
            "write a line with the names of the columns before it",
        )
    if len(names) == 1 and all(name in names[0] for name in missing):
        return missing_names(missing, names), "set data.delimiter to what stands between the names"
    nearest = nearest_names(missing, [name for name in names if name not in (*REQUIRED, *OPTIONAL)])
    remedies = [f"rename {name} to {wanted}" for wanted, name in nearest.items()]
    left = [name for name in missing if name not in nearest]
    if left == [c.EVENT_TYPE]:
        remedies.append("add a column event_type (purchase in every row, where the file has purchases alone)")
    elif left:
        remedies.append(f"add {', '.join(left)} (from another table of the shop)")
    return missing_names(missing, names), f"{'; '.join(remedies)}; or set data.format to what the file is"


def _is_data(names: Sequence[str]) -> bool:
    """Whether a first line holds values in the place of names: numbers, times, or nothing that begins with a letter."""
    return bool(names) and (
        any(_NUMBER_OR_TIME.match(name) for name in names) or not any(name[:1].isalpha() for name in names)
    )


EVENTS = Format(
    check=check,
    interactions=event_tables,
    items=catalogue.items,
    item_fields=catalogue.item_fields,
    is_catalogue=True,
    has_purchases=True,
)
