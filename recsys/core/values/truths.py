"""Truth values as files have them: true, false, yes, no, 1 and 0, whatever their case."""

from __future__ import annotations

from typing import Final

_TRUTHS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_truth(value: str | float) -> bool:
    """The truth value that a text or a number means; JSON's own are numbers to Python.

    Raises:
        ValueError: it is none.
    """
    text = value.strip().casefold() if isinstance(value, str) else str(value).removesuffix(".0").casefold()
    if text not in _TRUTHS:
        raise ValueError(f"{str(value)[:60]!r} is none of {', '.join(_TRUTHS)}")
    return _TRUTHS[text]
