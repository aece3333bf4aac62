"""Files of users, one record a user: delimited text, Parquet or JSON, read as catalogues are.

The id stands under `user_id`, or what `data.user_columns` says; the columns of `data.user_attributes` likewise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec
import pyarrow as pa

from recsys.core.errors import DataError
from recsys.prepare import columns as c
from recsys.prepare.formats import reports
from recsys.prepare.formats.base import ATTRIBUTE_FIELD, Format, Id, OnBytes, attribute_field
from recsys.prepare.formats.catalogue.columns import Columns
from recsys.prepare.formats.catalogue.paths import Steps, value_at
from recsys.prepare.formats.catalogue.reader import head_names, records_of
from recsys.prepare.formats.catalogue.records import Records, as_it_is, id_text
from recsys.prepare.formats.id_columns import IdColumn
from recsys.prepare.formats.matching import NameFinder
from recsys.prepare.formats.names import missing_names
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.settings import DataConfig


class RawUser(msgspec.Struct, gc=False):
    """A user as a shop describes it."""

    user_id: Id


def user_type(config: DataConfig) -> type[RawUser]:
    """A user with a field for each attribute, `UNSET` where a record does not have it."""
    fields = [attribute_field(name) for name in config.user_attributes]
    return cast(type[RawUser], msgspec.defstruct("RawUser", fields, bases=(RawUser,), gc=False))


def check(report: InputReport) -> None:
    """Stop when a file has no ids of users or none of the attributes; see `Format.check`."""
    if isinstance(report.text, DataConfig):
        _find(report, report.text)


def users(report: InputReport, config: DataConfig, on_bytes: OnBytes) -> Iterator[list[Any]]:
    """Yield a file as lists of users, see `user_type`; counts and raises as `Format.items` says."""
    columns = _find(report, config)
    maker = _UserMaker(columns, report, config)
    for records in records_of(report, config, columns, on_bytes):
        yield maker.users(records)
    report.check_bad_share(config.max_bad_line_share)


class _UserMaker:
    """Makes users of the records of one file."""

    def __init__(self, columns: Columns, report: InputReport, config: DataConfig) -> None:
        self._report, self._type = report, user_type(config)
        paths = {name: steps for name, (steps,) in columns.paths.items()}
        self._id_path = paths.pop(c.USER_ID)
        self._paths = paths
        self._ids = IdColumn(c.USER_ID, report, frozenset(config.no_user_ids))

    def users(self, records: Records) -> list[RawUser]:
        """The users of the records that have an id; the others are counted as bad."""
        texts = [id_text(value_at(row, self._id_path)) for row in records.rows]
        ids, unfit = self._ids.read(pa.array([text or None for text in texts], pa.string()))
        found = []
        for position, (user_id, row) in enumerate(zip(ids.to_pylist(), records.rows, strict=True)):
            if texts[position] is None:
                records.drop(reports.MISTYPED_FIELD, position)
            elif user_id is None:
                records.drop(reports.MISSING_FIELD, position)
            elif unfit[position]:
                records.drop(reports.INVALID_ID, position)
            else:
                found.append(self._type(user_id, **self._values(row)))
        return found

    def _values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        values = {}
        for name, steps in self._paths.items():
            value = value_at(row, steps)
            if value is None:
                continue
            try:
                values[name] = as_it_is(value)
            except ValueError as error:
                plain = name.removeprefix(ATTRIBUTE_FIELD)
                self._report.remark(f"{plain} is not understood", 1)
                self._report.explain(plain, str(error))
        return values


def _find(report: InputReport, config: DataConfig) -> Columns:
    """The columns of a file; of records in JSON a column may come after the head.

    Raises:
        DataError: there is no column of ids, or none of the attributes.
    """
    theirs = {name: config.user_columns.get(name, name) for name in (c.USER_ID, *config.user_attributes)}
    names = head_names(report, theirs.values())
    find = NameFinder(names, str(report.path), "data.user_columns")
    found = {ours: name for ours, wanted in theirs.items() if (name := find(wanted))}
    if c.USER_ID not in found or len(found) == 1:
        missing = [wanted for ours, wanted in theirs.items() if ours not in found]
        raise DataError(
            f"a column {theirs[c.USER_ID]} with the ids of users, and one of data.user_attributes, in {report.path}",
            missing_names(missing, list(names)),
            "set data.user_columns: {user_id: ..., ATTRIBUTE: ...} to what the file calls them",
        )
    paths: dict[str, tuple[Steps, ...]] = {
        name if name == c.USER_ID else ATTRIBUTE_FIELD + name: (names[column],) for name, column in found.items()
    }
    return Columns(paths, {ours: [name] for ours, name in found.items()}, [], {}, c.USER_ID)


def _no_events(report: InputReport, config: DataConfig, first_seq: int, on_bytes: OnBytes) -> Iterator[pa.Table]:
    """A file of users has no events."""
    del report, config, first_seq, on_bytes
    yield from ()


USER_RECORDS = Format(check=check, interactions=_no_events, items=users)
