"""What is wrong with an expression, and where."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_LISTED = 20


class ExpressionError(ValueError):
    """An expression cannot be read, or asks for what does not exist or does not fit.

    Its text is one line: the place, then what is wrong and what there is instead.

    Attributes:
        message: what is wrong, without the place.
        line, column: the place, both counted from 1; columns in characters.
        position: the place again, in characters of the whole text from 0.
        fields: where a field does not exist, those that do, closest first; otherwise none.
    """

    def __init__(self, message: str, line: int, column: int, position: int, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.message, self.fields = message, fields
        self.line, self.column, self.position = line, column, position


def closest_first(name: str, existing: Iterable[str]) -> tuple[str, ...]:
    """The existing names, those first that look like `name`, the others by the alphabet."""
    names = sorted(existing)
    folded = {other.casefold(): other for other in reversed(names)}
    close = [folded[match] for match in get_close_matches(name.casefold(), folded, n=3)]
    return tuple(dict.fromkeys([*close, *names]))


def listed(names: Iterable[str]) -> str:
    """The names in one line; of very many the first, and how many more there are."""
    every = list(names)
    more = len(every) - _MOST_LISTED
    return ", ".join(every[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
