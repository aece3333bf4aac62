"""Settings for catalogues, for logs of properties, and for what event rows tell of their item."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pyarrow.compute as pc

from recsys.inspect.columns import Column
from recsys.inspect.roles import SURE, Role, Roles
from recsys.inspect.tables import Table
from recsys.inspect.words import ITEM_COLUMNS, is_stock
from recsys.inspect.yaml_lines import Setting
from recsys.prepare.formats.matching import plain_name

_POINTS = re.compile(r"[^\s.]+(?:\.[^\s.]+)+")
_SHARE_WITH_POINTS = 0.3
_SHOWN = (">", "|", "::", " / ")
_HASHED_NUMBER = re.compile(r"n\d+\.\d{3}")  # as RetailRocket writes numbers
_FEW = 30
_GROUPS = ("handle", "parent")
_AVAILABLE: Final = "available"
_PROPERTIES: Final[dict[str, str]] = {
    **{"categoryid": "categories", "category": "categories", "price": "price", "brand": "brand"},
    **{"title": "title", "name": "title", "description": "description"},
    **{"available": _AVAILABLE, "instock": _AVAILABLE},
}


def told_settings(log: Table) -> Roles:
    """What event rows tell of their item, by the names of `data.columns`."""
    told = {f"item.{field}": role for field, role in log.told.items() if field != "image" or not role.is_guessed}
    price = log.roles.get("price")
    if price is not None and told:
        told["item.price"] = Role(price.column, max(price.score, SURE), price.why)
    return told


def told_separator(log: Table) -> Iterator[Setting]:
    """What separates the categories that event rows tell, where that does not show by itself."""
    categories = log.told.get("categories")
    if categories is not None:
        column = next(column for column in log.columns if column.name == categories.column)
        yield from _separator(column)


def _separator(column: Column | None) -> Iterator[Setting]:
    if separator := separator_of(column):
        yield Setting("category_separator", separator, "guessed: points stand between words")
    elif marks := separators_of_paths(column):
        yield Setting("category_separator", marks, "guessed: paths, with commas between them")


def separators_of_paths(column: Column | None) -> list[str]:
    """The separators of several paths in one text, as WooCommerce and Magento write them: `A > B, A > C`, `A/B,A/C`.

    Some texts have commas, and all parts between these are paths.
    """
    texts = list(column.counts)[:1000] if column is not None else []
    for mark in (">", "/"):
        parts = [[part.strip() for part in text.split(",")] for text in texts]
        with_mark = [mark in part for several in parts if len(several) > 1 for part in several]
        if with_mark and all(with_mark):
            return [mark, ","]
    return []


def separator_of(column: Column | None) -> str | None:
    """A separator of categories that is not told by itself: points between words without blanks."""
    if column is None:
        return None
    texts = list(column.counts)[:1000]
    if not texts or any(mark in text for mark in _SHOWN for text in texts):
        return None
    return "." if sum(bool(_POINTS.fullmatch(text)) for text in texts) >= _SHARE_WITH_POINTS * len(texts) else None


def catalogue_settings(catalogues: Sequence[Table]) -> Iterator[Setting]:
    """The mapping of catalogues, attributes and what separates categories."""
    mapped = [table for table in catalogues if table.kind == "catalogue"]
    if not mapped:
        return
    first = mapped[0]
    roles = {role: first.roles[role] for role in ITEM_COLUMNS if role in first.roles}
    names = {role: given.column for role, given in roles.items() if given.column.casefold() != role}
    taken = {given.column for given in first.roles.values()}
    if group := next(
        (column.name for column in first.columns if _is_group(column.name) and column.name not in taken), ""
    ):
        names["group"] = group
    comments = {role: f"guessed from {given.why}" for role, given in first.roles.items() if given.is_guessed}
    if first.sample is not None and not first.sample.has_names:
        ours = {given.column: role for role, given in first.roles.items()}
        yield Setting("metadata_header", [ours.get(column.name, "_") for column in first.columns])
    elif names:
        yield Setting("metadata_columns", names, comments=comments)
    yield from _separator(first.column("categories"))
    stock = [column for column in first.columns if is_stock(column.name) and column.name not in taken]
    if stock and stock[0].numeric > 0.9:
        entry: str | dict[str, str] = {"type": "number", "column": stock[0].name}
        if stock[0].name == "stock":
            entry = "number"
        yield Setting("attributes", {"stock": entry})


def _is_group(name: str) -> bool:
    """Whether a column says of which product a variant is, as Shopify's and WooCommerce's do."""
    return plain_name(name) in _GROUPS


def property_settings(logs: Sequence[Table], has_catalogue: bool) -> Iterator[Setting]:
    """The mapping of logs of properties: what their columns are called, and which properties are fields of items."""
    if not logs:
        return
    yield Setting("properties", [str(log.path) for log in logs])
    names = {plain_name(column.name): column.name for column in logs[0].columns}
    roles: dict[str, str] = {
        role: logs[0].roles[role].column for role in ("item_id", "timestamp") if role in logs[0].roles
    }
    columns: dict[str, str] = {**roles, "property": names["property"], "value": names["value"]}
    renamed: dict[str, Any] = {role: name for role, name in columns.items() if role != name}
    if renamed:
        yield Setting("property_columns", renamed)
    kept, comments = _property_names(logs[0])
    if has_catalogue:  # whose attributes are proposed already
        kept = {name: ours for name, ours in kept.items() if ours != _AVAILABLE}
    if kept:
        yield Setting("property_names", kept, comments=comments)
    if _AVAILABLE in kept.values():
        yield Setting("attributes", {_AVAILABLE: "bool"})


def _property_names(log: Table) -> tuple[dict[str, str], dict[str, str]]:
    sample = log.sample
    if sample is None:
        return {}, {}
    names = {plain_name(name): name for name in sample.rows.column_names}
    properties, values = sample.rows[names["property"]], sample.rows[names["value"]]
    counts = pc.value_counts(properties.drop_null()).to_pylist()
    kept: dict[str, str] = {}
    comments: dict[str, str] = {}
    for name in [entry["values"] for entry in sorted(counts, key=lambda entry: -entry["counts"])[:_FEW]]:
        if (ours := _PROPERTIES.get(plain_name(name))) and ours not in kept.values():
            kept[name] = ours
        elif "price" not in kept.values():
            texts = values.filter(pc.equal(properties, name)).slice(0, 200).drop_null().to_pylist()
            if texts and all(map(_HASHED_NUMBER.fullmatch, texts)):
                kept[name] = "price"
                comments[name] = f"guessed: a number in each row, for example {texts[0]}"
    return kept, comments
