"""The three formats of the Amazon review data (2014, 2018, 2023): field names, types, and how to tell them.

Sources: McAuley et al. 2015 (2014: metadata lines are Python literals), Ni et al. 2019 (2018), Hou et al. 2024 (2023).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from recsys.core.errors import DataError
from recsys.prepare.files import SourceReport, head_lines

Id = Annotated[str, Meta(min_length=1)]
# Seconds up to the year 2242: milliseconds in place of seconds lie beyond.
LAST_SECOND = 1 << 33
SNIFFED_LINES = 100


class Image2023(msgspec.Struct, gc=False):
    """Links to one picture."""

    large: str | None = None
    hi_res: str | None = None


@dataclass(frozen=True)
class Format:
    """How one edition names and types its fields.

    Attributes:
        review: field name in the file of user_id, item_id, rating and timestamp.
        ticks: timestamp units in a second.
        metadata: field name in the file of item_id, title, brand, categories, price, description, image.
        telltale: metadata fields that only this edition has.
        literals: metadata lines may be Python literals.
    """

    review: dict[str, str]
    ticks: int
    metadata: dict[str, str]
    telltale: frozenset[str]
    literals: bool = False


_REVIEW_2014 = {"user_id": "reviewerID", "item_id": "asin", "rating": "overall", "timestamp": "unixReviewTime"}

FORMATS = {
    "amazon_2014": Format(
        review=_REVIEW_2014,
        ticks=1,
        metadata={"item_id": "asin", "image": "imUrl"},
        telltale=frozenset({"imUrl", "salesRank", "related", "categories"}),
        literals=True,
    ),
    "amazon_2018": Format(
        review=_REVIEW_2014,
        ticks=1,
        metadata={"item_id": "asin", "categories": "category", "image": "imageURLHighRes"},
        telltale=frozenset({"category", "main_cat", "also_buy", "imageURL", "imageURLHighRes"}),
    ),
    "amazon_2023": Format(
        review={"user_id": "user_id", "item_id": "parent_asin", "rating": "rating", "timestamp": "timestamp"},
        ticks=1000,
        metadata={"item_id": "parent_asin", "brand": "store", "image": "images"},
        telltale=frozenset({"parent_asin", "store", "images"}),
    ),
    # Catalogues that come with event logs name the fields as the prepared dataset does.
    "events": Format(review={}, ticks=1, metadata={}, telltale=frozenset({"item_id"})),
}


class RawMetadata(msgspec.Struct, gc=False):
    """A metadata line; the types are those of all editions together."""

    item_id: Id
    title: str | None = None
    brand: str | None = None
    categories: list[list[str] | str] | str | None = None
    price: float | str | None = None
    description: list[str] | str | None = None
    image: list[str | Image2023] | str | None = None


def review_type(form: Format, rating_range: tuple[float, float]) -> type[msgspec.Struct]:
    """The type of a review line: ids not empty, rating in range or absent, timestamp plausible."""
    low, high = rating_range
    return msgspec.defstruct(
        "Review",
        [
            ("user_id", Id),
            ("item_id", Id),
            ("timestamp", Annotated[int, Meta(ge=0, lt=LAST_SECOND * form.ticks)]),
            ("rating", Annotated[float, Meta(ge=low, le=high)] | None, None),
        ],
        rename=form.review,
        gc=False,
    )


def metadata_type(form: Format) -> type[msgspec.Struct]:
    """The type of a metadata line: `RawMetadata` under the field names of an edition."""
    # A subclass renames only the fields that it adds.
    fields = [
        (field.name, field.type) if field.required else (field.name, field.type, field.default)
        for field in msgspec.structs.fields(RawMetadata)
    ]
    return msgspec.defstruct("Metadata", fields, rename=form.metadata, gc=False)


def check_format(report: SourceReport, name: str) -> None:
    """Stop when the first lines of a file are evidently not in the format `name`.

    Raises:
        DataError: naming the format or the kind of file that they look like.
    """
    keys = [found for line in head_lines(report.path, SNIFFED_LINES) if (found := _keys(line))]
    if not keys:
        return  # nothing to go by: the limit on bad lines will decide
    seen = frozenset().union(*keys)
    kinds = {"interactions": _review_formats(seen), "metadata": _metadata_formats(seen)}
    if name in kinds[report.kind] or not (kinds["interactions"] or kinds["metadata"]):
        return
    other = next(kind for kind in (report.kind, *kinds) if kinds[kind])
    if other != report.kind:
        got, remedy = f"{other} in the format {' or '.join(kinds[other])}", f"list it under data.{other}"
    else:
        got = f"the format {' or '.join(kinds[other])}"
        remedy = f"set data.format: {kinds[other][0]}"
        if name == "events":
            remedy = "rename the fields to item_id, title, brand, categories, price, description, image"
    raise DataError(f"{report.kind} in the format {name} in {report.path}", got, remedy)


def _review_formats(keys: frozenset[str]) -> list[str]:
    return [
        name
        for name, form in FORMATS.items()
        if form.review and {form.review["user_id"], form.review["item_id"]} <= keys
    ]


def _metadata_formats(keys: frozenset[str]) -> list[str]:
    if "reviewerID" in keys or "user_id" in keys:
        return []
    candidates = [name for name, form in FORMATS.items() if form.metadata.get("item_id", "item_id") in keys]
    telling = [name for name in candidates if FORMATS[name].telltale & keys]
    # `categories` is 2014 unless parent_asin shows 2023; files with no telltale fit any edition.
    return telling or candidates


def _keys(line: bytes) -> frozenset[str]:
    for parse in (msgspec.json.decode, _literal):
        try:
            tree = parse(line)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        return frozenset(map(str, tree)) if isinstance(tree, dict) else frozenset()
    return frozenset()


def _literal(line: bytes) -> object:
    return ast.literal_eval(line.decode("utf8"))
