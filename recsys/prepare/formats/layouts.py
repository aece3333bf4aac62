"""How files of JSON lines name and type their fields, and how to tell from a file's first lines which layout it has.

Amazon's review data has three editions, see McAuley et al. 2015 (2014: metadata lines are Python literals), Ni et al.
2019 (2018) and Hou et al. 2024 (2023). The catalogue beside an event log names its fields as the prepared dataset does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from recsys.core.errors import DataError
from recsys.core.events import END_OF_TIME
from recsys.prepare.attribute_settings import AttributeConfig
from recsys.prepare.formats.base import ATTRIBUTE_FIELD, Id, RawItem, attribute_field
from recsys.prepare.formats.catalogue.names import aliases_among
from recsys.prepare.formats.files import head_lines
from recsys.prepare.formats.json_records import literal_or_json
from recsys.prepare.formats.names import missing_names, nearest_names, refuse_taken
from recsys.prepare.formats.reports import InputKind, InputReport
from recsys.prepare.text_settings import AUTO

SNIFFED_LINES = 100
CATALOGUE = "events"


@dataclass(frozen=True)
class Layout:
    """The field names of one kind of files.

    Attributes:
        review: the file's names for user_id, item_id, rating and timestamp; empty if there are no reviews.
        ticks: timestamp units in a second.
        metadata: the file's names for fields of `RawItem`, where they differ.
        telltale: metadata fields that only this layout has.
        literals: whether metadata lines may be Python literals.
        further: fields of metadata beside those of `RawItem` that are read, whatever their type.
    """

    review: dict[str, str]
    ticks: int
    metadata: dict[str, str]
    telltale: frozenset[str]
    literals: bool = False
    further: tuple[str, ...] = ()


_REVIEW_2014 = {"user_id": "reviewerID", "item_id": "asin", "rating": "overall", "timestamp": "unixReviewTime"}

LAYOUTS = {
    "amazon_2014": Layout(
        review=_REVIEW_2014,
        ticks=1,
        metadata={"item_id": "asin", "image": "imUrl"},
        telltale=frozenset({"imUrl", "salesRank", "related", "categories"}),
        literals=True,
    ),
    "amazon_2018": Layout(
        review=_REVIEW_2014,
        ticks=1,
        metadata={"item_id": "asin", "categories": "category", "image": "imageURLHighRes"},
        telltale=frozenset({"category", "main_cat", "also_buy", "imageURL", "imageURLHighRes"}),
    ),
    "amazon_2023": Layout(
        review={"user_id": "user_id", "item_id": "parent_asin", "rating": "rating", "timestamp": "timestamp"},
        ticks=1000,
        metadata={"item_id": "parent_asin", "brand": "store", "image": "images"},
        telltale=frozenset({"parent_asin", "store", "images"}),
        further=("features", "details", "main_category"),
    ),
    CATALOGUE: Layout(review={}, ticks=1, metadata={}, telltale=frozenset({"item_id"})),
}


def review_type(layout: Layout, rating_range: tuple[float, float]) -> type[msgspec.Struct]:
    """The type of a review line: ids not empty, rating in range or absent, timestamp plausible."""
    low, high = rating_range
    return msgspec.defstruct(
        "Review",
        [
            ("user_id", Id),
            ("item_id", Id),
            ("timestamp", Annotated[int, Meta(ge=0, lt=END_OF_TIME * layout.ticks)]),
            ("rating", Annotated[float, Meta(ge=low, le=high)] | None, None),
        ],
        rename=layout.review,
        gc=False,
    )


def item_type(layout: Layout, attributes: Mapping[str, AttributeConfig]) -> type[msgspec.Struct]:
    """The type of a metadata line: the fields of `RawItem` under the names of a layout, and attributes.

    Raises:
        DataError: an attribute is of a column that is a field of items anyway.
    """
    columns = {ATTRIBUTE_FIELD + name: entry.column or name for name, entry in attributes.items()}
    known = {layout.metadata.get(field, field): field for field in RawItem.__struct_fields__}
    refuse_taken(columns.values(), known)
    # Not a subclass, because msgspec renames only the fields that a subclass adds.
    fields = [
        (field.name, field.type) if field.required else (field.name, field.type, field.default)
        for field in msgspec.structs.fields(RawItem)
    ]
    fields += map(attribute_field, attributes)
    fields += [(name, object, None) for name in layout.further if name not in columns.values()]
    return msgspec.defstruct("Metadata", fields, rename={**layout.metadata, **columns}, gc=False)


def check_layout(report: InputReport, name: str) -> None:
    """Stop when the first lines of a file are evidently not in the layout `name`.

    Raises:
        DataError: naming the layout or the kind of file that they look like.
    """
    fields = head_fields(report)
    if not fields:
        return  # no line can be parsed: the limit on bad lines will decide
    fitting = {"interactions": _review_layouts(fields), "metadata": _metadata_layouts(fields)}
    if name in fitting[report.kind]:
        return
    if not (fitting["interactions"] or fitting["metadata"]):
        _require_ids(report, LAYOUTS[name], fields)
        return
    kind = next(kind for kind in (report.kind, *fitting) if fitting[kind])
    if kind != report.kind:
        got, remedy = f"{kind} in the format {' or '.join(fitting[kind])}", f"list it under data.{kind}"
    else:
        got = f"the format {' or '.join(fitting[kind])}"
        remedy = f"set data.format: {fitting[kind][0]}"
    raise DataError(f"{report.kind} in the format {name} in {report.path}", got, remedy)


def refuse_other_layouts(report: InputReport, fields: frozenset[str]) -> None:
    """Stop at a catalogue under the names of Amazon's editions, which its formats read, and at reviews.

    Raises:
        DataError: with the format that reads the file.
    """
    path = report.path
    if reviews := _review_layouts(fields):
        raise DataError(
            f"a catalogue in {path}",
            f"interactions in the format {' or '.join(reviews)}",
            "list it under data.interactions",
        )
    fitting = _metadata_layouts(fields)
    if fitting and CATALOGUE not in fitting and not aliases_among("item_id", fields):
        raise DataError(
            f"a catalogue under names of its own in {path}",
            f"the format {' or '.join(fitting)}",
            f"write {{path: {path}, format: {fitting[0]}}} in the place of the path",
        )


def fitting_formats(path: Path, kind: InputKind, encoding: str = AUTO) -> list[str]:
    """The formats of JSON lines that the first lines of a file look like; `encoding`: see `TextConfig`."""
    fields = _fields_of(path, encoding)
    return _review_layouts(fields) if kind == "interactions" else _metadata_layouts(fields)


def _require_ids(report: InputReport, layout: Layout, fields: frozenset[str]) -> None:
    """Stop at records without the fields that name user and item."""
    names = layout.review if report.kind == "interactions" else layout.metadata
    wanted = ("user_id", "item_id") if report.kind == "interactions" else ("item_id",)
    missing = [names.get(name, name) for name in wanted if names.get(name, name) not in fields]
    if missing:
        renames = [f"rename {name} to {wanted}" for wanted, name in nearest_names(missing, fields).items()]
        raise DataError(
            f"records with {', '.join(names.get(name, name) for name in wanted)} in {report.path}",
            missing_names(missing, sorted(fields)),
            f"{', '.join(renames) or 'rename the fields'}, or set data.format to what the file is",
        )


def _review_layouts(fields: frozenset[str]) -> list[str]:
    return [
        name
        for name, layout in LAYOUTS.items()
        if layout.review and {layout.review["user_id"], layout.review["item_id"]} <= fields
    ]


def _metadata_layouts(fields: frozenset[str]) -> list[str]:
    if "reviewerID" in fields or "user_id" in fields:
        return []
    fitting = [name for name, layout in LAYOUTS.items() if layout.metadata.get("item_id", "item_id") in fields]
    certain = [name for name in fitting if LAYOUTS[name].telltale & fields]
    # `categories` means 2014 unless parent_asin shows 2023; a file with no telltale field fits every edition.
    return certain or fitting


def head_fields(report: InputReport) -> frozenset[str]:
    """Names of all fields in the first lines of a file."""
    return _fields_of(report.path, report.text.encoding)


def _fields_of(path: Path, encoding: str) -> frozenset[str]:
    return frozenset[str]().union(*map(_field_names, head_lines(path, SNIFFED_LINES, encoding)))


def _field_names(line: bytes) -> frozenset[str]:
    try:
        tree = literal_or_json(line)
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(map(str, tree)) if isinstance(tree, dict) else frozenset()
