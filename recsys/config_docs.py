"""The README's table of config keys, made from recsys/config.py: `python -m recsys.config_docs README.md`."""

from __future__ import annotations

import argparse
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from recsys.config import Config, Section

BEGIN, END = "<!-- config keys: begin -->", "<!-- config keys: end -->"


def config_table() -> str:
    """A Markdown table of every key with its type, default and meaning."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, field in _fields(Config, ""):
        default = "required" if field.is_required() else f"`{_plain(field.get_default())}`"
        rows.append(f"| `{key}` | {_type_name(field.annotation)} | {default} | {field.description or ''} |")
    return "\n".join(rows)


def with_table(text: str) -> str:
    """`text` with what stands between the two marks replaced by the table."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{config_table()}\n{END}{after}"


def _fields(section: type[Section], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _fields(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, field


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
    return str(value)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default="README.md", help="Markdown file with the two marks")
    path = parser.parse_args().file
    path.write_text(with_table(path.read_text("utf8")), "utf8")
