"""What histories read of a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.histories.reading import StoreReader
from recsys.store import Event, Store, StoreUnavailable


def test_it_reads_the_latest_items_of_users(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        store.upgrade()
        store.append([Event(f"e{n}", "ann", f"i{n}", "view", 100.0 + n) for n in range(5)])
        read = StoreReader(store).events_of(["ann", "bob"], 103.0, 2)
        assert [event.item_id for event in read["ann"]] == ["i2", "i3"]
        assert read["bob"] == []
        assert StoreReader(store).attributes_of(["ann"]) == {}


def test_a_store_without_tables_is_unavailable(tmp_path: Path) -> None:
    """Whatever is wrong with it: who reads histories knows one way in which a store fails."""
    with Store.open(f"sqlite:///{tmp_path / 'empty.sqlite'}") as store:
        reader = StoreReader(store)
        with pytest.raises(StoreUnavailable):
            reader.events_of(["ann"], None, 10)
        with pytest.raises(StoreUnavailable):
            reader.attributes_of(["ann"])
