"""Tables of settings in a Markdown file, made from the pydantic models that define them."""

from __future__ import annotations

import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo


def settings_table(fields: Iterable[tuple[str, FieldInfo]]) -> str:
    """A Markdown table of every key with its type, default and meaning."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, field in fields:
        default = "required" if field.is_required() else f"`{_plain(field.get_default())}`"
        rows.append(f"| `{key}` | {_type_name(field.annotation)} | {default} | {field.description or ''} |")
    return "\n".join(rows)


def between_marks(text: str, name: str, table: str) -> str:
    """`text` with what stands between the marks `<!-- NAME: begin -->` and `<!-- NAME: end -->` replaced by `table`."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{table}\n{end}{after}"


def _type_name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " \\| ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join("null" if a is type(None) else _type_name(a) for a in arguments)
    if origin is not None and hasattr(annotation, "__metadata__"):
        return _type_name(arguments[0])
    if origin is not None:
        return f"{origin.__name__} of {', '.join(dict.fromkeys(_type_name(a) for a in arguments))}"
    return "path" if annotation is Path else str(annotation.__name__)


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_plain(entry) for entry in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_plain(entry)}" for key, entry in value.items()) + "}"
    return str(value) or '""'
