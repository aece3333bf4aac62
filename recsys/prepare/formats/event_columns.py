"""Which columns of an event log are read as what: as settings say, by our own names, or as a known log has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from recsys.core.errors import DataError
from recsys.core.events import EVENT_WEIGHTS, RATING
from recsys.prepare import columns as c
from recsys.prepare.formats.event_refusals import refuse_missing
from recsys.prepare.formats.known_logs import KNOWN_LOGS, KnownLog
from recsys.prepare.formats.matching import NameFinder
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.mapping_settings import EVENT_FIELDS, LIST_MARK, MappingConfig
from recsys.prepare.settings import DataConfig

REQUIRED = (c.USER_ID, c.ITEM_ID, c.EVENT_TYPE, c.TIMESTAMP)


@dataclass(frozen=True)
class EventColumns:
    """What is read of a file of events.

    Attributes:
        columns: our names -> those of the file.
        event_type: of every row, where the file has no column of types.
        known: the known log that it is; None where settings and our own names tell all.
        absent: of `columns` those that were not seen at the head of the file and may come later.
    """

    columns: dict[str, str]
    event_type: str | None = None
    known: KnownLog | None = None
    absent: frozenset[str] = field(default_factory=frozenset)

    def once(self) -> dict[str, str]:
        """The file's names, each with one of ours that is read of it."""
        first: dict[str, str] = {}
        for ours, theirs in self.columns.items():
            first.setdefault(theirs, ours)
        return first

    def completed(self, batch: pa.Table) -> pa.Table:
        """A batch with columns as `once` names them, with those that share one, and with the type of every row."""
        first = self.once()
        for ours, theirs in self.columns.items():
            if ours not in batch.column_names:
                batch = batch.append_column(ours, batch[first[theirs]])
        if self.event_type is not None:
            batch = batch.append_column(c.EVENT_TYPE, pa.repeat(self.event_type, len(batch)))
        return batch


class ColumnFinder:
    """Finds what is read of a file among the names of its columns, and tells its report.

    Attributes:
        wanted: names that the file may have.
        found: what was found last.
    """

    def __init__(self, report: InputReport, file_name: str = "", *, may_come_later: bool = False) -> None:
        """`file_name` names the file in errors; `may_come_later`: optional names need not be among those seen."""
        self._report, self._later = report, may_come_later
        self._file_name = file_name or str(report.path)
        self.wanted: Sequence[str] = wanted_names(report.mapping)
        self.found = EventColumns({})

    def __call__(self, names: Sequence[str], file_name: str = "") -> dict[str, str]:
        """The file's names -> ours, see `EventColumns.once`.

        Raises:
            DataError: see `find_columns`.
        """
        self.found = find_columns(names, self._report.mapping, file_name or self._file_name, may_come_later=self._later)
        note_columns(self._report, self.found)
        return self.found.once()


def wanted_names(mapping: MappingConfig) -> tuple[str, ...]:
    """All names that columns may have to be read."""
    known = {name for log in KNOWN_LOGS for name in log.required}
    return tuple(dict.fromkeys((*EVENT_FIELDS, *mapping.columns.values(), *sorted(known))))


def find_columns(
    names: Sequence[str], mapping: MappingConfig, file_name: str, *, may_come_later: bool = False
) -> EventColumns:
    """Find the columns of events among the names of a file.

    What the mapping says counts first, then our own names, whatever their case; where these do not tell all that is
    required, the file may be a known log.

    Raises:
        DataError: a required one is missing; a name comes twice, or two differ in case alone.
    """
    find = NameFinder(names, file_name, "data.columns")
    columns = {ours: name for ours, theirs in mapping.columns.items() if (name := find(theirs)) is not None}
    for ours in EVENT_FIELDS:
        if ours not in columns and (name := find(ours)) is not None and name not in columns.values():
            columns[ours] = name
    if may_come_later:  # the first records may all have an empty list
        entries = {ours: theirs for ours, theirs in mapping.columns.items() if LIST_MARK in theirs}
        columns |= {ours: theirs for ours, theirs in entries.items() if ours in REQUIRED and ours not in columns}
    known = None
    if _missing(columns, mapping, None):
        known = next((log for log in KNOWN_LOGS if log.fits(find)), None)
        for ours, theirs in known.columns.items() if known else ():
            name = find(theirs) or (theirs if may_come_later else None)
            if name is not None and name not in columns.values():
                columns.setdefault(ours, name)
    if missing := _missing(columns, mapping, known):
        raise refuse_missing(missing, names, columns, mapping, file_name)
    absent = {}
    if may_come_later:
        optional = {name: mapping.columns.get(name, name) for name in (*EVENT_FIELDS, *mapping.columns)}
        absent = {name: theirs for name, theirs in optional.items() if name not in columns and name not in REQUIRED}
        absent = {name: theirs for name, theirs in absent.items() if theirs not in columns.values()}
    _check_lists({**columns, **absent}, file_name)
    constant = None if c.EVENT_TYPE in columns else _constant_type(columns, mapping, known)
    return EventColumns({**columns, **absent}, constant, known, frozenset(absent))


def weights_of(config: DataConfig, event_type: str | None = None) -> Mapping[str, float]:
    """Weights of event types. A config need not name ratings: logs tell them by a column, or a type is renamed to it.

    Args:
        config: which types there are.
        event_type: of all events, if it is one.
    """
    if RATING in (event_type, *config.event_types.values()):
        return {RATING: EVENT_WEIGHTS[RATING], **config.event_weights}
    return config.event_weights


def _missing(columns: dict[str, str], mapping: MappingConfig, known: KnownLog | None) -> list[str]:
    missing = [name for name in REQUIRED if name not in columns]
    if c.EVENT_TYPE in missing and _constant_type(columns, mapping, known):
        missing.remove(c.EVENT_TYPE)
    return missing


def _constant_type(columns: dict[str, str], mapping: MappingConfig, known: KnownLog | None) -> str | None:
    """The type of every row of a file without a column of types; None if nothing tells it."""
    if mapping.event_type or known:
        return mapping.event_type or (known.event_type if known else None)
    return RATING if c.RATING in columns else None


def _check_lists(columns: dict[str, str], file_name: str) -> None:
    lists = {name.partition(LIST_MARK)[0] for name in columns.values() if LIST_MARK in name}
    if len(lists) > 1:
        raise DataError(
            f"columns of one list in {file_name}, an event for each of its entries",
            f"{LIST_MARK} behind {' and '.join(sorted(lists))}",
            "keep one of these lists in data.columns",
        )


def note_columns(report: InputReport, found: EventColumns) -> None:
    """Tell the report which columns are read as what, which settings that uses, and what was assumed."""
    mapping, known = report.mapping, found.known
    report.columns |= {
        ours: theirs for ours, theirs in found.columns.items() if ours != theirs and ours not in found.absent
    }
    seen = {ours: theirs.casefold() for ours, theirs in found.columns.items() if ours not in found.absent}
    report.used |= {
        f"columns.{ours}" for ours, theirs in mapping.columns.items() if seen.get(ours) == theirs.casefold()
    }
    report.may_come = found.absent
    if known:
        report.assume(f"recognised as {known.name} by the names of its columns")
    if found.event_type is None:
        return
    if found.event_type == mapping.event_type:
        report.used.add("event_type")
    else:
        report.assume(f"no column of event types: every row is taken for an event of type {found.event_type}")
