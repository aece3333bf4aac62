"""YAML with comments, a setting a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from recsys.inspect.words import printable

WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z_./][\w./ ()+-]*[\w./)]|[A-Za-z_]")


@dataclass(frozen=True)
class Setting:
    """A setting of a proposal, with what is to be said of it.

    Attributes:
        key: its name.
        value: of it; a mapping is written a line for each entry.
        comment: behind it; "" for none.
        comments: behind the entries of a mapping, by their keys, or of a list, by the entries.
    """

    key: str
    value: Any
    comment: str = ""
    comments: Mapping[str, str] | None = None


def yaml_text(settings: Sequence[Setting], indent: str = "") -> str:
    """Settings as YAML, comments in one column where they fit."""
    return "".join(_commented(list(_lines(settings, indent))))


def _lines(settings: Sequence[Setting], indent: str) -> Iterator[tuple[str, str]]:
    for setting in settings:
        start = f"{indent}{_scalar(setting.key)}:"
        if isinstance(setting.value, Mapping) and setting.value:
            if not setting.comments and len(flow := f"{start} {_flow(setting.value)}") <= WIDTH - 20:
                yield flow, setting.comment
                continue
            yield start, setting.comment
            for key, value in setting.value.items():
                yield f"{indent}  {_scalar(key)}: {_flow(value)}", (setting.comments or {}).get(key, "")
        elif isinstance(setting.value, list) and (setting.comments or len(f"{start} {_flow(setting.value)}") > WIDTH):
            yield start, setting.comment
            for value in setting.value:
                comment = setting.comments.get(value, "") if setting.comments else ""
                yield f"{indent}  - {_flow(value)}", comment
        else:
            yield f"{start} {_flow(setting.value)}", setting.comment


def _commented(lines: list[tuple[str, str]]) -> Iterator[str]:
    column = min(46, max((len(text) for text, comment in lines if comment), default=0))
    for text, said in lines:
        comment = printable(said)
        if not comment:
            yield f"{text}\n"
        elif len(text) <= column and column + len(comment) + 4 <= WIDTH:
            yield f"{text:<{column}}  # {comment}\n"
        elif len(text) + len(comment) + 4 <= WIDTH:
            yield f"{text}  # {comment}\n"
        else:  # above it
            indent = text[: len(text) - len(text.lstrip())]
            yield from (f"{indent}# {part}\n" for part in _broken(comment, WIDTH - len(indent) - 2))
            yield f"{text}\n"


def _broken(comment: str, width: int) -> Iterator[str]:
    line = ""
    for word in comment.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """A value as YAML reads it back, plain where it can be."""
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    text = str(value) if isinstance(value, Path) else value
    if _PLAIN.fullmatch(text) and yaml.safe_load(f"[{text}]") == [text]:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())
