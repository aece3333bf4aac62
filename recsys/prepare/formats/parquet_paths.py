"""Paths into the columns of Parquet files: fields of structs, and entries of lists, one row for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.prepare.mapping_settings import LIST_MARK


class ColumnPath(NamedTuple):
    """Where the values of a column are.

    Attributes:
        keys: names of a column and of fields in it; one that ends with `LIST_MARK` is a list, of whose entries is read.
        type: of the values.
    """

    keys: tuple[str, ...]
    type: pa.DataType


def paths_in(schema: pa.Schema) -> dict[str, ColumnPath]:
    """All paths of a file by the way settings write them: the columns, fields of structs, entries of lists."""
    paths: dict[str, ColumnPath] = {}
    for field in schema:
        for path in _paths(field, ()):
            paths.setdefault(".".join(path.keys), path)
    return paths


def names_in(schema: pa.Schema) -> list[str]:
    """The names of all columns, also of those that come twice, and the paths into them."""
    return [*schema.names, *(path for path in paths_in(schema) if path not in schema.names)]


def _paths(field: pa.Field, before: tuple[str, ...]) -> Iterator[ColumnPath]:
    keys, kind = (*before, field.name), field.type
    yield ColumnPath(keys, kind)
    if is_list(kind) and not any(key.endswith(LIST_MARK) for key in keys):
        keys, kind = (*before, field.name + LIST_MARK), kind.value_type
        yield ColumnPath(keys, kind)
    if pa.types.is_struct(kind):
        for inner in kind:
            yield from _paths(inner, keys)


def is_list(kind: pa.DataType) -> bool:
    """Whether values are lists."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def read_paths(batch: pa.RecordBatch, paths: Mapping[str, ColumnPath]) -> tuple[dict[str, pa.Array], int]:
    """The columns of a batch by path, and the number of its rows whose list is empty, which are left out.

    Args:
        batch: with the columns in which the paths start.
        paths: name -> path; those through a list go through the same.
    """
    through = next((keys for keys, _ in paths.values() if any(key.endswith(LIST_MARK) for key in keys)), None)
    if through is None:
        return {name: _value(batch, path.keys) for name, path in paths.items()}, 0
    place = next(n for n, key in enumerate(through) if key.endswith(LIST_MARK)) + 1
    lists = _value(batch, (*through[: place - 1], through[place - 1].removesuffix(LIST_MARK)))
    parents = pc.list_parent_indices(lists)
    entries = pc.list_flatten(lists)
    columns = {
        name: _fields(entries, path.keys[place:])
        if path.keys[:place] == through[:place]
        else _value(batch, path.keys).take(parents)
        for name, path in paths.items()
    }
    return columns, len(batch) - len(np.unique(parents.to_numpy()))


def _value(batch: pa.RecordBatch, keys: Sequence[str]) -> pa.Array:
    return _fields(batch.column(keys[0]), keys[1:])


def _fields(values: pa.Array, keys: Sequence[str]) -> pa.Array:
    for key in keys:
        values = pc.struct_field(values, key)
    return values
