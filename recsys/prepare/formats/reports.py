"""What became of the lines of one input, and the causes for which lines are dropped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from recsys.core.errors import DataError
from recsys.prepare.mapping_settings import MappingConfig
from recsys.prepare.text_settings import TextConfig

InputKind = Literal["interactions", "metadata", "properties", "users"]

# Causes for which a line is bad: their share is limited by `data.max_bad_line_share`.
MALFORMED = "malformed"
NOT_UTF8 = "not_utf8"
MISSING_FIELD = "missing_field"
MISTYPED_FIELD = "mistyped_field"
RATING_OUT_OF_RANGE = "rating_out_of_range"
TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"
AMOUNT_OUT_OF_RANGE = "amount_out_of_range"
UNKNOWN_EVENT_TYPE = "unknown_event_type"
INVALID_ID = "invalid_id"
# Causes that say nothing against the file.
BLANK = "blank_line"
CUT_OFF = "cut_off_line"
REPEATED_HEADER = "repeated_header"
ROW_WITHOUT_ID = "row_without_id"  # of a product that other rows name: a further picture of it
UNKNOWN_PROPERTY = "unknown_property"
IGNORED_EVENT_TYPE = "ignored_event_type"  # by `data.event_types`
LIST_EVENT = "list_event"  # an impression, for example: who sees an item has not chosen it
NO_ENTRIES = "no_entries"  # records whose list of items is empty
# Times that were understood and cannot be right: a clock that was wrong says nothing against the other lines, unless
# most lines have such times.
MISSING_TIME = "missing_time"
TIME_TOO_EARLY = "time_too_early"
TIME_IN_FUTURE = "time_in_future"
IMPLAUSIBLE_TIMES = (MISSING_TIME, TIME_TOO_EARLY, TIME_IN_FUTURE)
HARMLESS = frozenset(
    {BLANK, CUT_OFF, REPEATED_HEADER, UNKNOWN_PROPERTY, ROW_WITHOUT_ID, IGNORED_EVENT_TYPE, LIST_EVENT, NO_ENTRIES}
) | frozenset(IMPLAUSIBLE_TIMES)
MAX_IMPLAUSIBLE_SHARE = 0.5

# What to do about bad lines, where their cause is a setting and no damage.
_REMEDIES = {
    RATING_OUT_OF_RANGE: "set data.rating_range to the scale of these ratings",
    UNKNOWN_EVENT_TYPE: "name the type in data.event_weights, with its weight, or in data.event_types: {TYPE: one of "
    "those}, or {TYPE: ignore}",
    TIMESTAMP_OUT_OF_RANGE: "write all times in one unit, and set data.time_unit where it is not the first rows'",
    MISTYPED_FIELD: "correct these values, or say how they are written (data.date_order, data.time_zone, data.decimal)",
    AMOUNT_OUT_OF_RANGE: "prices are not negative, and neither they nor quantities exceed 1e9",
    INVALID_ID: "write ids as one line of text",
    MISSING_FIELD: "check how the file was exported: every line needs the field",
    NOT_UTF8: "the file may be in another encoding: set data.encoding: windows-1252 (Western Europe) or what it is in "
    "(gb18030, shift_jis), or save it as UTF-8",
}
FIELDS = "fields"  # what is explained of lines of delimited text that are no rows
_NO_ROWS = "give every line the fields of the first (quotes around those that hold what separates them, data.delimiter)"
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
        kind: what it has: interactions, metadata (of items), properties (of items, a log) or users.
        size: in bytes, as stored.
        sha256: of the bytes as stored; set once the input has been read to its end.
        lines: number of lines read so far.
        dropped: number of dropped lines by cause.
        truncated: the compressed stream ended too early, and `data.allow_truncated` allows that.
        examples: line number, cause and first characters of the first bad lines.
        read_as: what times that are plain numbers were read as; empty where there are none.
        remarks: how values were read where that was no matter of course, and of how many.
        left_out: number of fields of records that were not understood and are missing, by cause (title_not_understood).
        absent: columns that the config names and the input lacks: our name -> theirs.
        explanations: of fields with values that were refused, why the first was.
        text: what settings say of how its text is written.
        written_as: how its text turned out to be stored and written, in words.
        mapping: what settings say of the names of its columns.
        columns: our names -> its names, where they differ.
        assumed: what was taken for granted of it without a setting that says so, in words.
        used: settings of the mapping that it made use of.
        may_come: our names of columns that were not seen at its head.
    """

    path: Path
    kind: InputKind
    size: int = 0
    sha256: str = ""
    lines: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    truncated: bool = False
    examples: list[tuple[int, str, str]] = field(default_factory=list)
    read_as: str = ""
    remarks: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    absent: dict[str, str] = field(default_factory=dict)
    explanations: dict[str, str] = field(default_factory=dict)
    text: TextConfig = field(default_factory=TextConfig)
    written_as: str = ""
    mapping: MappingConfig = field(default_factory=MappingConfig)
    columns: dict[str, str] = field(default_factory=dict)
    assumed: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    may_come: frozenset[str] = frozenset()

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

    def remark(self, how: str, count: int) -> None:
        """Say of `count` values how they were read."""
        if count:
            self.remarks[how] += count

    def assume(self, what: str) -> None:
        """Say what is taken for granted."""
        if what not in self.assumed:
            self.assumed.append(what)

    def explain(self, field_name: str, why: str | None) -> None:
        """Say why a value of a field was refused; the first reason stays."""
        if why:
            self.explanations.setdefault(field_name, why)

    def check_times(self) -> None:
        """Stop when most times cannot be right: then it is their unit or their reading that is wrong.

        Raises:
            DataError: with the number of times by cause.
        """
        counts = {cause: self.dropped[cause] for cause in IMPLAUSIBLE_TIMES if self.dropped[cause]}
        if sum(counts.values()) > MAX_IMPLAUSIBLE_SHARE * self.lines:
            causes = ", ".join(f"{count:,} {cause}" for cause, count in counts.items())
            raise DataError(
                f"times from data.earliest_year to data.latest_time in {self.path}",
                f"{causes} of {self.lines:,}{self._reasons()}",
                "check the column of times; set data.time_unit if they are numbers, data.earliest_year or "
                "data.latest_time if they are right",
            )

    def check_bad_share(self, limit: float, hint: str = "") -> None:
        """Stop when more than `limit` of the lines are bad.

        Raises:
            DataError: with examples of bad lines, and `hint` as the remedy if there is one.
        """
        if self.bad <= limit * self.lines:
            return
        raise DataError(
            f"at most {limit:.2%} bad lines in {self.path}",
            self.faults(),
            hint or f"{self.remedy()}, or raise data.max_bad_line_share to skip so many",
        )

    def faults(self) -> str:
        """How many lines are dropped for which causes, with examples of bad lines and the reasons that are known."""
        counted = {cause: n for cause, n in self.dropped.items() if cause not in HARMLESS} or self.dropped
        causes = ", ".join(f"{n:,} {cause}" for cause, n in sorted(counted.items()))
        examples = "".join(f"\n       line {number} ({cause}): {text}" for number, cause, text in self.examples)
        return (
            f"{sum(counted.values()):,} of {self.lines:,} ({causes})"
            + (", for example" if examples else "")
            + examples
            + self._reasons()
        )

    def _reasons(self) -> str:
        return "".join(f"\n       {name}: {why}" for name, why in self.explanations.items())

    def remedy(self) -> str:
        """What to do about the most frequent cause."""
        causes = Counter({cause: count for cause, count in self.dropped.items() if cause not in HARMLESS})
        if not causes:
            return "check how the file was exported"
        return _REMEDIES.get(causes.most_common(1)[0][0], _NO_ROWS if FIELDS in self.explanations else _DAMAGED)

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
            **({"written_as": self.written_as} if self.written_as else {}),
            **({"read_as": self.read_as} if self.read_as else {}),
            **({"columns": self.columns} if self.columns else {}),
            **({"assumed": self.assumed} if self.assumed else {}),
            **({"remarks": dict(self.remarks)} if self.remarks else {}),
        }
