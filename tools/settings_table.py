"""Markdown tables of settings, made from the pydantic models that define them."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Field = tuple[str, FieldInfo]
_NAMES: dict[Any, str] = {Path: "path", Any: "any"}


def settings_table(fields: Iterable[Field]) -> str:
    """A Markdown table of every key with its type, default and meaning."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, field in fields:
        default = "required" if field.is_required() else f"`{_plain(field.get_default(call_default_factory=True))}`"
        meaning = (field.description or "").replace("|", "\\|")
        rows.append(f"| `{key}` | {_type_name(field.annotation)} | {default} | {meaning} |")
    return "\n".join(rows)


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[Field]:
    """Every setting of a model and of the models in it, with its dotted key."""
    for name, field in model.model_fields.items():
        inner = section_of(field)
        if inner is None:
            yield prefix + name, field
        else:
            yield from leaves(inner, f"{prefix}{name}.")


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model that a field holds; None: it holds a value."""
    annotation = field.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _type_name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " \\| ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join("null" if a is type(None) else _type_name(a) for a in arguments)
    if origin is not None and hasattr(annotation, "__metadata__"):
        return _type_name(arguments[0])
    if origin is dict:
        return f"map of {_type_name(arguments[0])} to {_type_name(arguments[1])}"
    if origin is not None:
        return f"{origin.__name__} of {', '.join(dict.fromkeys(_type_name(a) for a in arguments))}"
    return _NAMES.get(annotation) or _class_name(annotation)


def _class_name(annotation: Any) -> str:
    if issubclass(annotation, BaseModel):
        return f"map ({', '.join(annotation.model_fields)})"
    return str(annotation.__name__)


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_plain(entry) for entry in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_plain(entry)}" for key, entry in value.items()) + "}"
    return str(value) or '""'
