"""How delimited text is written, told by its first lines or set; and every way to write it together."""

import bz2
import csv
import gzip
import io
import lzma
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from recsys.core.errors import DataError
from recsys.prepare.formats.reports import MALFORMED, NOT_UTF8, REPEATED_HEADER
from recsys.prepare.raw.dialects import read_header
from recsys.prepare.raw.records import Dialect
from recsys.prepare.text_settings import TextConfig
from tests.unit.prepare.test_containers import packed, zstd
from tests.unit.prepare.test_delimited import NAMES, ROWS, read, tables, with_nulls, written

CONTAINERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
    "ZIP": lambda data: packed(("log.csv", data)),
}
DELIMITERS = {",": "", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# With what marks them, and what the summary calls them.
ENCODINGS = {"utf-8": "", "utf-8-sig": "", "utf-16": "UTF-16", "utf-32": "UTF-32"}


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tables,
    st.sampled_from(list(DELIMITERS)),
    st.sampled_from(['"', "'"]),
    st.sampled_from(list(ENCODINGS)),
    st.sampled_from(list(CONTAINERS)),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_table_in_any_dialect_encoding_and_container(
    rows: list[list[str]], delimiter: str, quote: str, encoding: str, container: str, line_end: str
) -> None:
    # A text of several lines holds no line that could be a row.
    rows = [[value.replace(delimiter, "") if "\n" in value else value for value in row] for row in rows]
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if quote == "'" else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, quotechar=quote, quoting=quoting, lineterminator="\n").writerows(
        [NAMES, *rows]
    )
    content = text.getvalue().replace("\n", line_end).encode(encoding)
    got, report = read(CONTAINERS[container](content), quote=quote)
    assert got == with_nulls(rows)
    assert report.dropped == {}
    said = [container, ENCODINGS[encoding], DELIMITERS[delimiter], "single quotes" if quote == "'" else ""]
    assert report.written_as == ", ".join(filter(None, said))


@pytest.mark.parametrize("encoding", ["windows-1252", "latin-1", "utf-16-le", "gb18030"])
def test_an_encoding_that_is_set(encoding: str) -> None:
    content = written([["ü", "é", "1", "a"]]).decode().encode(encoding)
    assert read(content, encoding=encoding)[0] == [("ü", "é", "1", "a")]


def test_what_an_encoding_does_not_hold_is_one_bad_line() -> None:
    content = written(ROWS).replace(b"u2", b"\x81\x81")
    rows, report = read(content, encoding="windows-1252")
    assert rows == with_nulls([ROWS[0], ROWS[2]])
    assert report.dropped == {NOT_UTF8: 1}


def test_a_byte_order_mark_counts_more_than_the_setting() -> None:
    content = written(ROWS).decode().encode("utf-16")
    assert read(content, encoding="windows-1252")[0] == with_nulls(ROWS)


def header(text: str, **written: str) -> tuple[Dialect, list[str], int]:
    found = read_header(text.encode(), TextConfig.model_validate(written), NAMES, "file")
    return found.dialect, found.names, found.lines


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("user;item;price\nu;i;3,5\nu;i;4,5\n", b";"),
        ("user\titem\ttags, all\nu\ti\ta,b\n", b"\t"),
        ("user|item|time\n", b"|"),
        ("user,item;s,time\nu,i;j,1\n", b","),  # only with commas are there names that are wanted
        ("user\n", b","),
        ("sep=;\nuser;item,time\nu;i,t\n", b";"),
        ("a,b\tc\n1,2\t3\n1,2,4\t3\n1,2,4\t3\n", b"\t"),
    ],
)
def test_the_delimiter_splits_header_and_rows_alike(text: str, delimiter: bytes) -> None:
    dialect, names, _ = header(text)
    assert dialect.delimiter == delimiter
    assert names == text.removeprefix("sep=;\n").split("\n", 1)[0].split(delimiter.decode())


@pytest.mark.parametrize("line", [b"sep=\xe9", b"sep=a", b'sep="'])
def test_what_separates_no_fields_is_no_delimiter(line: bytes) -> None:
    with pytest.raises(DataError, match="stand in line 2"):
        read(line + b"\n" + written(ROWS))


def test_what_can_be_read_in_two_ways_is_refused_with_both() -> None:
    with pytest.raises(DataError) as error:
        header("a;b,c;d\n1;2,3;4\n")
    message = str(error.value)
    assert "commas (a;b, c;d) or semicolons (a, b,c, d)" in message
    assert "data.delimiter" in message
    assert header("a;b,c;d\n1;2,3;4\n", delimiter=";")[1] == ["a", "b,c", "d"]


@pytest.mark.parametrize(
    ("text", "quote", "setting"),
    [
        ("'user','item'\n'u','i'\n", b"'", "auto"),
        ("user,item\n'u',i\n'v',j\n", b"'", "auto"),
        ("user,item\nO'Neil's,i\nv,'j\n", b'"', "auto"),
        ("user,item\n\"u\",'i'\n\"v\",'i'\n", b'"', "auto"),
        ("user,item\nu,\"['a','b','c']\"\nv,\"['a','b','c']\"\n", b'"', "auto"),
        ("'user','item'\n", b'"', '"'),
        ('"user","item"\n', b"", "none"),
    ],
)
def test_the_quote(text: str, quote: bytes, setting: str) -> None:
    assert header(text, quote=setting)[0].quote == quote


def test_blank_lines_before_the_names_and_blanks_around_them() -> None:
    assert header("\n\n user , item\nu,i\n")[1:] == (["user", "item"], 3)
    rows, report = read(b"\n\n" + written([*ROWS, ["u", "", "", ""]]).replace(b"u,,,", b"short"))
    assert rows == with_nulls(ROWS)
    assert report.examples == [(7, MALFORMED, "short")]


@pytest.mark.parametrize("trailing", [(b"", b","), (b",", b","), (b",", b"")], ids=["rows", "both", "names"])
def test_a_delimiter_at_the_end_of_lines(trailing: tuple[bytes, bytes]) -> None:
    names, *rows = written(ROWS).splitlines()
    content = b"\n".join([names + trailing[0], *(row + trailing[1] for row in rows), b""])
    assert read(content)[0] == with_nulls(ROWS)


def test_names_of_several_lines() -> None:
    assert header('user,"item\n(EUR)",time\nu,i,1\n')[1:] == (["user", "item\n(EUR)", "time"], 2)


def test_quotes_of_the_first_line_that_do_not_pair_up() -> None:
    with pytest.raises(DataError, match="do not pair up"):
        header('user,"item\nu,i\n')


def test_files_put_together_with_their_first_lines() -> None:
    content = written(ROWS)
    rows, report = read(content + b"\xef\xbb\xbf" + content + written(ROWS, csv.QUOTE_ALL))
    assert rows == with_nulls(ROWS * 3)
    assert report.dropped == {REPEATED_HEADER: 2}
    assert report.bad == 0


def test_byte_order_marks_of_files_put_together_are_no_part_of_an_id() -> None:
    content = b"\xef\xbb\xbf" + written(ROWS) + b"\xef\xbb\xbfu,i,1,a\n\xef\xbb\xbfv,i,1,a"
    assert [row[0] for row in read(content)[0]] == ["u1", "u2", "u3", "u", "v"]


def test_a_first_line_further_down_in_another_order_is_refused() -> None:
    with pytest.raises(DataError, match="user is called item"):
        read(written(ROWS) + b"item,user,time,note\ni,u,1,a\n")


def test_each_packed_file_has_a_first_line_of_its_own() -> None:
    other = b"item;user;note;time\ni;u;a;7\nbad\n"
    rows, report = read(packed(("a", written(ROWS)), ("b", other)))
    assert rows == [*with_nulls(ROWS), ("u", "i", "7", "a")]
    assert report.examples == [(7, MALFORMED, "bad")]
    assert report.written_as == "ZIP of 2 files, semicolons"


@pytest.mark.parametrize("wrong", [{"delimiter": "::"}, {"delimiter": "a"}, {"encoding": "hex"}, {"quote": "x"}])
def test_settings_that_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TextConfig.model_validate(wrong)


def test_a_delimiter_by_its_word() -> None:
    assert TextConfig(delimiter="tab").delimiter == "\t"


@pytest.mark.parametrize("title", ["Sales, exported 2026-11-29", "Sales"])
def test_names_that_come_below_a_title_are_found(title: str) -> None:
    with pytest.raises(DataError, match="delete the lines before line 4"):
        header(f"{title}\n\nby day\n'user';item;time;note\nu;i;1;a\n")
