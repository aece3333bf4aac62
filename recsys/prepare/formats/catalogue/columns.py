"""Which columns of a catalogue are the fields of its items: as the config says, by our names, or by well-known ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recsys.core.errors import DataError
from recsys.prepare import columns as c
from recsys.prepare.formats.base import ATTRIBUTE_FIELD
from recsys.prepare.formats.catalogue.names import aliases_among
from recsys.prepare.formats.catalogue.paths import Steps, steps_of
from recsys.prepare.formats.event_refusals import is_data
from recsys.prepare.formats.matching import NameFinder
from recsys.prepare.formats.names import missing_names, nearest_names, refuse_taken
from recsys.prepare.mapping_settings import GROUP, ITEM_FIELDS
from recsys.prepare.settings import DataConfig
from recsys.prepare.text_settings import TextConfig

_LOOKED_FOR = (*ITEM_FIELDS, GROUP)


@dataclass(frozen=True)
class Wanted:
    """What a config says of the columns of catalogues.

    Attributes:
        names: field -> what the files call it; fields that are not named are looked for. Also `GROUP`.
        attributes: attribute -> what the files call it.
        header: names of the columns of delimited text without a first line of names.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    header: tuple[str | None, ...] | None = None

    @classmethod
    def of(cls, settings: TextConfig) -> Wanted:
        """What the settings of a dataset say; others, which know of text alone, say nothing."""
        if not isinstance(settings, DataConfig):
            return cls()
        mapped = settings.metadata_columns
        named = {name: (theirs,) if isinstance(theirs, str) else tuple(theirs) for name, theirs in mapped.items()}
        return cls(
            {name: named[name] for name in _LOOKED_FOR if name in named},
            {name: named.get(name, (entry.column or name,))[0] for name, entry in settings.attributes.items()},
            None if settings.metadata_header is None else tuple(settings.metadata_header),
        )

    @property
    def theirs(self) -> list[str]:
        """All names that the config says, and ours for what it does not name."""
        return [*(name for name in ITEM_FIELDS if name not in self.names), *self.named]

    @property
    def named(self) -> list[str]:
        """All names that the config says."""
        return [*(name for several in self.names.values() for name in several), *self.attributes.values()]


@dataclass(frozen=True)
class Columns:
    """Where the fields of item records stand in the records of a file.

    Attributes:
        paths: field of an item record -> the steps to its value, or to several; attributes by the names of their
            fields, and `GROUP`.
        names: the same as the file calls them; those that may come later are left out.
        remarks: what is to be said of fields that were not found.
        absent: fields and attributes that the config names and the head of the file lacks -> their names.
        id_field: the field that says of whom a record is.
        header: names of all columns, where delimited text has no first line of names.
    """

    paths: dict[str, tuple[Steps, ...]]
    names: dict[str, list[str]]
    remarks: list[str]
    absent: dict[str, str]
    id_field: str = c.ITEM_ID
    header: tuple[str | None, ...] | None = None

    @property
    def renamed(self) -> dict[str, str]:
        """Fields and attributes that the file calls otherwise -> what it calls them."""
        plain = {name.removeprefix(ATTRIBUTE_FIELD): theirs for name, theirs in self.names.items()}
        return {name: ", ".join(theirs) for name, theirs in plain.items() if theirs != [name]}


def find_columns(wanted: Wanted, names: Mapping[str, Steps], file_name: str, *, sparse: bool = False) -> Columns:
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
    finder = _Finder(wanted, names, file_name)
    for name in ITEM_FIELDS:
        finder.find_field(name)
    if c.ITEM_ID not in finder.found:
        raise _no_ids(wanted, names, finder.free, file_name)
    if GROUP in wanted.names:
        finder.find_named(GROUP)
    found = finder.found
    refuse_taken(wanted.attributes.values(), {their: name for name, theirs in found.items() for their in theirs})
    finder.find_attributes()
    paths = {name: tuple(names[their] for their in theirs) for name, theirs in found.items()}
    if sparse:
        for name in ITEM_FIELDS:
            if name not in found and name not in finder.unclear:
                paths[name] = tuple(map(steps_of, wanted.names.get(name, (name,))))
        paths |= {
            ATTRIBUTE_FIELD + name: (steps_of(their),)
            for name, their in finder.absent.items()
            if name in wanted.attributes
        }
    return Columns(paths, found, finder.remarks, finder.absent, header=wanted.header)


class _Finder:
    """Finds columns one by one.

    Attributes:
        found: field -> the names of its columns in the file.
        free: names that the config does not mention.
        unclear: fields for which there are several well-known names.
        remarks, absent: see `Columns`.
    """

    def __init__(self, wanted: Wanted, names: Mapping[str, Steps], file_name: str) -> None:
        self.found: dict[str, list[str]] = {}
        self.absent: dict[str, str] = {}
        self.remarks: list[str] = []
        self.unclear: set[str] = set()
        self._wanted, self._find = wanted, NameFinder(names, file_name, "data.metadata_columns")
        taken = {name.casefold() for name in wanted.named}
        self.free = [name for name, steps in names.items() if len(steps) == 1 and name.casefold() not in taken]

    def find_field(self, name: str) -> None:
        """Find the columns of a field: as the config says, under our name, or under a well-known one."""
        if name in self._wanted.names:
            self.find_named(name)
        elif (ours := self._find(name)) is not None:
            self.found[name] = [ours]
        else:
            self._find_alias(name)

    def find_named(self, name: str) -> None:
        """Find the columns that the config names."""
        for their in self._wanted.names[name]:
            if (there := self._find(their)) is None:
                self.absent[name] = their
            else:
                self.found.setdefault(name, []).append(there)

    def find_attributes(self) -> None:
        """Find the columns of attributes."""
        for name, column in self._wanted.attributes.items():
            if (there := self._find(column)) is None:
                self.absent[name] = column
            else:
                self.found[ATTRIBUTE_FIELD + name] = [there]

    def _find_alias(self, name: str) -> None:
        """Find what is well known as a field, if there is one such column."""
        candidates = aliases_among(name, self.free)
        if len(candidates) == 1:
            self.found[name] = candidates
        elif candidates:
            self.unclear.add(name)
            setting = f"data.metadata_columns: {{{name}: {candidates[0]}}}"
            self.remarks.append(f"{name} is not read: it may be {' or '.join(candidates)}; set {setting}")


def _no_ids(wanted: Wanted, names: Mapping[str, Steps], free: list[str], file_name: str) -> DataError:
    (expected,) = wanted.names.get(c.ITEM_ID, (c.ITEM_ID,))
    candidates = aliases_among(c.ITEM_ID, free)
    if wanted.header is None and all(len(steps) == 1 for steps in names.values()) and is_data([*names]):
        return DataError(
            f"a first line with the names of the columns in the catalogue {file_name}",
            f"one that holds data: {','.join(names)[:100]!r}",
            "name them in their order at data.metadata_header: [item_id, title, price], _ for one that is not read",
        )
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
