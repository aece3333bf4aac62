"""The inputs of a preparation: found, each with its format, looked at before any is read whole, and read unchanged."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from recsys.core.errors import DataError
from recsys.prepare.formats.base import Format, OnBytes, RawItem, load_format
from recsys.prepare.formats.evident import EVENTS, STORE, check_kind, evident_format, evident_kind
from recsys.prepare.formats.files import open_file
from recsys.prepare.formats.registry import FORMATS_OF_KINDS
from recsys.prepare.formats.reports import InputKind, InputReport, NoEventsError
from recsys.prepare.input_files import find_files, is_url
from recsys.prepare.raw.remote import RemoteFile
from recsys.prepare.settings import DataConfig, InputConfig, InputEntry
from recsys.prepare.tally import Tally

T = TypeVar("T")


@dataclass
class Input:
    """A file or a store with its format.

    Attributes:
        report: what became of its lines.
        format_name: a name in `recsys.prepare.formats.registry.FORMATS`.
        format: what reads it.
        tally: what its events are like.
        may_be_empty: whether it may be without a single event, because there are others.
        event_type: of each of its events, where its entry in the config says so.
    """

    report: InputReport
    format_name: str
    format: Format
    tally: Tally = field(default_factory=Tally)
    may_be_empty: bool = False
    event_type: str | None = None
    _state: tuple[int | str, ...] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        # Others write to a store at any time; it is read as of one moment.
        self._state = None if self._is_store else _state_of(self.report.path)

    @property
    def _is_store(self) -> bool:
        return self.format_name == STORE and self.report.kind == "interactions"

    def to_manifest(self) -> dict[str, Any]:
        """The entry of this input in the manifest of the prepared dataset."""
        tally = self.tally.to_manifest() if self.report.kind in ("interactions", "properties") else {}
        return {**self.report.to_manifest(), "format": self.format_name, **tally}

    def check(self) -> None:
        """Look at the head of the input; raises DataError where it is evidently not in its format."""
        with _reading(self.report.path):
            check_kind(self.report, self.format_name)
            self.format.check(self.report)
        if self.event_type and "event_type" not in self.report.used:
            raise DataError(
                f"an event log without a column of types at {self.report.path}, whose event_type is {self.event_type}",
                "one that has types, or is no event log",
                "remove event_type there; data.event_types renames the types of a column",
            )

    def interactions(self, config: DataConfig, first_seq: int, on_bytes: OnBytes) -> Iterator[pa.Table]:
        """See `Format.interactions`; raises DataError, too, where the file goes or changes meanwhile."""
        try:
            config = _with_type(config, self.event_type)
            for batch in self._unchanged(self.format.interactions(self.report, config, first_seq, on_bytes)):
                self.tally.add(batch)
                yield batch
        except NoEventsError:
            if not self.may_be_empty:
                raise
        if self.tally.rows != self.report.kept:
            raise DataError(
                f"all {self.report.lines:,} lines of {self.report.path} read or counted as dropped",
                f"{self.tally.rows:,} events and {self.report.dropped.total():,} dropped lines",
                "report this: the file has a shape that the reader does not see",
            )

    def take_outcome(self, report: InputReport, tally: Tally) -> None:
        """Take over what a process of its own found while it read this input."""
        self.report, self.tally = report, tally

    def items(self, config: DataConfig, on_bytes: OnBytes) -> Iterator[list[RawItem]]:
        """See `Format.items`; raises DataError, too, where the file goes or changes meanwhile."""
        yield from self._unchanged(self.format.items(self.report, config, on_bytes))

    def _unchanged(self, batches: Iterator[T]) -> Iterator[T]:
        with _reading(self.report.path):
            yield from batches
            changed = self._state is not None and _state_of(self.report.path) != self._state
        if changed:
            raise DataError(
                f"{self.report.path} to stay as it is while it is read",
                "another size or time of change at the end than at the start",
                "run again when nobody writes to the file, or prepare from a copy",
            )


@dataclass
class Inputs:
    """All inputs of a preparation, and what was passed over on the way to them.

    Attributes:
        interactions: logs of events.
        metadata: catalogues.
        properties: logs of item properties.
        users: files of users.
        notes: what was passed over, as sentences.
        stores: those that are named, also as what they say of items alone, or without any events: they may tell whom
            to forget.
    """

    interactions: list[Input]
    metadata: list[Input]
    properties: list[Input]
    users: list[Input]
    notes: list[str]
    stores: list[Path] = field(default_factory=list)

    @property
    def all(self) -> list[Input]:
        """Those of interactions, then those of metadata, then others."""
        return [*self.interactions, *self.metadata, *self.properties, *self.users]

    @property
    def has_purchases(self) -> bool:
        """Whether any has prices and quantities, see `Format.has_purchases`."""
        return any(log.format.has_purchases for log in self.interactions)


def open_inputs(config: DataConfig) -> Inputs:
    """Find all inputs that a config names, and start their reports.

    Raises:
        DataError: there is no such input, or one that cannot be read.
        StoreError, StoreUnavailable: see `recsys.prepare.formats.event_store`.
    """
    found = Inputs([], [], [], [], [])
    found.interactions += _open_kind(config, "interactions", found)
    found.metadata += _open_kind(config, "metadata", found)
    found.properties += _open_kind(config, "properties", found)
    found.users += _open_kind(config, "users", found)
    return found


def find_store(config: DataConfig) -> Path | None:
    """The first store among the inputs that a config names, as `Inputs.stores` has them; it is not opened.

    Of logs that may have gone since they were prepared nothing is asked but their first bytes.

    Returns:
        None: there are files alone.

    Raises:
        DataError: what the config names as a store is not there.
    """
    kinds: tuple[InputKind, ...] = ("interactions", "metadata")
    for kind in kinds:
        entries: list[InputEntry] = getattr(config, kind)
        for entry in entries:
            path, named = (entry.path, entry.format) if isinstance(entry, InputConfig) else (entry, None)
            default = config.format if kind == "interactions" else None
            try:
                found = [file for file, _ in find_files([path], f"data.{kind}").paths]
                stores = [file for file in found if _names_store(file, kind, named, config.format)]
            except DataError:
                if (named or default) == STORE:
                    raise
                continue
            if stores:
                return stores[0]
    return None


def _open_kind(config: DataConfig, kind: InputKind, found: Inputs) -> list[Input]:
    entries: list[InputEntry] = getattr(config, kind)
    paths = [entry.path if isinstance(entry, InputConfig) else entry for entry in entries]
    files = find_files(paths, f"data.{kind}")
    found.notes += files.notes
    inputs = []
    for path, number in files.paths:
        entry = entries[number]
        named = entry.format if isinstance(entry, InputConfig) else None
        if kind == "metadata" and _is_store(path, named):
            _refuse_remote(path)
            found.stores.append(path)
            continue
        name = _format_name(path, kind, named, config.format)
        if name == STORE and kind == "interactions":
            _refuse_remote(path)
            found.stores.append(path)
        try:
            event_type = entry.event_type if isinstance(entry, InputConfig) else None
            inputs.append(_open(path, kind, name, _with_type(config, event_type)))
            inputs[-1].event_type = event_type
        except NoEventsError:
            if len(files.paths) == 1:
                raise
            found.notes.append(f"{path} has no events yet.")
    for each in inputs:
        each.may_be_empty = len(files.paths) > 1
    return inputs


def _refuse_remote(store: Path) -> None:
    """Stop at a store that is a file of an object store: SQLite opens files of disks."""
    if isinstance(store, RemoteFile):
        raise DataError(
            "a store on a disk, or the URL of a PostgreSQL database", str(store), "copy the file, and name the copy"
        )


def _with_type(config: DataConfig, event_type: str | None) -> DataConfig:
    """A config for an input with a type of its own for each of its events."""
    return config.model_copy(update={"event_type": event_type}) if event_type else config


def _names_store(path: Path, kind: InputKind, named: str | None, default: str) -> bool:
    if kind == "metadata":
        return _is_store(path, named)
    return _format_name(path, kind, named, default) == STORE


def _is_store(path: Path, named: str | None) -> bool:
    """Whether an input at data.metadata is a store, which says what changed of items, and no catalogue."""
    if is_url(path):
        return path.as_posix().startswith("postgres") and named in (None, STORE)
    if named not in (None, STORE):
        return False
    with _reading(path):
        return evident_kind(path) == "an SQLite database"


def _format_name(path: Path, kind: InputKind, named: str | None, default: str) -> str:
    """The name of an input's format: as its entry says, or by its first bytes."""
    if is_url(path):
        return _format_of_url(path, kind, named or default)
    if kind in FORMATS_OF_KINDS:
        if named:
            raise DataError(
                f"no format of {path} at data.{kind}",
                f"format: {named}",
                "leave it out: the file itself tells its form",
            )
        return kind
    if named or kind == "metadata":
        return named or default
    with _reading(path):
        return evident_format(path, default)


def _format_of_url(path: Path, kind: InputKind, name: str) -> str:
    is_database = path.as_posix().startswith("postgres")
    if is_database and kind == "interactions" and name in (EVENTS, STORE):
        return STORE
    if load_format(name).open_input is not open_file and name != STORE:
        return name
    raise DataError(
        f"files at data.{kind} in the format {name}",
        f"a URL ({path.as_posix().partition(':')[0]}://...)",
        f"write {{path: URL, format: {STORE}}} for the server's store"
        if is_database and kind == "interactions"
        else "download it and name the file",
    )


def _open(path: Path, kind: InputKind, name: str, config: DataConfig) -> Input:
    loaded = load_format(name)
    with _reading(path):
        report = loaded.open_input(path, kind)
    report.text = report.mapping = config
    return Input(report, name, loaded)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Name the file in the errors of reading it.

    Raises:
        DataError: it has gone, or cannot be read.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # what is read is written elsewhere, too
        raise DataError(
            f"{path} to be there until it has been read",
            error.strerror or str(error),
            "check the file and its permissions, and run again when nobody moves or replaces it",
        ) from None


def _state_of(path: Path) -> tuple[int | str, ...] | None:
    """What changes with a file: which file it is, its size and the time of its last change; None for a database."""
    if is_url(path):
        return None
    if isinstance(path, RemoteFile):
        with _reading(path):
            return path.state
    with _reading(path):
        status = path.stat()
    # Machines that share a disk number it differently, but not its files.
    return status.st_ino, status.st_size, status.st_mtime_ns
