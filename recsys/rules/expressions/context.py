"""Values that are given with a request, in the type that an expression needs."""

from __future__ import annotations

import math
from typing import TypeAlias

from recsys.rules.columns import FieldType
from recsys.rules.expressions.literals import is_sound, seconds_since_1970
from recsys.rules.expressions.truths import UNKNOWN, Truths, certain

ContextValue: TypeAlias = str | float | bool
_TRUTHS = {"true": True, "false": False}


def in_type(value: ContextValue | None, wanted: FieldType | None) -> Truths | float | str | None:
    """A value as an expression reads it. Texts that read as a number, a time, true or false are those, too.

    Returns:
        Of a text, None where it is missing or does not fit; of a number or time, NaN; of a truth value, `UNKNOWN`.
    """
    if wanted == "text":
        return value if isinstance(value, str) and is_sound(value) else None
    if wanted == "bool":
        truth = _TRUTHS.get(value) if isinstance(value, str) else value
        return certain(truth) if isinstance(truth, bool) else UNKNOWN
    if value is None or isinstance(value, bool):
        return math.nan
    try:
        number = seconds_since_1970(str(value)) if wanted == "time" else float(value)
    except (ValueError, OverflowError):
        return math.nan
    return number if math.isfinite(number) else math.nan
