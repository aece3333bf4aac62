"""Which store a config names, whatever its format is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recsys.core.errors import DataError
from recsys.prepare.inputs import find_store
from recsys.prepare.settings import DataConfig
from recsys.prepare.stores import store_of
from recsys.store import Store


def config(folder: Path, **data: Any) -> DataConfig:
    return DataConfig.model_validate({"prepared_dir": folder / "prepared", **data})


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,timestamp\nu,i,1600000000\n")
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.sqlite"
    with Store.open(str(path)) as opened:
        opened.upgrade()
    return path


def test_a_store_is_told_by_what_it_is(tmp_path: Path, log: Path, store: Path) -> None:
    assert find_store(config(tmp_path, format="store", interactions=[store])) == store
    assert find_store(config(tmp_path, format="events", interactions=[log, store])) == store
    assert find_store(config(tmp_path, format="events", interactions=[log], metadata=[store])) == store
    other = {"path": store, "format": "store"}
    assert find_store(config(tmp_path, format="amazon_2018", interactions=[log, other])) == store
    url = "postgresql://shop@db/shop"
    found = find_store(config(tmp_path, format="events", interactions=[log, url]))
    assert found is not None
    assert found.as_posix() == "postgresql:/shop@db/shop"


def test_files_alone_are_no_store_and_may_have_gone(tmp_path: Path, log: Path) -> None:
    files = config(tmp_path, format="events", interactions=[log])
    assert find_store(files) is None
    assert store_of(files) is None
    log.unlink()
    assert find_store(files) is None


def test_a_store_that_is_named_must_be_there(tmp_path: Path, store: Path) -> None:
    named = config(tmp_path, format="store", interactions=[store])
    opened = store_of(named)
    assert opened is not None
    with opened:
        assert opened.stats().events == 0
    store.unlink()
    with pytest.raises(DataError, match=r"store\.sqlite"):
        store_of(named)
