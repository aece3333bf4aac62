"""Several records of one item become one: of each column the first value, whatever the order in which they come."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.prepare.engine.item_metadata import choose_records, create_metadata_table, insert_metadata
from recsys.prepare.engine.merged_items import insert_repeats, take_merged
from recsys.prepare.engine.staging import Database
from recsys.prepare.schema import METADATA_SCHEMA, attribute_fields

ATTRIBUTES = attribute_fields({"stock": "number", "seller": "text", "sizes": "texts"})
COLUMNS = [*METADATA_SCHEMA.names, *(field.name for field in ATTRIBUTES)]
_TEXT, _LIST = st.sampled_from(["", "a", "b"]), st.lists(st.sampled_from("ab"), max_size=2)
_NUMBER = st.none() | st.sampled_from([0.0, 1.0, 2.5])
ROWS = st.lists(
    st.tuples(
        *(st.sampled_from("xyz"), _TEXT, _TEXT, _TEXT, _LIST, st.none() | st.sampled_from([1.0, 2.5]), _TEXT, _TEXT),
        *(_NUMBER, st.none() | st.sampled_from("st"), st.none() | st.sampled_from([["a"], ["a", "b"]])),
    ),
    max_size=12,
)


def merged(rows: list[tuple[Any, ...]]) -> dict[str, dict[str, Any]]:
    """Field by field, by hand."""
    items: dict[str, dict[str, Any]] = {}
    for row in rows:
        item = items.setdefault(row[0], dict(zip(COLUMNS, row, strict=True)))
        for name, value in zip(COLUMNS, row, strict=True):
            if item[name] in ("", None, []):
                item[name] = value
    return items


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with duckdb.connect() as db:
        yield db


@settings(max_examples=15, deadline=None)
@given(rows=ROWS, batch=st.integers(2, 9))
def test_each_column_is_the_first_value_of_an_item(database: Database, rows: list[tuple[Any, ...]], batch: int) -> None:
    db = database
    db.execute("DROP TABLE IF EXISTS metadata")
    create_metadata_table(db, ATTRIBUTES)
    for start in range(0, len(rows), batch):
        some = rows[start : start + batch]
        chosen = choose_records(db, [row[0] for row in some], "all", repeats=True)
        assert chosen.in_dataset == len(some) == len(chosen.first) + len(chosen.repeats)
        insert_metadata(db, [some[place] for place in chosen.first], ATTRIBUTES)
        insert_repeats(db, [some[place] for place in chosen.repeats], ATTRIBUTES)
    for taken in list(take_merged(db, ATTRIBUTES)):
        insert_metadata(db, taken, ATTRIBUTES)
    found = db.execute("SELECT * FROM metadata").fetchall()
    assert {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in found} == merged(rows)
