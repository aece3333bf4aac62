"""What separates and quotes the fields of a delimited text, told by its first lines, and the names in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from recsys.core.errors import DataError
from recsys.prepare.mapping_settings import UNREAD
from recsys.prepare.raw.encodings import line_feeds_alone
from recsys.prepare.raw.records import Dialect, OpenQuoteError, RecordParser, StrayQuoteError
from recsys.prepare.text_settings import AUTO, TextConfig

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
SAMPLE_LINES = 50
MAX_HEADER_LINES = 1000
_NAMES_OF_A_HEADER = 2  # so many that a line with them is one
_LEAST_FITTING = 0.5  # of the first rows, which may hold a footer's or a title's line
# Excel's line that names the delimiter.
_SEPARATOR_LINE = re.compile(rb'"?sep=([\t !#-&(-/:-@\[-`{-~])"?', re.IGNORECASE)
_OPENS_DOUBLE = re.compile(rb'(?:^|[,;\t|])"')
_SINGLE = re.compile(rb"(?:^|[,;\t|])'[^'\"]*'(?:$|[,;\t|])")


@dataclass(frozen=True)
class Header:
    """How a delimited text is written, and what its columns are.

    Attributes:
        dialect: what separates and quotes fields.
        names: of the columns, without blanks around them; "" of one that only a delimiter at the end of lines makes.
        lines: number of lines up to the first row.
        sample: the first rows, as lines.
    """

    dialect: Dialect
    names: list[str]
    lines: int
    sample: list[bytes]

    @property
    def description(self) -> str:
        """How it is written, in words, where it is not with commas and double quotes."""
        delimiter = self.dialect.delimiter.decode()
        words = [] if delimiter == "," else [DELIMITERS.get(delimiter, repr(delimiter))]
        return ", ".join(words + ["single quotes"] * (self.dialect.quote == b"'"))


def read_header(
    text: bytes,
    settings: TextConfig,
    wanted: Collection[str],
    file_name: str,
    dialect: Dialect | None = None,
    names: Sequence[str | None] | None = None,
) -> Header:
    """Tell how a delimited text is written.

    Args:
        text: its first lines, with any ends; the last of which may lack its end.
        settings: what is known of it.
        wanted: names of columns that it may have, in any case, by which to choose where its lines may be read in
            several ways.
        file_name: names the file in errors.
        dialect: how it is written, if that is known.
        names: of the columns, if the first line is a row; `UNREAD` and None for those that are not read.

    Raises:
        DataError: it can be read in several ways, or its first line cannot be read, or has not as many fields as
            there are `names`.
    """
    lines = line_feeds_alone(text).split(b"\n", MAX_HEADER_LINES + SAMPLE_LINES)
    lines = lines[:-1] or lines
    start = next((number for number, line in enumerate(lines) if line.strip()), 0)
    delimiters = list(DELIMITERS) if settings.delimiter == AUTO else [settings.delimiter]
    if dialect is None and (named := _SEPARATOR_LINE.fullmatch(lines[start])) and len(lines) > start + 1:
        start += 1
        if settings.delimiter == AUTO:
            delimiters = [named[1].decode("latin-1")]
    quote = _quote(lines[start : start + SAMPLE_LINES], settings.quote)
    dialects = [dialect] if dialect else [Dialect(delimiter.encode(), quote) for delimiter in delimiters]
    folded = {name.casefold() for name in wanted}
    if names is not None:
        given = _with_names(lines, start, dialects, names, file_name)
        _refuse_names(lines, start, given, folded, file_name)
        return given
    headers = [header for each in dialects if (header := _header(lines, start, each))]
    if len(headers) < len(dialects) and all(len(header.names) == 1 for header in headers):
        raise DataError(
            f"the names of the columns in line {start + 1} of {file_name}",
            f"quotes that do not pair up: {lines[start][:100].decode('utf8', 'replace')!r}",
            "mend the quotes in this line",
        )
    header = _chosen(headers, folded, file_name)
    if dialect is None and not _known_in(header.names, folded):
        _refuse_title(lines[start:], dialects, folded, start + 1, file_name)
    return header


def _known_in(names: list[str], wanted: set[str]) -> int:
    """How many of the wanted names, in small letters, are among some."""
    return len(wanted.intersection(name.casefold() for name in names))


def _with_names(
    lines: list[bytes], start: int, dialects: list[Dialect], names: Sequence[str | None], file_name: str
) -> Header:
    """The header of a text whose first line is a row, if that has a field for each name."""
    read = ["" if name is None or name == UNREAD else name for name in names]
    sample = [line for line in lines[start : start + SAMPLE_LINES] if line.strip()]
    found, seen = [], []
    for dialect in dialects:
        first = _first_fields(lines, start, dialect)
        seen.append((len(first), _in_words_of(dialect)))
        # A delimiter at the end of each row makes one field more.
        width = len(read) + (len(first) == len(read) + 1 and not first[-1])
        fitting = _fitting(sample, dialect, width) if sample else 0.0
        if len(first) == width or fitting >= _LEAST_FITTING:
            found.append((fitting, Header(dialect, [*read, *[""] * (width - len(read))], start, sample)))
    if not found:
        fields, separated = max(seen)
        raise DataError(
            f"as many columns in {file_name} as data.header has names, {len(read)}",
            f"{fields} separated by {separated} in its first line: {lines[start][:100].decode('utf8', 'replace')!r}",
            "name all columns in their order, with _ for those that are not read; or set data.delimiter",
        )
    return max(found, key=lambda each: each[0])[1]


def _refuse_names(lines: list[bytes], start: int, header: Header, wanted: set[str], file_name: str) -> None:
    """Stop where the first line holds names after all; those that are given are no row of data either way."""
    first = [field.decode("utf8", "replace").strip() for field in _first_fields(lines, start, header.dialect)]
    if first != header.names and _known_in(first, wanted) >= _NAMES_OF_A_HEADER:
        raise DataError(
            f"data in the first line of {file_name}, because data.header names the columns",
            f"names: {lines[start][:100].decode('utf8', 'replace')!r}",
            "remove data.header, and write data.columns where the names are others",
        )


def _first_fields(lines: list[bytes], start: int, dialect: Dialect) -> list[bytes]:
    """The fields of the first record; none if it cannot be read."""
    try:
        return RecordParser(dialect, 0).read_any(lines[: start + MAX_HEADER_LINES], start).fields
    except (StrayQuoteError, OpenQuoteError):
        return []


def _refuse_title(lines: list[bytes], dialects: list[Dialect], wanted: set[str], number: int, file_name: str) -> None:
    """Stop where the names of the columns come later: below a title, or the date of an export."""
    for distance, line in enumerate(lines[1:SAMPLE_LINES], 1):
        for dialect in dialects:
            names = [name.strip(b" \"'").decode("utf8", "replace") for name in line.split(dialect.delimiter)]
            if _known_in(names, wanted) >= _NAMES_OF_A_HEADER:
                raise DataError(
                    f"the names of the columns in line {number} of {file_name}",
                    f"{lines[0][:100].decode('utf8', 'replace')!r}; they stand in line {number + distance}",
                    f"delete the lines before line {number + distance}",
                )


def _quote(lines: list[bytes], setting: str) -> bytes:
    if setting != AUTO:
        return b"" if setting == "none" else setting.encode()
    lines = [line for line in lines if line]
    has_double = any(map(_OPENS_DOUBLE.search, lines))
    singles = [bool(_SINGLE.search(line)) for line in lines]
    is_single = not has_double and bool(singles) and (singles[0] or (len(singles) > 2 and all(singles[1:])))
    return b"'" if is_single else b'"'


def _header(lines: list[bytes], start: int, dialect: Dialect) -> Header | None:
    try:
        record = RecordParser(dialect, 0).read_any(lines[: start + MAX_HEADER_LINES], start)
    except (StrayQuoteError, OpenQuoteError):
        return None
    names = [name.decode("utf8", "replace").strip() for name in record.fields]
    after = start + record.lines
    sample = [line for line in lines[after : after + SAMPLE_LINES] if line.strip()]
    width = len(names)
    if sample and width > 1 and not _fitting(sample, dialect, width):
        # A delimiter at the end of each row that the header lacks, or the other way round. A first line of one name
        # is not written with this delimiter, whatever lines end with.
        if all(line.endswith(dialect.delimiter) for line in sample) and _fitting(sample, dialect, width + 1):
            names.append("")
        elif names[-1] == "" and width > 2 and _fitting(sample, dialect, width - 1):
            names.pop()
    return Header(dialect, names, after, sample)


def _fitting(sample: list[bytes], dialect: Dialect, width: int) -> float:
    """Share of lines that have `width` fields."""
    parser = RecordParser(dialect, width)
    return sum(map(parser.is_whole, sample)) / len(sample)


def _chosen(headers: list[Header], wanted: set[str], file_name: str) -> Header:
    """The only reading, or the one that the rows and the names of columns bear out."""
    divided = [header for header in headers if len(header.names) > 1]
    fitting = [
        header
        for header in divided
        if not header.sample or _fitting(header.sample, header.dialect, len(header.names)) >= _LEAST_FITTING
    ]
    names_wanted = {id(header): _known_in(header.names, wanted) for header in headers}
    left = fitting or divided or headers[:1]
    most = max(names_wanted[id(header)] for header in left)
    left = [header for header in left if names_wanted[id(header)] == most]
    if len(left) > 1:
        readings = " or ".join(f"{_in_words(header)} ({', '.join(header.names)[:80]})" for header in left)
        raise DataError(
            f"one way to read the first lines of {file_name}",
            f"several: fields separated by {readings}",
            "set data.delimiter to what separates them",
        )
    return left[0]


def _in_words(header: Header) -> str:
    return _in_words_of(header.dialect)


def _in_words_of(dialect: Dialect) -> str:
    delimiter = dialect.delimiter.decode()
    return DELIMITERS.get(delimiter, repr(delimiter))
