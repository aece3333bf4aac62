"""In which order SQLite looks at the tables of a search: what is right for few items takes minutes for many, else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from recsys.store import ItemRow, ItemSearch, Store, item_search

SHOP = [ItemRow(f"i{n}", f"rose soap {n}", "Acme", ("All",), float(n)) for n in range(40)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(str(tmp_path / "store.sqlite")) as store:
        store.upgrade()
        store.put_items(SHOP, "v1")
        yield store


def plans(store: Store, search: ItemSearch) -> list[list[str]]:
    """How SQLite goes about each statement of a search that has to do with words."""
    engine, statements = store._database.backend.engine, []

    def note(_: object, __: object, statement: str, parameters: Sequence[Any], *___: object) -> None:
        if "items_words" in statement and not statement.startswith("EXPLAIN"):
            statements.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        assert store.search_items(search, None, 5).rows
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    with store._database.read() as connection:
        explained = [
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values).all() for one, values in statements
        ]
    return [[row[-1] for row in rows] for rows in explained]


@pytest.mark.parametrize("sort", ["popularity", "price", "-title"])
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "while others are put"])
def test_words_are_looked_up_first(store: Store, sort: Any, alone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not alone:
        with store._database.write() as connection:
            connection.exec_driver_sql("INSERT INTO catalogues (version, item_count, complete) VALUES ('v2', 0, 0)")
            connection.exec_driver_sql(
                "INSERT INTO items (catalogue, position, item_id, categories, words) VALUES (2, 0, 'x', '[]', 'rose')"
            )
    for few in (1000, 0):  # all that match are sorted, or a walk comes first and finds nothing
        monkeypatch.setattr(item_search, "FEW", few)
        monkeypatch.setattr(item_search, "WALKS", (1,))
        explained = plans(store, ItemSearch("rose", "All", sort=sort))
        assert len(explained) >= 2
        for steps in explained:
            tables = [step.split()[1] for step in steps if step.startswith(("SCAN", "SEARCH"))]
            assert tables[0] == "items_words", steps
            assert all("rowid=?" in step for step in steps if step.startswith(("SCAN items ", "SEARCH items ")))
