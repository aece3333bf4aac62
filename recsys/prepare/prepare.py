"""Raw files to a prepared dataset: read, filter, split, write (see `columns` for the files).

    files, store ─ threads: decompress, decode ─► DuckDB `raw` ─► latest of each pair, minimum rating, k-core ─► split
    metadata ─ decode, keep the items that are left, clean ─► DuckDB `metadata` ─► items.parquet

Equal input and config give equal bytes: nothing of the clock or the machine is written.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console

from recsys.config import Config
from recsys.core.errors import DataError
from recsys.prepare import catalogue, recbole, staging, store, tables
from recsys.prepare import columns as c
from recsys.prepare.amazon import review_tables
from recsys.prepare.amazon_formats import check_format
from recsys.prepare.cold_items import hold_out_items
from recsys.prepare.events import check_columns, event_tables
from recsys.prepare.files import SourceReport, new_report, prefetch
from recsys.prepare.output import replaced_folder
from recsys.prepare.prepared import SCHEMA_VERSION
from recsys.prepare.progress import StageProgress, print_report

EVENTS = "events"
# Of interactions; the other formats are Amazon's.
READERS = {EVENTS: event_tables, store.FORMAT: store.event_tables, recbole.FORMAT: recbole.interaction_tables}
# Causes of not using a metadata record; the other counts say which fields were not understood.
_UNUSED_RECORDS = ("item_not_in_dataset", "repeated_item")


def prepare(config: Config, console: Console | None = None) -> Path:
    """Write the prepared dataset `config.prepared_path` and print what was dropped and why.

    The folder appears whole or not at all; an older one stays until the new one is complete.

    Returns:
        The folder.

    Raises:
        DataError: a file is missing, empty, damaged, of another format or has too many bad lines; nothing is left
            after filtering; the disk is full; memory does not suffice.
    """
    console = console or Console()
    data, target = config.data, config.prepared_path
    stored = data.format == store.FORMAT
    logs = [store.new_report(path) if stored else new_report(path, "interactions") for path in data.interactions]
    catalogues = [new_report(path, "metadata") for path in data.metadata]
    _check_formats(config, logs, catalogues)
    read_tables = READERS.get(data.format, review_tables)
    # The catalogue beside a store is one of an event log.
    metadata = data.model_copy(update={"format": EVENTS}) if stored else data
    unused: Counter[str] = Counter()
    with _resource_errors(config), replaced_folder(target) as folder:
        spill = folder / "spill"
        with closing(staging.connect(data, spill)) as db, StageProgress(console) as progress:
            staging.create_tables(db)
            for number, report in enumerate(logs):
                with progress.file(report.path, report.size) as on_bytes:
                    # The order of files, then of lines, decides ties in time.
                    for batch in prefetch(read_tables(report, data, number << 40, on_bytes)):
                        staging.insert(db, "raw", batch)
            with progress.stage("Filtering"):
                filters = staging.filter_interactions(db, data)
                staging.number_rows(db)
            catalogue.create_table(db)
            for report in catalogues:
                with progress.file(report.path, report.size) as on_bytes:
                    catalogue.load_metadata(db, report, metadata, on_bytes, unused)
            with progress.stage("Splitting"):
                split = staging.split_interactions(db, data.split)
                cold = _hold_out(db, config, filters)
            with progress.stage("Writing"):
                tables.write_interactions(db, folder / c.INTERACTIONS_FILE, data.format in (EVENTS, store.FORMAT))
                tables.write_users(db, folder / c.USERS_FILE)
                tables.write_items(db, folder / c.ITEMS_FILE)
            summary = staging.summary(db)
        shutil.rmtree(spill, ignore_errors=True)
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "name": config.name,
            "synthetic": config.synthetic,
            "sources": [report.to_manifest() for report in (*logs, *catalogues)],
            "interactions": filters.to_manifest(),
            "metadata": _metadata_counts(catalogues, unused),
            "split": split,
            **cold,
            **summary,
            "files": {path.name: _sha256(path) for path in sorted(folder.iterdir())},
            "config": config.model_dump(mode="json", include={"name", "synthetic", "data"}),
        }
        # Last, so that a folder with a manifest is a whole dataset.
        (folder / c.MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n", "utf8")
    print_report(console, manifest, target)
    return target


def _hold_out(db: duckdb.DuckDBPyConnection, config: Config, filters: staging.FilterReport) -> dict[str, Any]:
    """Hold out cold items if the config wants any; returns what the manifest says of them."""
    share = config.data.split.cold_items_share
    if not share:
        return {}
    cold = hold_out_items(db, share, config.seed)
    filters.dropped["cold_item_held_out"] = cold["interactions_removed"]
    return {"cold_items": cold}


def _check_formats(config: Config, logs: list[SourceReport], catalogues: list[SourceReport]) -> None:
    """Look at the first lines of all files, before hours go into the first one."""
    for report in (*logs, *catalogues):
        if config.data.format == recbole.FORMAT:
            recbole.check_header(report)
        elif config.data.format == EVENTS and report.kind == "interactions":
            check_columns(report.path)
        elif config.data.format != store.FORMAT:
            check_format(report, config.data.format)
        elif report.kind == "metadata":
            check_format(report, EVENTS)


def _metadata_counts(reports: list[SourceReport], unused: Counter[str]) -> dict[str, Any]:
    read = sum(report.kept for report in reports)
    dropped = {cause: unused[cause] for cause in _UNUSED_RECORDS}
    return {
        "read": read,
        "dropped": dropped,
        "kept": read - sum(dropped.values()),
        "fields": {cause: count for cause, count in sorted(unused.items()) if cause not in _UNUSED_RECORDS},
    }


@contextmanager
def _resource_errors(config: Config) -> Iterator[None]:
    """Turn a full disk and too little memory into errors that say what to do."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        message = str(error)
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or "No space left" in message or "failed to offload data block" in message:
            raise DataError(
                f"free disk space for {config.prepared_path}",
                f"a full disk ({message.splitlines()[0]})",
                "free some space, or set data.prepared_dir to a folder on another disk",
            ) from None
        if isinstance(error, duckdb.OutOfMemoryException):
            raise DataError(
                f"the work to fit into data.memory_limit_mb ({config.data.memory_limit_mb})",
                message.splitlines()[0],
                "raise data.memory_limit_mb",
            ) from None
        raise


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
