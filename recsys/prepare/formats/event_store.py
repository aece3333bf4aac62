"""The events of a server's store (see `recsys.store`): what the server recorded yesterday trains today's model.

A store is named by its URL or by the path of its SQLite file. Its events are checked like those of an event log, and
the catalogue beside it is that of an event log.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from sqlalchemy import make_url

from recsys.core.errors import DataError
from recsys.core.events import EVENT_WEIGHTS, RATING
from recsys.prepare import columns as c
from recsys.prepare.formats.base import Format, OnBytes, SaidOfUser, SaidSince
from recsys.prepare.formats.delimited import DelimitedRows
from recsys.prepare.formats.event_checks import NUMBERS, OPTIONAL, checked_tables
from recsys.prepare.formats.event_columns import REQUIRED
from recsys.prepare.formats.events import EVENTS
from recsys.prepare.formats.files import open_file
from recsys.prepare.formats.reports import InputKind, InputReport, NoEventsError
from recsys.prepare.settings import DataConfig
from recsys.store import Event, Store, StoreError, StoreUnavailable

TIMEOUT_S = 60.0
BYTES_PER_EVENT = 150  # about, as text; for the progress bar

# `data.interactions` is a list of paths, and a URL turned into a path has lost one of its slashes.
_URL = re.compile(r"^(postgres(?:ql)?(?:\+\w+)?):/+")
_NO_TABLE = re.compile("no such table|does not exist", re.IGNORECASE)
_NO_STORE = re.compile("no such (table|column)|not a database|malformed|corrupt", re.IGNORECASE)


def open_input(path: Path, kind: InputKind) -> InputReport:
    """Start the report of a store, whose size is an estimate until it has been read, or of the catalogue beside it.

    Raises:
        DataError: no such file, a file that is no store, or a URL with a password; NoEventsError, if it has no events.
        StoreError: a database without the tables of this version.
        StoreUnavailable: it cannot be reached.
    """
    if kind == "metadata":
        return open_file(path, kind)
    count = _count(path)
    if not count:
        raise NoEventsError(f"events in the store {path}", "none", "name the store that the server writes to")
    return InputReport(path, kind, size=count * BYTES_PER_EVENT)


def _count(path: Path) -> int:
    try:
        with open_store(path) as store:
            store.events_of([""], limit=1)  # of nobody: whether events have the columns of this version
            return store.stats().events
    except (StoreError, StoreUnavailable) as error:
        if _URL.match(path.as_posix()) or not _NO_STORE.search(error.got):
            raise
        raise DataError(
            f"the server's store in {path}",
            error.got,
            "name the file of the server's option --store; start the server on it once if it is of an older version; "
            "copy it with sqlite3's .backup, which makes a whole one",
        ) from None


def check(report: InputReport) -> None:
    """Check the catalogue; that the store can be read was checked when its report was started."""
    if report.kind == "metadata":
        EVENTS.check(report)


def event_tables(report: InputReport, config: DataConfig, first_seq: int, on_bytes: OnBytes) -> Iterator[pa.Table]:
    """Yield the events of a store in the order of their arrival, see `Format.interactions`.

    They are the events of one moment; those that arrive meanwhile are left to the next preparation. What the server
    acknowledged never stops a preparation: events that `config` does not allow are dropped and counted, however many.

    Raises:
        StoreError, StoreUnavailable: see `open_input`.
    """
    # A config need not name ratings: the store has them as a type of their own.
    weights = {RATING: EVENT_WEIGHTS[RATING], **config.event_weights}
    yield from checked_tables(
        DelimitedRows(report),
        _tables(report, on_bytes),
        config,
        weights,
        first_seq,
        typed=(c.TIMESTAMP, *NUMBERS),
        acknowledged=True,
    )


def said_since(path: Path) -> SaidSince:
    """What a store says since its last bundle, see `Format.said_since`.

    A store whose tables are of a version without any of that says nothing.

    Raises:
        StoreError, StoreUnavailable: see `open_input`.
    """
    with open_store(path) as store:
        try:
            version = store.items.version()  # read first: what changes meanwhile is read again by the next dataset
            users = {
                said.user_id: SaidOfUser(said.updated_at, said.attributes if said.consent else None)
                for said in store.live_users.all_attributes()
            }
            return SaidSince(version, store.items.read(), store.live_users.persons(), users)
        except StoreError as error:
            if not _NO_TABLE.search(error.got):
                raise
            return SaidSince()


def _tables(report: InputReport, on_bytes: OnBytes) -> Iterator[pa.Table]:
    """Yield tables of strings as a file would hold them; at the end set the size and the hash of such a file."""
    digest, size = hashlib.sha256(), 0
    columns = (*REQUIRED, *OPTIONAL)
    with open_store(report.path) as store:
        for rows in store.all_events():
            text = "".join(json.dumps(row) + "\n" for row in rows).encode("utf8")
            digest.update(text)
            size += len(text)
            values = dict(zip(Event._fields, zip(*rows, strict=True), strict=True))
            yield pa.table({name: pa.array(map(_as_text, values[name]), pa.string()) for name in columns})
            on_bytes(len(rows) * BYTES_PER_EVENT)
    report.size, report.sha256 = size, digest.hexdigest()


def _as_text(value: str | float | None) -> str | None:
    return value if value is None or isinstance(value, str) else repr(value)


def open_store(path: Path, connections: int = 1) -> Store:
    """The store that `data.interactions` names: a file of SQLite, or the URL of a database.

    Args:
        path: of the file, or the URL.
        connections: most at once.

    Raises:
        DataError: no such file, or a URL with a password.
        StoreError: the URL is none.
    """
    url = _URL.sub(r"\1://", path.as_posix())
    if "://" in url:
        store = Store.open(url, timeout_s=TIMEOUT_S, pool_size=connections)
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
    return Store.open(str(path), timeout_s=TIMEOUT_S, pool_size=connections)


STORE = Format(
    check=check,
    interactions=event_tables,
    items=EVENTS.items,
    item_fields=EVENTS.item_fields,
    is_catalogue=True,
    maps_items=True,
    open_input=open_input,
    has_purchases=True,
    said_since=said_since,
)
