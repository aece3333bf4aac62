"""Words that stand in files where there is no value."""

from __future__ import annotations

from typing import Final

# In small letters. pandas, R, SQL dumps, Hive and spreadsheets write them.
MISSING_WORDS: Final = frozenset(
    {"", "null", "nan", "none", "\\n", "n/a", "#n/a", "na", "<na>", "nil", "nat", "-", "—"}
)
# Fewer than of numbers and times, because an item may well be called NA or nil.
MISSING_IDS: Final = frozenset({"", "null", "nan", "none", "\\n", "n/a", "#n/a", "<na>"})


def is_missing(text: str) -> bool:
    """Whether a number or a time in a file is written as one of the words for none."""
    return text.strip().casefold() in MISSING_WORDS
