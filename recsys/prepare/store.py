"""Read the events of a store, see `recsys.store`: what the server took in yesterday trains today's model.

A store is named by its URL or by the path of its SQLite file. Events are checked as those of a log in CSV are.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
from sqlalchemy import make_url

from recsys.config import DataConfig
from recsys.core.errors import DataError
from recsys.prepare.delimited import DelimitedRows
from recsys.prepare.events import OPTIONAL, REQUIRED, checked_tables
from recsys.prepare.files import SourceReport
from recsys.store import EVENT_WEIGHTS, Event, Store

FORMAT = "store"
TIMEOUT_S = 60.0
BYTES_AN_EVENT = 150  # about, as text; for the progress bar
RATING = "rating"  # a type of event that logs in files need not know

# As a path, a URL has lost a slash.
_URL = re.compile(r"^(postgres(?:ql)?(?:\+\w+)?):/+")


def new_report(path: Path) -> SourceReport:
    """Start the report of a store; its size is an estimate until it has been read.

    Raises:
        DataError: no such file, no events, or a URL with a password.
        StoreError: not a store, or one of another version.
        StoreUnavailable: it cannot be reached.
    """
    with _open(path) as store:
        count = store.stats().events
    if not count:
        raise DataError(f"events in the store {path}", "none", "name the store that the server writes to")
    return SourceReport(path, "interactions", size=count * BYTES_AN_EVENT)


def event_tables(
    report: SourceReport, config: DataConfig, first_seq: int, on_bytes: Callable[[int], object]
) -> Iterator[pa.Table]:
    """Yield the events of a store as tables for `staging.insert`; `seq` counts up in the order of arrival.

    All events are as of one moment: those that arrive meanwhile are left to the next time.

    Raises:
        DataError: too many events that `config` does not allow.
        StoreError, StoreUnavailable: see `new_report`.
    """
    weights = {RATING: EVENT_WEIGHTS[RATING], **config.event_weights}
    yield from checked_tables(DelimitedRows(report), _tables(report, on_bytes), config, weights, first_seq)


def _tables(report: SourceReport, on_bytes: Callable[[int], object]) -> Iterator[pa.Table]:
    """Tables of strings, as a file would hold them; then the report tells the bytes and the hash of such a file."""
    digest, size = hashlib.sha256(), 0
    names = list(Event._fields)
    wanted = (*REQUIRED, *OPTIONAL)
    with _open(report.path) as store:
        for rows in store.all_events():
            text = "".join(json.dumps(row) + "\n" for row in rows).encode("utf8")
            digest.update(text)
            size += len(text)
            values = dict(zip(names, zip(*rows, strict=True), strict=True))
            yield pa.table({name: pa.array(map(_as_text, values[name]), pa.string()) for name in wanted})
            on_bytes(len(rows) * BYTES_AN_EVENT)
    report.size, report.sha256 = size, digest.hexdigest()


def _as_text(value: str | float | None) -> str | None:
    return value if value is None or isinstance(value, str) else repr(value)


def _open(path: Path) -> Store:
    url = _URL.sub(r"\1://", path.as_posix())
    if "://" in url:
        store = Store.open(url, timeout_s=TIMEOUT_S, pool_size=1)
        parsed = make_url(url)
        if parsed.password or "password" in parsed.query:
            raise DataError(
                "a URL without a password at data.interactions, because the manifest repeats it",
                "one with a password",
                "leave it out, and set PGPASSWORD or write it to ~/.pgpass",
            )
        return store
    if not path.is_file():
        raise DataError(
            "the file or the PostgreSQL URL of a store at data.interactions",
            f"no file {path}",
            "check the path; a server makes the file when it starts",
        )
    return Store.open(str(path), timeout_s=TIMEOUT_S, pool_size=1)
