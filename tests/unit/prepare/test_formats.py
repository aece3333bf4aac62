from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError
from rich.console import Console

from recsys.config import parse_config
from recsys.prepare.formats.base import Format, OnBytes, RawItem, load_format
from recsys.prepare.formats.registry import FORMATS, FormatEntry
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from recsys.prepare.settings import DataConfig

TOY_MODULE = "tests.unit.prepare.test_formats"


@pytest.mark.parametrize("name", FORMATS)
def test_the_settings_take_every_registered_format(name: str) -> None:
    assert DataConfig.model_validate({"format": name, "interactions": ["log"]}).format == name


def test_the_settings_refuse_a_format_that_is_not_registered() -> None:
    with pytest.raises(ValidationError, match=r"no such format; there are amazon_2014, .*, store"):
        DataConfig.model_validate({"format": "xml", "interactions": ["log"]})


@pytest.mark.parametrize("name", FORMATS)
def test_every_registered_format_can_be_imported(name: str) -> None:
    assert isinstance(load_format(name), Format)


@pytest.mark.parametrize("name", FORMATS)
def test_only_event_logs_have_purchases(name: str) -> None:
    assert load_format(name).has_purchases == (name in {"events", "store"})


def _words(report: InputReport) -> Iterator[list[str]]:
    for line in report.path.read_text("utf8").splitlines():
        report.lines += 1
        yield line.split()


def _toy_interactions(report: InputReport, _: DataConfig, first_seq: int, _on_bytes: OnBytes) -> Iterator[pa.Table]:
    users, items, times = zip(*_words(report), strict=True)
    yield pa.table(
        {
            "user_id": pa.array(users),
            "item_id": pa.array(items),
            "timestamp": pa.array(map(int, times), pa.int64()),
            "rating": pa.nulls(len(users), pa.float32()),
            "seq": pa.array(range(first_seq, first_seq + len(users)), pa.int64()),
        }
    )


def _toy_items(report: InputReport, _config: DataConfig, _on_bytes: OnBytes) -> Iterator[list[RawItem]]:
    yield [RawItem(item_id=item, title=title) for item, title in _words(report)]


TOY = Format(check=lambda _report: None, interactions=_toy_interactions, items=_toy_items)


def test_an_entry_in_the_registry_is_all_that_a_new_format_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FORMATS, "toy", FormatEntry("toy", "three words a line", f"{TOY_MODULE}.TOY"))
    (tmp_path / "log").write_text("ann tea 1\nann cup 2\nann pot 3\nbob tea 4\nbob pot 5\n", "utf8")
    (tmp_path / "items").write_text("tea Green\ncup Blue\nkey Iron\n", "utf8")
    data = {
        "format": "toy",
        "interactions": [tmp_path / "log"],
        "metadata": [tmp_path / "items"],
        "prepared_dir": tmp_path / "prepared",
        "k_core_users": 0,
        "k_core_items": 0,
    }
    config = parse_config({"name": "toy", "data": data}, "the test")
    dataset = PreparedDataset.load(prepare(config, Console(quiet=True)))
    titles = dict(zip(dataset.item_ids, dataset.items["title"], strict=True))
    assert titles == {"tea": "Green", "cup": "Blue", "pot": ""}
    by_time = dataset.interactions.sort_values("timestamp")
    assert dataset.user_ids[by_time["user"]].tolist() == ["ann", "ann", "ann", "bob", "bob"]
    assert dataset.item_ids[by_time["item"]].tolist() == ["tea", "cup", "pot", "tea", "pot"]
    assert by_time["split"].tolist() == ["train", "validation", "test", "train", "train"]
    assert dataset.manifest["metadata"]["dropped"] == {"item_not_in_dataset": 1, "repeated_item": 0}
