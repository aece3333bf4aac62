"""Read RecBole's atomic files: tab-separated, the first line naming each field with its type (`user_id:token`).

Interactions (.inter) need user_id, item_id and timestamp (seconds since 1970) and may have rating and event_type;
`data.columns` says where they are called otherwise. Items (.item) need item_id and may have a title, categories, brand,
year, price and description, see `_ITEM_FIELDS`; others are ignored.

https://recbole.io/docs/user_guide/data/atomic_files.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pyarrow as pa

from recsys.core.errors import DataError
from recsys.prepare import columns as c
from recsys.prepare.formats.base import ATTRIBUTE_FIELD, Format, OnBytes, RawItem, RawTaggedItem, with_attributes
from recsys.prepare.formats.delimited import DelimitedRows
from recsys.prepare.formats.event_checks import checked_tables
from recsys.prepare.formats.event_columns import weights_of
from recsys.prepare.formats.event_refusals import as_yaml
from recsys.prepare.formats.files import head_texts
from recsys.prepare.formats.matching import NameFinder
from recsys.prepare.formats.names import missing_names, nearest_names
from recsys.prepare.formats.reports import MISSING_FIELD, InputKind, InputReport
from recsys.prepare.raw.dialects import read_header
from recsys.prepare.raw.records import Dialect
from recsys.prepare.settings import DataConfig

TYPES = frozenset({"token", "token_seq", "float", "float_seq"})
REQUIRED: dict[InputKind, tuple[str, ...]] = {
    "interactions": (c.USER_ID, c.ITEM_ID, c.TIMESTAMP),
    "metadata": (c.ITEM_ID,),
}
INTERACTION_FIELDS = (*REQUIRED["interactions"], c.RATING, c.EVENT_TYPE)
YEAR = "year"
Values = dict[str, str | None]
Readers = dict[str, Callable[[Values], str | list[str] | None]]
DIALECT = Dialect(delimiter=b"\t", quote=b"")

# For each field of an item record a test of names: the first field of the file that passes it is read.
_ITEM_FIELDS: dict[str, Callable[[str], bool]] = {
    c.ITEM_ID: lambda name: name == c.ITEM_ID,
    c.TITLE: lambda name: name.endswith("title") or name == "name",
    YEAR: lambda name: name.endswith("year"),
    c.BRAND: lambda name: name == "brand",
    c.CATEGORIES: lambda name: name in {"genre", "genres", "category", "categories", "class"},
    c.PRICE: lambda name: name == "price",
    c.DESCRIPTION: lambda name: name == "description",
}


def interaction_tables(
    report: InputReport, config: DataConfig, first_seq: int, on_bytes: OnBytes
) -> Iterator[pa.Table]:
    """Yield an .inter file, see `Format.interactions`."""
    report.mapping = config
    fields = check_header(report)
    names = {theirs: ours for ours, theirs in _interaction_fields(report, fields).items()}
    columns = {column: names[name] for name, column in fields.items() if name in names}
    rows = DelimitedRows(report, DIALECT)
    batches = rows.read(columns, config.allow_truncated, on_bytes)
    if c.EVENT_TYPE in columns.values():
        types = config.event_types
        return checked_tables(rows, batches, config, weights_of(config), first_seq, event_types=types)
    return checked_tables(rows, batches, config, {"interaction": 1.0}, first_seq)


def _interaction_fields(report: InputReport, fields: Mapping[str, str]) -> dict[str, str]:
    """Our names -> those of the fields that are read of an .inter file."""
    mapping = report.mapping.columns
    columns = {ours: mapping[ours] for ours in INTERACTION_FIELDS if mapping.get(ours) in fields}
    report.used |= {f"columns.{ours}" for ours in columns}
    report.columns |= columns
    own = [name for name in INTERACTION_FIELDS if name in fields and name not in columns.values()]
    return {name: name for name in own} | columns


def item_rows(report: InputReport, config: DataConfig, on_bytes: OnBytes) -> Iterator[list[RawItem]]:
    """Yield an .item file as lists of `RawTaggedItem`, see `Format.items`."""
    report.mapping = config
    fields = check_header(report)
    names = _item_fields(report, fields)
    columns = {fields[name]: column for column, name in names.items()}
    report.columns |= {column: name for column, name in names.items() if column in config.metadata_columns}
    attributes = _attribute_columns(config, fields, columns)
    item_type = with_attributes(RawTaggedItem, config.attributes)
    rows = DelimitedRows(report, DIALECT)
    for batch in rows.read(columns, config.allow_truncated, on_bytes):
        first = rows.account(batch)
        items: list[RawItem] = []
        for position, values in enumerate(batch.to_pylist()):
            if values[c.ITEM_ID] is None:
                rows.drop(MISSING_FIELD, first + position, batch, position)
            else:
                items.append(item_type(**_item(values, attributes, config.category_separator is None)))
        yield items
    report.check_bad_share(config.max_bad_line_share)


def _item_fields(report: InputReport, fields: Mapping[str, str]) -> dict[str, str]:
    """Our names -> those of the fields that are read of an .item file: as settings say, or else usual ones.

    Raises:
        DataError: settings name a field that the file lacks, or several for one of ours.
    """
    names = {column: next(filter(accepts, fields), None) for column, accepts in _ITEM_FIELDS.items()}
    find = NameFinder(fields, str(report.path), "data.metadata_columns")
    for column in names.keys() & report.mapping.metadata_columns.keys():
        theirs = report.mapping.metadata_columns[column]
        found = find(theirs) if isinstance(theirs, str) else None
        if found is None:
            raise DataError(
                f"a field {theirs} (data.metadata_columns.{column}) in {report.path}",
                missing_names([str(theirs)], list(fields)),
                "name one field as the first line calls it, without its type",
            )
        names[column] = found
    return {column: name for column, name in names.items() if name is not None}


def check_header(report: InputReport) -> dict[str, str]:
    """The fields of a file as its first line names them: name -> name with type.

    Raises:
        DataError: the fields have no types; a required one is missing; one comes twice; the file is of the other kind.
    """
    path = report.path
    _, head = next(head_texts(path, report.text.encoding))
    columns = [name for name in read_header(head, report.text, (), str(path), DIALECT).names if name]
    fields = {column.partition(":")[0]: column for column in columns}
    if not all(name and column.partition(":")[2] in TYPES for name, column in fields.items()):
        raise DataError(
            f"tab-separated fields with their types ({c.USER_ID}:token, {c.RATING}:float) in the first line of {path}",
            repr("\t".join(columns)[:100]),
            "write token, token_seq, float or float_seq after each name, or set data.format to what the file is",
        )
    if len(fields) < len(columns):
        names = [column.partition(":")[0] for column in columns]
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(
            f"each field once in {path}",
            f"{twice} twice among {', '.join(columns)[:200]}",
            "remove all but one of them",
        )
    known = (_interaction_fields if report.kind == "interactions" else _item_fields)(report, fields)
    missing = [name for name in REQUIRED[report.kind] if name not in known]
    if missing:
        raise _missing(report, missing, list(fields))
    if report.kind == "metadata" and c.USER_ID in fields:
        raise DataError(f"items in {path}", "interactions", "list the file under data.interactions")
    return fields


def _missing(report: InputReport, missing: list[str], fields: list[str]) -> DataError:
    path, kind = report.path, report.kind
    nearest = nearest_names(missing, [name for name in fields if name not in REQUIRED[kind]])
    setting, mapped = ("columns", report.mapping.columns) if kind == "interactions" else ("metadata_columns", {})
    remedies = [f"set data.{setting}: {as_yaml({**mapped, **nearest})}"] if nearest else []
    left = [name for name in missing if name not in nearest]
    if c.TIMESTAMP in left:
        remedies.append(f"a time is needed to order and split: add {c.TIMESTAMP}:float, in seconds since 1970")
        left.remove(c.TIMESTAMP)
    if left:
        remedies.append(f"rename the fields to {', '.join(left)}")
    if kind == "interactions" and c.USER_ID in left and c.ITEM_ID in fields:
        remedies.append("list a file of items under data.metadata")
    return DataError(
        f"the fields {', '.join(REQUIRED[kind])} in {path}", missing_names(missing, fields), ", or ".join(remedies)
    )


def _attribute_columns(config: DataConfig, fields: Mapping[str, str], columns: dict[str, str]) -> Readers:
    """Fields of item records for the attributes that a file has, each with what reads it; adds to `columns`."""
    readers: Readers = {}
    for name, entry in config.attributes.items():
        if (column := fields.get(entry.column or name)) is not None:
            readers[ATTRIBUTE_FIELD + name] = partial(
                _attribute,
                columns.setdefault(column, ATTRIBUTE_FIELD + name),
                by_blanks=entry.separator is None and column.endswith("_seq"),
            )
    return readers


def _attribute(column: str, values: Values, *, by_blanks: bool) -> str | list[str] | None:
    text = values[column]
    return text.split() if by_blanks and text else text


def _item(values: Values, attributes: Readers, by_blanks: bool) -> dict[str, Any]:
    """The fields of `RawTaggedItem`, and those of attributes; `by_blanks`: categories are separated by them."""
    categories = values.get(c.CATEGORIES) or ""
    return {
        "item_id": values[c.ITEM_ID] or "",
        "title": values.get(c.TITLE),
        "brand": values.get(c.BRAND),
        "categories": list(categories.split()) if by_blanks else categories,
        "price": values.get(c.PRICE),
        "description": values.get(c.DESCRIPTION),
        "year": (values.get(YEAR) or "").removesuffix(".0"),
        **{field: read(values) for field, read in attributes.items()},
    }


RECBOLE = Format(
    check=check_header, interactions=interaction_tables, items=item_rows, item_fields=check_header, maps_items=True
)
