"""JSON in any arrangement, objects of a line, of several lines or of an array, as rows of strings."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from recsys.inspect.words import EVENT_COLUMNS, likeness

_BETWEEN = re.compile(r"[\s,\[]*")
_SCALAR_SHARE = 0.3  # of the records: as many have an item of their own, or the entries of a list are the items
_LOOKED_AT = 300
LIST_SEPARATOR = " | "

Row = dict[str, str | None]


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """The whole objects that stand one behind the other in a text, whatever stands between them.

    Lines that are no JSON are passed over, Python literals are read.
    """
    decoder = json.JSONDecoder(parse_constant=lambda _: None)
    position = _BETWEEN.match(text).end()  # type: ignore[union-attr] # it matches nothing at all, too
    while position < len(text):
        try:
            tree, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            line_end = text.find("\n", position)
            end = len(text) if line_end < 0 else line_end + 1
            tree = _literal(text[position:end])
        if isinstance(tree, dict):
            yield tree
        elif isinstance(tree, list):
            yield from (entry for entry in tree if isinstance(entry, dict))
        position = _BETWEEN.match(text, end).end()  # type: ignore[union-attr]


def _literal(line: str) -> Any:
    if not line.startswith("{'"):
        return None
    try:
        return ast.literal_eval(line.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def rows_of(records: list[dict[str, Any]]) -> list[Row]:
    """Records as rows by the paths of their fields.

    Where a list holds the items, there is a row for each of its entries, and none for records without one.
    """
    chosen = list_of_items(records)
    return [row for record in records for row in _rows_of(record, chosen)]


def without_items(records: list[dict[str, Any]]) -> int:
    """Number of records without an entry of the list that holds the items of others."""
    chosen = list_of_items(records)
    return 0 if chosen is None else sum(not list(_rows_of(record, chosen)) for record in records)


def list_of_items(records: list[dict[str, Any]]) -> str | None:
    """The path of the list whose entries are a record's items; None where each record has one item or none."""
    looked_at = records[:_LOOKED_AT]
    if sum(map(_is_product, looked_at)) > len(looked_at) / 2:
        return None
    lists: Counter[str] = Counter()
    names: dict[str, set[str]] = {}
    with_item = 0
    for record in looked_at:
        scalars: Row = {}
        found: dict[str, list[Any]] = {}
        _flatten(record, "", scalars, found)
        with_item += any(value and likeness(name, "item_id", EVENT_COLUMNS) > 0 for name, value in scalars.items())
        for path, entries in found.items():
            keys = _names_in(entries) if isinstance(entries[0], dict) else {f"{path}[]"}
            lists[path] += 1
            names.setdefault(path, set()).update(keys)
    if with_item >= _SCALAR_SHARE * len(looked_at):
        return None
    best = max(
        lists,
        key=lambda path: (max((likeness(n, "item_id", EVENT_COLUMNS) for n in names[path]), default=0), lists[path]),
        default=None,
    )
    if best is None or not any(likeness(name, "item_id", EVENT_COLUMNS) for name in names[best]):
        return None
    return best


def _is_product(record: dict[str, Any]) -> bool:
    """Whether a record is an item itself, with a name and an id, whatever lists of variants and pictures it has."""
    names = {name.casefold() for name in record}
    return bool({"id", "sku", "handle"} & names) and bool({"title", "name", "product_name"} & names)


def _names_in(entries: list[dict[str, Any]]) -> set[str]:
    """The paths of values in the entries of a list."""
    scalars: Row = {}
    for entry in entries:
        _flatten(entry, "", scalars, {})
    return set(scalars)


def _rows_of(record: dict[str, Any], chosen: str | None) -> Iterator[Row]:
    scalars: Row = {}
    lists: dict[str, list[Any]] = {}
    _flatten(record, "", scalars, lists)
    for path, entries in lists.items():
        if path != chosen and isinstance(entries[0], dict):
            scalars[f"{path}[]"] = f"{len(entries)} objects: {json.dumps(entries[0])[:60]}"
        elif path != chosen:
            scalars[path] = _text(entries)
    if chosen is None:
        yield scalars
        return
    for entry in lists.get(chosen, []):
        row: Row = dict(scalars)
        if isinstance(entry, dict):
            _flatten(entry, f"{chosen}[].", row, {})
        else:
            row[f"{chosen}[]"] = _text(entry)
        yield row


def _flatten(tree: dict[str, Any], prefix: str, scalars: Row, lists: dict[str, list[Any]]) -> None:
    """Put the values of an object under their paths; lists of objects, or of texts and numbers, apart."""
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            _flatten(value, f"{path}.", scalars, lists)
        elif isinstance(value, list) and value and len({isinstance(entry, dict) for entry in value}) == 1:
            lists[path] = value
        else:
            scalars[path] = _text(value)


def _text(value: Any) -> str | None:
    if value is None or value in ("", []):
        return None
    if isinstance(value, list):
        flat = value[0] if len(value) == 1 and isinstance(value[0], list) else value
        return LIST_SEPARATOR.join(str(entry) for entry in flat)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
