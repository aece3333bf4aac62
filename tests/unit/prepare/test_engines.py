"""What an engine refuses before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recsys.config import parse_config
from recsys.core.errors import ConfigError
from recsys.prepare import engines
from recsys.prepare.prepare import prepare
from recsys.store import Store


def refusal(folder: Path, **data: Any) -> str:
    log = folder / "log.csv"
    log.write_text("user_id,item_id,event_type,timestamp,brand\nu,i,view,1600000000,B\n")
    settings = {"format": "events", "interactions": [log], "engine": "spark", "prepared_dir": folder, **data}
    with pytest.raises(ConfigError) as refused:
        prepare(parse_config({"name": "shop", "data": settings}, "the test"))
    return str(refused.value)


def test_spark_reads_no_stores(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "store.sqlite")) as opened:
        opened.upgrade()
    message = refusal(tmp_path, metadata=[tmp_path / "store.sqlite"])
    assert "store.sqlite" in message
    assert "data.engine: duckdb" in message


def test_on_spark_events_tell_nothing_of_items(tmp_path: Path) -> None:
    assert "item.brand" in refusal(tmp_path, columns={"item.brand": "brand"})


def test_without_pyspark_the_remedy_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(path: str) -> None:
        raise ModuleNotFoundError("No module named 'pyspark'")

    monkeypatch.setattr(engines, "imported", missing)
    assert "pip install 'recsys[spark]'" in refusal(tmp_path)
