"""Records whose fields are not of the types that are wanted: what is meant is read, one field does not cost the others.

Catalogues are exported by many programs: ids, titles and brands come as JSON numbers, a missing price as NaN.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from recsys.prepare.formats.base import ATTRIBUTE_FIELD
from recsys.prepare.formats.reports import InputReport

# Larger whole numbers are not all told apart once a program has read them as floats.
_EXACT_BELOW = 2**53


def json_tree(line: bytes | str) -> Any:
    """A line of JSON; NaN and infinity, which Python's json writes for a number that is missing, are null."""
    return json.loads(line, parse_constant=lambda _: None)


class LooseReader:
    """Reads lines as records of a type, field by field."""

    def __init__(self, line_type: type[Any], report: InputReport, tree_of: Callable[[bytes], Any]) -> None:
        """`report` is told of fields that were left out; `tree_of` parses a line."""
        self._line_type, self._report, self._tree_of = line_type, report, tree_of
        self._fields = msgspec.structs.fields(line_type)

    def read(self, line: bytes) -> Any:
        """The record of a line.

        Raises:
            msgspec.ValidationError: it is no object, or a required field is missing or of a wrong type.
            ValueError: it cannot be parsed.
        """
        tree = self._tree_of(line)
        if not isinstance(tree, dict):
            return msgspec.convert(tree, self._line_type)
        sound, left_out = {}, []
        for field in self._fields:
            if field.encode_name not in tree:
                continue
            try:
                sound[field.encode_name] = _converted(tree[field.encode_name], field.type)
            except msgspec.ValidationError:
                if field.required:
                    raise
                left_out.append(field.name)
        record = msgspec.convert(sound, self._line_type)
        msgspec.json.encode(record)  # refuses a lone surrogate, which a tree may hold and UTF-8 may not
        for name in left_out:
            self._report.left_out[f"{name.removeprefix(ATTRIBUTE_FIELD)}_not_understood"] += 1
        return record


def _converted(value: Any, kind: Any) -> Any:
    """A value as its field wants it: as it is, or with texts in the place of its numbers."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return msgspec.convert(_in_texts(value), kind)


def _in_texts(value: Any) -> Any:
    """A value with texts in the place of numbers; what is no number that a text can stand for stays."""
    if isinstance(value, list):
        return [_in_texts(entry) for entry in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, float):
        if not value.is_integer() or abs(value) > _EXACT_BELOW:
            return value
        value = int(value)
    return str(value)
