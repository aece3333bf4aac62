"""What is known of users: records of files, and what events tell; it is carried in the dataset, no model reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recsys.core.attributes import UserAttributeType
from recsys.core.persons import Persons, hash_of
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
from recsys.prepare.read_ahead import read_ahead
from recsys.prepare.schema import user_attribute_fields
from recsys.prepare.settings import DataConfig
from recsys.prepare.terminal import StageProgress

USER_NOT_IN_DATASET, REPEATED_USER, FORGOTTEN_USER = "user_not_in_dataset", "repeated_user", "forgotten_user"
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


def load_users(
    db: Database,
    inputs: list[Input],
    told: Told,
    persons: list[Persons],
    data: DataConfig,
    source: Input,
    progress: StageProgress,
) -> UserCounts:
    """Load what is known of the users in table `users` into the tables of `engine.user_values`.

    A record of a file counts more than what events tell, attribute by attribute. Whoever was forgotten is unknown,
    whatever a file says.

    Args:
        db: with tables `users` and `told_users`.
        inputs: files of users.
        told: what events tell of users.
        persons: of the stores.
        data: the settings.
        source: is told why values that events tell are not understood.
        progress: shows how far it is.

    Raises:
        DataError: see `recsys.prepare.formats.user_records`.
    """
    counts = UserCounts()
    if not data.user_attributes:
        return counts
    fields = user_attribute_fields(data.user_attributes)
    user_values.create_tables(db, fields)
    sizes = [(each.report.path, each.report.size) for each in inputs]
    for each, on_bytes in zip(inputs, progress.reading(sizes), strict=True):
        reader = _Reader(data, each)
        for users in read_ahead(each.items(data, on_bytes)):
            chosen = _chosen(db, users, persons, counts)
            rows = reader.rows(users, chosen, counts.fields)
            user_values.insert_users(db, user_values.RECORDS, rows, fields)
        counts.read += each.report.kept
    told.close()
    reader, made, types = _Reader(data, source), user_type(data), data.user_attributes
    for ids in user_values.told_users(db):
        said = [
            made(user_id, **{ATTRIBUTE_FIELD + name: _as_told(value, types[name]) for name, value in values.items()})
            for user_id, values in told.of(ids).items()
        ]
        rows = reader.rows(said, list(range(len(said))), counts.fields)
        user_values.insert_users(db, user_values.TOLD, rows, fields)
    counts.known = user_values.count_known(db, fields)
    return counts


def _as_told(value: str, kind: UserAttributeType) -> object:
    listed = as_list(value) if kind == "texts" else None
    return value if listed is None else listed


def _chosen(db: Database, users: list[Any], persons: list[Persons], counts: UserCounts) -> list[int]:
    """The positions of the records that are used; the others are counted."""
    forgotten = {user_hash for each in persons for user_hash in each.tombstones}
    there = [n for n, user in enumerate(users) if not forgotten or hash_of(user.user_id) not in forgotten]
    in_dataset, chosen = user_values.choose_users(db, [users[n].user_id for n in there])
    for cause, count in (
        (FORGOTTEN_USER, len(users) - len(there)),
        (USER_NOT_IN_DATASET, len(there) - in_dataset),
        (REPEATED_USER, in_dataset - len(chosen)),
    ):
        if count:
            counts.dropped[cause] += count
    return [there[n] for n in chosen]


class _Reader:
    """Reads the attributes of the users of one input."""

    def __init__(self, data: DataConfig, source: Input) -> None:
        self._names = tuple(data.user_attributes)
        kinds = {name: kind for name, kind in data.user_attributes.items() if kind != DATE}
        self._others = tuple(kinds)
        attributes: Mapping[str, AttributeConfig] = {name: AttributeConfig(type=kind) for name, kind in kinds.items()}
        self._reader = AttributeReader(attributes, data.decimal_mark, source)
        self._dates = {name: DateReader(data) for name, kind in data.user_attributes.items() if kind == DATE}
        self._report = source.report

    def rows(self, users: list[Any], chosen: list[int], causes: Counter[str]) -> list[tuple[Any, ...]]:
        """An id and attributes of those of the users that are chosen."""
        self._reader.see(users)
        return [self._row(users[n], causes) for n in chosen]

    def _row(self, user: RawUser, causes: Counter[str]) -> tuple[Any, ...]:
        values = dict(zip(self._others, self._reader.read(user, causes), strict=True))
        for name, dates in self._dates.items():
            try:
                values[name] = dates.read(getattr(user, ATTRIBUTE_FIELD + name))
            except ValueError as error:
                self._report.explain(name, str(error))
                causes[name + NOT_UNDERSTOOD] += 1
                values[name] = None
        return user.user_id, *(values[name] for name in self._names)
