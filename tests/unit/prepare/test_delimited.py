"""The reader of delimited text against Python's csv module, and against a count of the lines."""

import csv
import io
import re
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from recsys.core.errors import DataError
from recsys.prepare.formats import delimited
from recsys.prepare.formats.delimited import DelimitedRows
from recsys.prepare.formats.files import open_file
from recsys.prepare.formats.reports import BLANK, MALFORMED, NOT_UTF8, InputReport
from recsys.prepare.raw import parts, records
from recsys.prepare.text_settings import TextConfig

NAMES = ["user", "item", "time", "note"]
Rows = list[tuple[str | None, ...]]

quick = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(content: bytes, names: list[str] = NAMES, **written: str) -> tuple[Rows, InputReport]:
    """The rows of a file of this content, and its report; checks that lines amount to rows and drops."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_bytes(content)
        report = open_file(path, "interactions")
        report.text = TextConfig.model_validate(written)
        reader = DelimitedRows(report)
        rows: Rows = []
        for table in reader.read({name: name for name in names}, False, lambda _: None):
            assert table.schema == pa.schema([(name, pa.string()) for name in names])
            assert reader.account(table) == len(rows)
            rows += [tuple(row.values()) for row in table.to_pylist()]
        assert report.kept == len(rows)
        return rows, report


def written(rows: list[list[str]], quoting: int = csv.QUOTE_MINIMAL, line_end: str = "\n") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    writer.writerow(NAMES)
    writer.writerows(rows)
    return text.getvalue().replace("\n", line_end).encode()


def with_nulls(rows: list[list[str]]) -> Rows:
    return [tuple(value or None for value in row) for row in rows]


@pytest.fixture(params=[40, 1 << 22], ids=["small blocks", "large blocks"])
def block_sizes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that cross the bounds of blocks are read like others."""
    monkeypatch.setattr(parts, "READ_BYTES", request.param)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 3 * request.param)


words = st.text(st.sampled_from("ab \",;\t|'\\é€"), max_size=12)
# A text of several lines holds no line that could be a row.
texts = words | st.lists(st.text(st.sampled_from("ab \";'\\é"), max_size=6), max_size=4).map("\n".join)
tables = st.lists(st.tuples(words, texts, st.integers(0, 99).map(str), texts).map(list), min_size=1, max_size=30)


def test_lines_of_a_text_that_end_with_another_delimiter_do_not_choose_it() -> None:
    rows = [["u1", ";\n", "0", ";"]]
    assert read(written(rows), quote='"')[0] == with_nulls(rows)


@quick
@given(tables, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(["\n", "\r\n", "\r"]))
@pytest.mark.usefixtures("block_sizes")
def test_any_table_comes_back(rows: list[list[str]], quoting: int, line_end: str) -> None:
    # Named, because fields that happen to stand in single quotes, all of them, are taken for quoted ones.
    got, report = read(written(rows, quoting, line_end), quote='"')
    assert got == with_nulls(rows)
    assert report.dropped == {}


@quick
@given(st.binary(max_size=300) | st.text(st.sampled_from('ab1",\n\r\\\0'), max_size=300).map(str.encode))
@example(b'"\n"')
@example(b'a,b\n"\xff\n\xff,')
@pytest.mark.usefixtures("block_sizes")
def test_any_bytes_end_in_rows_and_drops_or_an_error_of_ours(content: bytes) -> None:
    header = b"user,item,time,note\n"
    try:
        rows, report = read(header + content)
    except DataError:
        event("an error of ours")
        return
    spanned = sum((row[column] or "").count("\n") for row in rows for column in range(4))
    lines = len(re.findall(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", content))
    assert len(rows) + report.dropped.total() + spanned == lines


@quick
@given(tables, st.data())
@pytest.mark.usefixtures("block_sizes")
def test_one_stray_quote_loses_its_line_at_most(rows: list[list[str]], data: st.DataObject) -> None:
    rows = [[value.replace("\n", " ") for value in row] for row in rows]
    lines = written(rows).decode().split("\n")
    number = data.draw(st.integers(1, len(rows)))
    place = data.draw(st.integers(0, len(lines[number])))
    lines[number] = lines[number][:place] + '"' + lines[number][place:]
    got, report = read("\n".join(lines).encode(), quote='"')
    expected = with_nulls(rows)
    others = expected[: number - 1] + expected[number:]
    if len(got) == len(rows):
        assert got[: number - 1] + got[number:] == others
    else:
        assert got == others
        assert report.dropped == {MALFORMED: 1}
        assert report.examples[0][0] == number + 1


ROWS = [["u1", "i1", "1", "a"], ["u2", "i2", "2", "b"], ["u3", "i3", "3", "c"]]


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ('u,i,7,19" rack', '19" rack'),
        ('u,i,7,"19"" rack"', '19" rack'),
        (r'u,i,7,"19\" rack, black"', '19" rack, black'),
        (r'u,i,7,"19\""', '19"'),
        ('"u","i","7","C:\\"', "C:\\"),
        ('u,i,7,""', None),
        ('u,i,7,""""', '"'),
        ('u,i,7,"two\nlines, of a\n\n""text"""', 'two\nlines, of a\n\n"text"'),
    ],
)
def test_quotes_that_can_be_understood(line: str, note: str) -> None:
    rows, report = read(written(ROWS).replace(b"u2,i2,2,b", line.encode()))
    assert rows == [("u1", "i1", "1", "a"), ("u", "i", "7", note), ("u3", "i3", "3", "c")]
    assert report.dropped == {}


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ('u,i,7,"19 inch', MALFORMED),
        ('u,"i"x,7,a', MALFORMED),
        ('u,"i,7,a', MALFORMED),
        ('"u,i,7,a"', MALFORMED),
        ("u,i,7", MALFORMED),
        ("u,i,7,a,b", MALFORMED),
        ("u\0,i,7,a", MALFORMED),
        ("(3 rows affected)", MALFORMED),
        ("", BLANK),
        ("  ", BLANK),
    ],
)
def test_a_line_that_is_no_row_is_counted_where_it_stands(line: str, cause: str) -> None:
    rows, report = read(written(ROWS).replace(b"u2,i2,2,b", line.encode()))
    assert rows == with_nulls([ROWS[0], ROWS[2]])
    assert report.dropped == {cause: 1}
    assert cause == BLANK or report.examples == [(3, MALFORMED, line)]


def test_what_is_not_utf8_is_counted_where_it_stands() -> None:
    content = b"\n".join(
        [b"user,item,time,note", b'u1,"i,1",1,\xff', b"\xff", b'u2,i2,2,"a', b"b", b'c"', b"u\xff,i,3,x"]
    )
    rows, report = read(content)
    assert rows == [("u2", "i2", "2", "a\nb\nc")]
    assert [example[:2] for example in report.examples] == [(2, NOT_UTF8), (3, MALFORMED), (7, NOT_UTF8)]


def test_two_stray_quotes_do_not_hide_the_rows_between_them() -> None:
    rows = [[f"u{n}", f"i{n}", str(n), "plain"] for n in range(400)]
    lines = written(rows).split(b"\n")
    lines[100] = b'u,i,7,"19 inch'
    lines[300] = b'u,i,7,24"'
    got, report = read(b"\n".join(lines))
    assert len(got) == 399
    assert report.examples == [(101, MALFORMED, 'u,i,7,"19 inch')]


def test_a_quote_reaches_so_far_and_no_farther(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_QUOTED_LINES", 5)
    text = "\n".join("abcde")
    assert read(written([*ROWS, ["u", "i", "7", text]]))[0][-1] == ("u", "i", "7", text)
    rows, report = read(written([["u", "i", "7", text + "\nf"], *ROWS]))
    assert rows == with_nulls(ROWS)
    assert report.dropped == {MALFORMED: 6}
    monkeypatch.setattr(records, "MAX_QUOTED_BYTES", 3)
    rows, report = read(written([["u", "i", "7", "ab\ncd\nef"], *ROWS]))
    assert rows == with_nulls(ROWS)
    assert report.dropped == {MALFORMED: 3}


def test_a_field_longer_than_a_block(block_sizes: None) -> None:
    page = "<p>" * 3000
    rows = [*ROWS, ["u", "i", "7", page], *ROWS]
    assert read(written(rows))[0] == with_nulls(rows)


def test_a_column_named_twice_is_refused_if_it_is_read() -> None:
    content = b"user,item,time,note,note\nu,i,1,a,b\n"
    with pytest.raises(DataError, match="note more than once"):
        read(content)
    assert read(content, ["user", "item"])[0] == [("u", "i")]
