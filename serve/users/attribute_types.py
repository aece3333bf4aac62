"""What the attributes of users may be: as the bundle's dataset types them, else texts, numbers and truth values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from recsys.core.item_changes import FieldValue
from recsys.core.values.times import parse_day_or_time
from serve.bundles.loaded import LoadedBundle
from serve.errors import UnfitRequestError

MAX_TEXT = 1000
MAX_TEXTS = 100


def types_of(loaded: LoadedBundle) -> Mapping[str, str]:
    """The types that the bundle's dataset gives attributes of users, by their names."""
    types: Mapping[str, str] = loaded.bundle.manifest.config.get("data", {}).get("user_attributes", {})
    return types


def typed(types: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, FieldValue]:
    """The attributes that have a value, each of the type that it is given, if it is given one.

    Raises:
        UnfitRequestError: a value is of another type.
    """
    values: dict[str, FieldValue] = {}
    for name, value in given.items():
        if value is None:
            continue
        wanted = types.get(name, "")
        fits = _CHECKS[wanted](value) if wanted in _CHECKS else any(check(value) for check in _ANY)
        if not fits:
            expected = _NAMES.get(wanted, "a text, a number, true, false or a list of texts")
            raise UnfitRequestError(f"attributes.{name}: expected {expected}, got {value!r:.60}")
        values[name] = tuple(value) if isinstance(value, list) else value
    return values


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MAX_TEXTS and all(_is_text(text) for text in value)


def _is_date(value: object) -> bool:
    if not isinstance(value, str) or not value[:4].isdigit():
        return False
    try:
        parse_day_or_time(value)
    except ValueError:
        return False
    return True


_CHECKS = {"text": _is_text, "number": _is_number, "bool": _is_bool, "texts": _are_texts, "date": _is_date}
_ANY = (_is_text, _is_number, _is_bool, _are_texts)
_NAMES = {
    "text": f"a text of at most {MAX_TEXT} characters",
    "number": "a finite number",
    "bool": "true or false",
    "texts": f"a list of at most {MAX_TEXTS} texts",
    "date": "a day such as 2024-05-01, or a time with its offset",
}
