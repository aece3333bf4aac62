"""Paths into records of JSON: fields of objects, and entries of lists; and a type that decodes these fields alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.core.errors import DataError
from recsys.core.types import Int64Array
from recsys.prepare import columns as c
from recsys.prepare.formats.catalogue.paths import names_in
from recsys.prepare.mapping_settings import LIST_MARK, OF_ITEM, OF_USER

Keys = tuple[str, ...]
"""Names of fields from the outside in; one that ends with `LIST_MARK` is a list, of whose entries is read."""

# What rows tell of items and users may be anything.
_ID = str | int | float | None
_VALUE = str | int | float | bool | None


def paths_of(trees: Iterable[Any]) -> dict[str, Keys]:
    """All paths of some records that go through one list at most, by the way settings write them."""
    paths: dict[str, Keys] = {}
    for tree in trees:
        for name, steps in names_in(tree).items():
            if steps.count(LIST_MARK) <= 1 and name not in paths:
                paths[name] = _keys(steps)
    return paths


def _keys(steps: Sequence[str]) -> Keys:
    """Steps whose list is one of its own, with its mark at what is the list."""
    keys: list[str] = []
    for step in steps:
        if step == LIST_MARK:
            keys[-1] += step
        else:
            keys.append(step)
    return tuple(keys)


def keys_of(path: str, known: Mapping[str, Keys]) -> Keys:
    """The keys of a path, which was seen, or else is split at its points."""
    return known.get(path) or tuple(path.split("."))


class RecordPaths:
    """The fields of records that are read, each with what gives it.

    Attributes:
        line_type: a msgspec type of records that decodes these fields alone; all of them may be missing.
    """

    def __init__(self, paths: Mapping[str, Keys], file_name: str) -> None:
        """`paths`: name -> keys; all through a list go through the same.

        Raises:
            DataError: a field is read as a value and as an object that holds one.
        """
        self._paths, self._file_name = dict(paths), file_name
        tree: dict[str, Any] = {}
        for name, keys in paths.items():
            self._plant(tree, keys, _kind_of(name))
        self._attributes: dict[Keys, str] = {}
        self.line_type = self._struct(tree, ())
        place, through = _list_in(paths.values())
        self._list = self._getter(through) if through else None
        inner = {name: keys[place:] for name, keys in paths.items() if through and keys[:place] == through}
        self._inner = {name: self._getter(keys, through) for name, keys in inner.items()}
        self._outer = {name: self._getter(keys) for name, keys in paths.items() if name not in inner}

    def columns(self, records: Sequence[Any]) -> tuple[dict[str, pa.Array], Int64Array]:
        """The columns of some records, and of each row the position of its record: rows are entries where of a list.

        Values are texts, as CSV would hold them, but for lists of texts in columns item.FIELD and user.FIELD.
        """
        outer = {name: _texts(get(records)) for name, get in self._outer.items()}
        if self._list is None:
            return outer, np.arange(len(records))
        lists = [entries or () for entries in self._list(records)]
        parents = np.repeat(np.arange(len(records)), [len(entries) for entries in lists])
        empty = self._empty_entry
        rows = [entry if entry is not None else empty for entries in lists for entry in entries]
        columns = {name: array.take(pa.array(parents)) for name, array in outer.items()}
        return columns | {name: _texts(get(rows)) for name, get in self._inner.items()}, parents

    def _plant(self, tree: dict[str, Any], keys: Keys, kind: Any) -> None:
        *outer, last = keys
        for key in outer:
            tree = tree.setdefault(key, {})
            if not isinstance(tree, dict):
                raise self._clash(keys)
        if isinstance(tree.setdefault(last, kind), dict):
            raise self._clash(keys)

    def _clash(self, keys: Keys) -> DataError:
        return DataError(
            f"a value in {'.'.join(keys)} of {self._file_name}",
            "data.columns that name it and what holds it",
            "keep one of them",
        )

    def _struct(self, tree: Mapping[str, Any], before: Keys) -> type[Any]:
        fields: list[tuple[str, Any, Any]] = []
        names = {}
        for number, (key, kind) in enumerate(tree.items()):
            field = f"f{number}"
            names[field] = key.removesuffix(LIST_MARK)
            self._attributes[(*before, key)] = field
            fields.append((field, *self._field(key, kind, before)))
        return msgspec.defstruct("Record", fields, rename=names, gc=False)

    def _field(self, key: str, kind: Any, before: Keys) -> tuple[Any, Any]:
        """Type and default of a field."""
        if isinstance(kind, dict):
            kind = self._struct(kind, (*before, key))
        if key.endswith(LIST_MARK):
            self._empty_entry = kind() if hasattr(kind, "__struct_fields__") else None
            return list[kind | None] | None, None
        return (kind if kind in (Any, _ID, _VALUE) else kind | None), None

    def _getter(self, keys: Keys, before: Keys = ()) -> Callable[[Sequence[Any]], list[Any]]:
        """What gives the values of a path, of entries of the list `before`."""
        if not keys:
            return list
        attributes = [self._attributes[(*before, *keys[: n + 1])] for n in range(len(keys))]
        quick = attrgetter(".".join(attributes))

        def values(records: Sequence[Any]) -> list[Any]:
            try:
                return list(map(quick, records))
            except AttributeError:  # an object on the way is missing in some
                return [_within(record, attributes) for record in records]

        return values


def _kind_of(name: str) -> Any:
    if name.startswith((OF_ITEM, OF_USER)):
        return Any
    return _ID if name in (c.USER_ID, c.ITEM_ID, c.EVENT_ID) else _VALUE


def _list_in(paths: Iterable[Keys]) -> tuple[int, Keys]:
    """How many keys there are up to the list, and these keys; none if no path goes through one."""
    for keys in paths:
        for place, key in enumerate(keys, 1):
            if key.endswith(LIST_MARK):
                return place, keys[:place]
    return 0, ()


def _within(record: Any, attributes: Sequence[str]) -> Any:
    for attribute in attributes:
        if record is None:
            return None
        record = getattr(record, attribute)
    return record


def _texts(values: list[Any]) -> pa.Array:
    """Values as texts; an empty one is null. Where any is a list, all are lists of texts."""
    try:
        texts = pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid, TypeError):
        if any(isinstance(value, list) for value in values):
            return pa.array([_listed(value) for value in values], pa.list_(pa.string()))
        texts = pa.array(list(map(_text, values)), pa.string())
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _text(value: Any) -> str | None:
    """A value as CSV would hold it; an object, which it would not, is none."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else None


def _listed(value: Any) -> list[str] | None:
    if not isinstance(value, list):
        text = _text(value)
        return None if text is None else [text]
    nested = [_listed(entry) or [] for entry in value]
    return [text for texts in nested for text in texts]
