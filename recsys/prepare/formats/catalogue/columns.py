"""Which columns of a catalogue are the fields of its items: as the config says, by our names, or by well-known ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from recsys.core.errors import DataError
from recsys.prepare import columns as c
from recsys.prepare.formats.base import ATTRIBUTE_FIELD
from recsys.prepare.formats.catalogue.names import aliases_among
from recsys.prepare.formats.catalogue.paths import Path, steps_of
from recsys.prepare.formats.names import missing_names, nearest_names, refuse_taken
from recsys.prepare.mapping_settings import ITEM_FIELDS
from recsys.prepare.settings import DataConfig
from recsys.prepare.text_settings import TextConfig


@dataclass(frozen=True)
class Wanted:
    """What a config says of the columns of catalogues.

    Attributes:
        names: field -> what the files call it; fields that are not named are looked for.
        attributes: attribute -> what the files call it.
        header: names of the columns of delimited text without a first line of names.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    header: tuple[str | None, ...] | None = None

    @classmethod
    def of(cls, settings: TextConfig) -> Wanted:
        """What the settings of a dataset say; others, which know of text alone, say nothing."""
        if not isinstance(settings, DataConfig):
            return cls()
        mapped = settings.metadata_columns
        return cls(
            {name: mapped[name] for name in ITEM_FIELDS if name in mapped},
            {name: mapped.get(name, entry.column or name) for name, entry in settings.attributes.items()},
            None if settings.metadata_header is None else tuple(settings.metadata_header),
        )

    @property
    def theirs(self) -> list[str]:
        """All names that the config says, and ours for what it does not name."""
        return [*(self.names.get(name, name) for name in ITEM_FIELDS), *self.attributes.values()]


@dataclass(frozen=True)
class Columns:
    """Where the fields of item records stand in the records of a file.

    Attributes:
        paths: field of an item record -> the steps to its value; attributes by the names of their fields.
        names: the same, as the file calls them.
        remarks: what is to be said of how they were found.
        absent: fields and attributes that the config names and the head of the file lacks -> their names.
    """

    paths: dict[str, Path]
    names: dict[str, str]
    remarks: list[str]
    absent: dict[str, str]


def find_columns(wanted: Wanted, names: Mapping[str, Path], file_name: str, *, sparse: bool = False) -> Columns:
    """Find the columns of a catalogue among the names that it has, each with the steps to its values.

    Args:
        wanted: what the config says of them.
        names: those of the head of the file.
        file_name: names the file in errors.
        sparse: whether later records may have names that the head lacks: ours and those of the config are looked for.

    Raises:
        DataError: none can be told to be the item's id; two names of a field differ in case alone; an attribute is of a
            column that is a field.
    """
    found: dict[str, str] = {}
    absent: dict[str, str] = {}
    remarks = []
    taken = {name.casefold() for name in (*wanted.names.values(), *wanted.attributes.values())}
    free = [name for name, steps in names.items() if len(steps) == 1 and name.casefold() not in taken]
    for name in ITEM_FIELDS:
        theirs = matching(wanted.names.get(name, name), names, file_name)
        if theirs is None and name in wanted.names:
            absent[name] = wanted.names[name]
        elif theirs is None:
            theirs, remark = _by_alias(name, free)
            remarks += [remark] if remark else []
        if theirs is not None:
            found[name] = theirs
    if c.ITEM_ID not in found:
        raise _no_ids(wanted, names, free, file_name)
    refuse_taken(wanted.attributes.values(), {theirs: name for name, theirs in found.items()})
    for name, column in wanted.attributes.items():
        if (theirs := matching(column, names, file_name)) is None:
            absent[name] = column
        else:
            found[ATTRIBUTE_FIELD + name] = theirs
    paths = {name: names[theirs] for name, theirs in found.items()}
    if sparse:
        unclear = {remark.partition(" ")[0] for remark in remarks}
        for name in (each for each in ITEM_FIELDS if each not in found and each not in unclear):
            paths[name] = steps_of(wanted.names.get(name, name))
        paths |= {ATTRIBUTE_FIELD + name: steps_of(absent[name]) for name in wanted.attributes if name in absent}
    return Columns(paths, found, remarks, absent)


def matching(name: str, names: Iterable[str], file_name: str) -> str | None:
    """A name among others, whatever its case; an exact match comes first.

    Raises:
        DataError: two differ from it in case alone.
    """
    names = list(names)
    if name in names:
        return name
    alike = [other for other in names if other.casefold() == name.casefold()]
    if len(alike) > 1:
        raise DataError(
            f"names that differ in more than case for {name} in {file_name}",
            " and ".join(alike),
            "rename all but one of them, or name the one that is meant in data.metadata_columns as it is written",
        )
    return alike[0] if alike else None


def _by_alias(name: str, free: list[str]) -> tuple[str | None, str]:
    """What is well known as a field and the only such column, with what to say of it."""
    candidates = aliases_among(name, free)
    if len(candidates) == 1:
        return candidates[0], f"{name} is read from {candidates[0]}"
    if candidates and name != c.ITEM_ID:
        named = " or ".join(candidates)
        return None, f"{name} is not read: it may be {named}; set data.metadata_columns: {{{name}: {candidates[0]}}}"
    return None, ""


def _no_ids(wanted: Wanted, names: Mapping[str, Path], free: list[str], file_name: str) -> DataError:
    expected = wanted.names.get(c.ITEM_ID, c.ITEM_ID)
    candidates = aliases_among(c.ITEM_ID, free)
    if len(candidates) > 1 and c.ITEM_ID not in wanted.names:
        got = f"{' and '.join(candidates)} among {', '.join(names)[:200]}: any of them may be the item's id"
        theirs = candidates[0]
    else:
        got = missing_names([expected], list(names))
        theirs = nearest_names([c.ITEM_ID], list(names)).get(c.ITEM_ID, "THE_COLUMN_OF_IDS")
    return DataError(
        f"a column with the item's id ({expected}) in the catalogue {file_name}",
        got,
        "say which column it is, the one whose values are the item_id of the events:"
        f"\n         data:\n           metadata_columns:\n             item_id: {theirs}",
    )
