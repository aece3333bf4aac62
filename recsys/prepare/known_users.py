"""What is known of users: what a store says, records of files, what events tell; it is carried in the dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recsys.core.attributes import UserAttributeType
from recsys.core.item_changes import FieldValue
from recsys.core.persons import hash_of
from recsys.core.values.numbers import DecimalMark
from recsys.prepare.attribute_settings import AttributeConfig
from recsys.prepare.attributes import NOT_UNDERSTOOD, AttributeReader
from recsys.prepare.categories import as_list
from recsys.prepare.dates import DateReader
from recsys.prepare.engine import user_values
from recsys.prepare.engine.staging import Database
from recsys.prepare.engine.told import Told
from recsys.prepare.formats.base import ATTRIBUTE_FIELD
from recsys.prepare.formats.user_records import RawUser, user_type
from recsys.prepare.inputs import Input
from recsys.prepare.live_changes import LiveChanges
from recsys.prepare.read_ahead import read_ahead
from recsys.prepare.schema import user_attribute_fields
from recsys.prepare.settings import DataConfig
from recsys.prepare.terminal import StageProgress

USER_NOT_IN_DATASET, REPEATED_USER = "user_not_in_dataset", "repeated_user"
FORGOTTEN_USER, WITHOUT_CONSENT = "forgotten_user", "without_consent"
_NOTHING: Mapping[str, FieldValue] = {}
DATE = "date"


@dataclass
class UserCounts:
    """What became of records of users.

    Attributes:
        read: records.
        dropped: records that were not used, by cause.
        fields: values that were not understood, by cause.
        known: of each attribute, how many users have it.
    """

    read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    known: dict[str, int] = field(default_factory=dict)

    def to_manifest(self) -> dict[str, Any]:
        """Nothing where no attributes of users are wanted."""
        if not self.known:
            return {}
        entry = {
            "read": self.read,
            "dropped": dict(self.dropped),
            "kept": self.read - self.dropped.total(),
            "fields": dict(sorted(self.fields.items())),
            "attributes": self.known,
        }
        return {"users": entry}


class KnownUsers:
    """What is known of the users of a dataset: of a store, of files, of events; what comes first counts most.

    Whoever was forgotten is unknown, whatever a file says, and nothing is kept of whom a store says that they do not
    agree.
    """

    def __init__(self, db: Database, told: Told, said: LiveChanges, data: DataConfig, source: Input) -> None:
        """Tables `users` and `told_users` hold all that they will.

        Args:
            db: with these tables.
            told: what events tell of users.
            said: what the stores say.
            data: the settings.
            source: is told why values that no file has are not understood.
        """
        told.close()
        self._db, self._told, self._said, self._data, self._source = db, told, said.users, data, source
        self._types, self._made = data.user_attributes, user_type(data)
        self._fields = user_attribute_fields(self._types)
        self._forgotten = {user_hash for each in said.persons for user_hash in each.tombstones}
        self._counts = UserCounts()

    def load(self, inputs: list[Input], progress: StageProgress) -> UserCounts:
        """Load all of it into the tables of `engine.user_values`; nothing where no attributes are wanted.

        Raises:
            DataError: see `recsys.prepare.formats.user_records`.
        """
        if not self._types:
            return self._counts
        user_values.create_tables(self._db, self._fields)
        self._load_records(inputs, progress)
        told_reader = _Reader(self._data, self._source)
        for ids in user_values.told_users(self._db):
            told = self._told.of([user_id for user_id in ids if self._said.get(user_id, _NOTHING) is not None])
            self._insert(user_values.TOLD, told_reader, self._users(told))
        said = {user_id: values for user_id, values in self._said.items() if values}
        self._insert(user_values.SAID, _Reader(self._data, self._source, "."), self._users(said))
        self._counts.known = user_values.count_known(self._db, self._fields)
        return self._counts

    def _load_records(self, inputs: list[Input], progress: StageProgress) -> None:
        sizes = [(each.report.path, each.report.size) for each in inputs]
        for each, on_bytes in zip(inputs, progress.reading(sizes), strict=True):
            reader = _Reader(self._data, each)
            for users in read_ahead(each.items(self._data, on_bytes)):
                reader.see(users)
                self._insert(user_values.RECORDS, reader, self._chosen(users))
            self._counts.read += each.report.kept

    def _chosen(self, users: list[Any]) -> list[Any]:
        """The records that are used; the others are counted."""
        known = [user for user in users if not self._forgotten or hash_of(user.user_id) not in self._forgotten]
        agreed = [user for user in known if self._said.get(user.user_id, _NOTHING) is not None]
        in_dataset, chosen = user_values.choose_users(self._db, [user.user_id for user in agreed])
        for cause, count in (
            (FORGOTTEN_USER, len(users) - len(known)),
            (WITHOUT_CONSENT, len(known) - len(agreed)),
            (USER_NOT_IN_DATASET, len(agreed) - in_dataset),
            (REPEATED_USER, in_dataset - len(chosen)),
        ):
            if count:
                self._counts.dropped[cause] += count
        return [agreed[place] for place in chosen]

    def _users(self, values_of: Mapping[str, Mapping[str, Any]]) -> list[Any]:
        """What is known of some users, as records have it."""
        return [
            self._made(
                user_id,
                **{
                    ATTRIBUTE_FIELD + name: _as_read(value, self._types[name])
                    for name, value in values.items()
                    if name in self._types
                },
            )
            for user_id, values in values_of.items()
        ]

    def _insert(self, table: str, reader: _Reader, users: list[Any]) -> None:
        reader.see(users)
        rows = [reader.row(user, self._counts.fields) for user in users]
        user_values.insert_users(self._db, table, rows, self._fields)


def _as_read(value: object, kind: UserAttributeType) -> object:
    """A list as a list: what was told is a text, what a store says a tuple."""
    if isinstance(value, tuple):
        return list(value)
    listed = as_list(value) if kind == "texts" and isinstance(value, str) else None
    return value if listed is None else listed


class _Reader:
    """Reads the attributes of the users of one input."""

    def __init__(self, data: DataConfig, source: Input, mark: DecimalMark | None = None) -> None:
        """`mark`: the decimal mark where it is known; else as settings and the first users say."""
        self._names = tuple(data.user_attributes)
        kinds = {name: kind for name, kind in data.user_attributes.items() if kind != DATE}
        self._others = tuple(kinds)
        attributes: Mapping[str, AttributeConfig] = {name: AttributeConfig(type=kind) for name, kind in kinds.items()}
        self._reader = AttributeReader(attributes, mark or data.decimal_mark, source)
        self._dates = {name: DateReader(data) for name, kind in data.user_attributes.items() if kind == DATE}
        self._report = source.report

    def see(self, users: list[Any]) -> None:
        """Look at the next users, before they are read."""
        self._reader.see(users)

    def row(self, user: RawUser, causes: Counter[str]) -> tuple[Any, ...]:
        """An id and attributes; `causes` counts values that are not understood."""
        values = dict(zip(self._others, self._reader.read(user, causes), strict=True))
        for name, dates in self._dates.items():
            try:
                values[name] = dates.read(getattr(user, ATTRIBUTE_FIELD + name))
            except ValueError as error:
                self._report.explain(name, str(error))
                causes[name + NOT_UNDERSTOOD] += 1
                values[name] = None
        return user.user_id, *(values[name] for name in self._names)
