"""Files of JSON lines, or of lines of Python literals, as checked records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from recsys.prepare.formats.base import OnBytes, RawItem
from recsys.prepare.formats.files import read_blocks
from recsys.prepare.formats.json_records import LineParser
from recsys.prepare.formats.layouts import LAYOUTS, item_type
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.read_ahead import read_ahead
from recsys.prepare.settings import DataConfig

BATCH_ROWS = 1 << 15


def raw_items(layout_name: str, report: InputReport, config: DataConfig, on_bytes: OnBytes) -> Iterator[list[RawItem]]:
    """Yield a metadata file in a layout of `LAYOUTS`, see `Format.items`."""
    layout = LAYOUTS[layout_name]
    return read_records(report, config, item_type(layout, config.attributes), on_bytes, layout.literals, loose=True)


def read_records(
    report: InputReport,
    config: DataConfig,
    line_type: type[Any],
    on_bytes: OnBytes,
    literals: bool = False,
    loose: bool = False,
) -> Iterator[list[Any]]:
    """Yield a file as lists of at least `BATCH_ROWS` objects of `line_type`; the last list may be shorter.

    Args:
        report: of the file; its bad lines are counted there.
        config: the limit on bad lines, and whether a truncated file is allowed.
        line_type: a msgspec type.
        on_bytes: called with each number of bytes read.
        literals: whether lines may be Python literals.
        loose: whether fields of another type are read as what they mean, or left out if they are not required.

    Raises:
        DataError: see `read_blocks`; too many bad lines.
    """
    blocks = read_ahead(read_blocks(report, config.allow_truncated, on_bytes))
    batch: list[Any] = []
    parser = LineParser(report, line_type, literals, loose)
    for block in blocks:
        batch += parser.records(block)
        if len(batch) >= BATCH_ROWS:
            yield batch
            batch = []
    report.check_bad_share(config.max_bad_line_share)
    if batch:
        yield batch
