"""What became of the lines of one input, and the causes for which lines are dropped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from recsys.core.errors import DataError

InputKind = Literal["interactions", "metadata"]

# Causes for which a line is bad: their share is limited by `data.max_bad_line_share`.
MALFORMED = "malformed"
NOT_UTF8 = "not_utf8"
MISSING_FIELD = "missing_field"
MISTYPED_FIELD = "mistyped_field"
RATING_OUT_OF_RANGE = "rating_out_of_range"
TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"
UNKNOWN_EVENT_TYPE = "unknown_event_type"
# Causes that say nothing against the file.
BLANK = "blank_line"
CUT_OFF = "cut_off_line"
HARMLESS = frozenset({BLANK, CUT_OFF})

# What to do about bad lines, where their cause is a setting and no damage.
_REMEDIES = {
    RATING_OUT_OF_RANGE: "set data.rating_range to the scale of these ratings",
    UNKNOWN_EVENT_TYPE: "name the type in data.event_weights, with its weight",
    TIMESTAMP_OUT_OF_RANGE: "check the unit of the times, and the clock that wrote them",
    MISTYPED_FIELD: "check what the field holds against docs/data-formats.md",
    MISSING_FIELD: "check how the file was exported: every line needs the field",
    NOT_UTF8: "save the file as UTF-8",
}
_DAMAGED = "mend or download the file again"

MAX_EXAMPLES = 5
MAX_EXAMPLE_CHARS = 120


class NoEventsError(DataError):
    """An input without a single event: a header alone, a store that nobody has written to; no harm beside others."""


@dataclass
class InputReport:
    """What became of the lines of one input: a file, or the events of a store.

    Attributes:
        path: of the file or the store.
        kind: "interactions" or "metadata".
        size: in bytes, as stored.
        sha256: of the bytes as stored; set once the input has been read to its end.
        lines: number of lines read so far.
        dropped: number of dropped lines by cause.
        truncated: the gzip stream ended too early, and `data.allow_truncated` allows that.
        examples: line number, cause and first characters of the first bad lines.
    """

    path: Path
    kind: InputKind
    size: int = 0
    sha256: str = ""
    lines: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    truncated: bool = False
    examples: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def bad(self) -> int:
        """Number of bad lines."""
        return sum(count for cause, count in self.dropped.items() if cause not in HARMLESS)

    @property
    def kept(self) -> int:
        """Number of lines that were not dropped."""
        return self.lines - self.dropped.total()

    def drop(self, cause: str, line_number: int, line: bytes | str) -> None:
        """Count a dropped line; `line_number` counts from 1."""
        self.dropped[cause] += 1
        if cause not in HARMLESS and len(self.examples) < MAX_EXAMPLES:
            text = line.decode("utf8", "backslashreplace") if isinstance(line, bytes) else line
            self.examples.append((line_number, cause, text[:MAX_EXAMPLE_CHARS]))

    def check_bad_share(self, limit: float, hint: str = "") -> None:
        """Stop when more than `limit` of the lines are bad.

        Raises:
            DataError: with examples of bad lines, and `hint` as the remedy if there is one.
        """
        if self.bad <= limit * self.lines:
            return
        causes = ", ".join(
            f"{count:,} {cause}" for cause, count in sorted(self.dropped.items()) if cause not in HARMLESS
        )
        examples = "".join(f"\n       line {number} ({cause}): {text}" for number, cause, text in self.examples)
        raise DataError(
            f"at most {limit:.2%} bad lines in {self.path}",
            f"{self.bad:,} of {self.lines:,} ({causes}), for example{examples}",
            hint or f"{self._remedy()}, or raise data.max_bad_line_share to skip so many",
        )

    def _remedy(self) -> str:
        """What to do about the most frequent cause."""
        causes = Counter({cause: count for cause, count in self.dropped.items() if cause not in HARMLESS})
        return _REMEDIES.get(causes.most_common(1)[0][0], _DAMAGED)

    def to_manifest(self) -> dict[str, Any]:
        """The entry of this input in the manifest of the prepared dataset."""
        return {
            "kind": self.kind,
            "path": self.path.as_posix(),
            "sha256": self.sha256,
            "bytes": self.size,
            "truncated": self.truncated,
            "lines": self.lines,
            "kept": self.kept,
            "dropped": dict(sorted(self.dropped.items())),
        }
