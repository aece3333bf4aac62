"""Ids of users, items and events: 1 to 512 characters of any script, none of them a control character."""

from __future__ import annotations

import re
from typing import Final

from recsys.core.events import MAX_ID_CHARS

# Control characters forge lines of a log, and PostgreSQL's text holds no NUL. UTF-8 holds no lone surrogate.
CONTROLS: Final = r"\x00-\x1f\x7f-\x9f"
ID_PATTERN: Final = rf"^[^{CONTROLS}]*$"
_UNFIT = re.compile(rf"[{CONTROLS}\ud800-\udfff]")


def check_id(value: object) -> str:
    """The id itself.

    Raises:
        ValueError: it is no text, empty, longer than `MAX_ID_CHARS`, or holds a control character or a lone surrogate.
    """
    if is_id(value):
        return str(value)
    raise ValueError(id_fault(value))


def is_id(value: object) -> bool:
    """Whether `check_id` takes the value."""
    return isinstance(value, str) and 1 <= len(value) <= MAX_ID_CHARS and not _UNFIT.search(value)


def id_fault(value: object) -> str:
    """What is wrong with a value that is no id."""
    return f"expected an id of 1 to {MAX_ID_CHARS} characters without control characters, got {_fault(value)}"


def _fault(value: object) -> str:
    if not isinstance(value, str):
        return f"a {type(value).__name__}"
    if not value:
        return "an empty text"
    if len(value) > MAX_ID_CHARS:
        return f"{len(value):,} characters"
    unfit = _UNFIT.search(value)
    return f"the character U+{ord(unfit[0]):04X}" if unfit else "none"
