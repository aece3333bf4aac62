"""Any table of events, written in any way and under any names, comes back equal row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.values.missing import MISSING_IDS
from recsys.prepare.formats.events import check, event_tables
from recsys.prepare.formats.files import open_file
from recsys.prepare.settings import DataConfig
from tests.support.mapped_logs import (
    COMPRESSIONS,
    NESTED,
    THEIRS,
    TYPES,
    Dialect,
    Row,
    as_flat_json,
    as_nested_json,
    as_text,
    write_nested_parquet,
    write_parquet,
)

EXAMPLES = settings(max_examples=60, deadline=None)
NAMES = [*THEIRS.values(), "note"]

# Neither numbers nor blanks around them, which are read as what they mean; null words are ids that are none.
ids = st.text("aZé漢ñ\"';,|=. -#", max_size=6).map(lambda text: f"k{text}z") | st.sampled_from(["NULL", "nan", "None"])
rows = st.lists(
    st.builds(
        Row,
        user=ids,
        item=ids,
        type=st.sampled_from(list(TYPES)).flatmap(lambda name: st.sampled_from([name, name.upper()])),
        time=st.integers(1_000_000_000, 1_700_000_000),
        price=st.none() | st.integers(0, 10**6).map(lambda cents: cents / 100),
        quantity=st.none() | st.integers(1, 99),
        note=st.text("ab é\n\"'{}[]", max_size=12),
    ),
    min_size=1,
    max_size=12,
)
cases = st.lists(st.sampled_from([str.upper, str.lower, str.title, str]), min_size=7, max_size=7)
dialects = st.builds(
    Dialect,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quote=st.sampled_from(['"', "'", ""]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "windows-1252"]),
    has_header=st.booleans(),
)


def came(write: Callable[[Path], object], said: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of a file that `write` makes, read as settings say."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        write(path)
        config = DataConfig.model_validate(
            {
                "format": "events",
                "interactions": [path],
                "columns": THEIRS,
                "event_types": TYPES,
                "max_bad_line_share": 1.0,
                **said,
            }
        )
        report = open_file(path, "interactions")
        report.text = report.mapping = config
        check(report)
        tables = list(event_tables(report, config, 0, lambda _: None))
        came = [row for table in tables for row in table.to_pylist()]
        assert report.kept == len(came)
        assert [row["seq"] for row in came] == sorted({row["seq"] for row in came})
        return came


def wanted(table: Sequence[Row]) -> list[tuple[Any, ...]]:
    """The table's own rows without those that are to be ignored or have an id that is none."""
    types = {name.casefold(): ours for name, ours in TYPES.items()}
    return [
        (row.user, row.item, types[row.type.casefold()], row.time, row.price, row.quantity)
        for row in table
        if types[row.type.casefold()] != "ignore" and not {row.user.casefold(), row.item.casefold()} & MISSING_IDS
    ]


def same(came: list[dict[str, Any]], table: Sequence[Row]) -> bool:
    fields = ("user_id", "item_id", "event_type", "timestamp", "price", "quantity")
    found = [tuple(row[name] for name in fields) for row in came]
    numbers = [tuple(None if value is None else round(value, 2) for value in row[4:]) for row in found]
    return [(*row[:4], *pair) for row, pair in zip(found, numbers, strict=True)] == wanted(table)


def changed(names: Sequence[str], cases: Sequence[Callable[[str], str]]) -> list[str]:
    return [change(name) for name, change in zip(names, cases, strict=True)]


def writable(table: Sequence[Row], dialect: Dialect) -> list[Row]:
    """The rows without what a dialect cannot write."""

    def text(value: str) -> str:
        if not dialect.quote:
            value = "".join("_" if letter in f"{dialect.delimiter}\"'\n" else letter for letter in value)
        if dialect.end == "\r":
            value = value.replace("\n", " ")
        return value.encode(dialect.encoding, "ignore").decode(dialect.encoding)

    return [
        Row(text(row.user), text(row.item), row.type, row.time, row.price, row.quantity, text(row.note))
        for row in table
    ]


@EXAMPLES
@given(rows, dialects, cases, st.sampled_from(list(COMPRESSIONS)))
def test_delimited_text(table: list[Row], dialect: Dialect, cases: list[Any], compression: str) -> None:
    table = writable(table, dialect)
    content = COMPRESSIONS[compression](as_text(table, dialect, changed(NAMES, cases)))
    assert same(came(lambda path: path.write_bytes(content), dialect.settings()), table)


@EXAMPLES
@given(rows, cases, st.booleans(), st.sampled_from(list(COMPRESSIONS)))
def test_flat_json(table: list[Row], cases: list[Any], in_array: bool, compression: str) -> None:
    content = COMPRESSIONS[compression](as_flat_json(table, changed(NAMES, cases), in_array=in_array))
    assert same(came(lambda path: path.write_bytes(content), {}), table)


@EXAMPLES
@given(rows, st.booleans())
def test_nested_json(table: list[Row], in_array: bool) -> None:
    content = as_nested_json(table, in_array=in_array)
    assert same(came(lambda path: path.write_bytes(content), {"columns": NESTED}), table)


@EXAMPLES
@given(rows, cases)
def test_parquet(table: list[Row], cases: list[Any]) -> None:
    names = changed(NAMES, cases)
    assert same(came(lambda path: write_parquet(table, names, path), {}), table)


@EXAMPLES
@given(rows)
def test_nested_parquet(table: list[Row]) -> None:
    assert same(came(lambda path: write_nested_parquet(table, path), {"columns": NESTED}), table)
