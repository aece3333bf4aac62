"""The configs of platforms: what they make of files in their style, and whether an inspection finds the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from recsys.config import Config, load_config
from recsys.inspect.inspection import inspect
from recsys.inspect.tables import look_at
from recsys.prepare.input_files import find_files
from recsys.prepare.mapping_settings import EVENT_FIELDS, GROUP, ITEM_FIELDS
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from recsys.prepare.settings import DataConfig
from tests.support.platforms import PLATFORMS, Platform

CONFIGS = Path(__file__).parents[3] / "configs" / "platforms"
KINDS = ("interactions", "metadata", "properties", "users")
NAMES = [platform.name for platform in PLATFORMS]


def config_of(platform: Platform, folder: Path) -> Config:
    """The platform's config, for files in a folder, without the filters that so few events do not pass."""
    config = load_config(CONFIGS / f"{platform.name}.yaml")
    moved = {kind: [folder / Path(path).name for path in getattr(config.data, kind)] for kind in KINDS}
    update = {**moved, "prepared_dir": folder / "prepared", "k_core_users": 0, "k_core_items": 0}
    return config.model_copy(update={"data": config.data.model_copy(update=update)})


def files_of(data: DataConfig, kind: str) -> list[Path]:
    entries = getattr(data, kind)
    return [path for path, _ in find_files(entries, kind).paths] if entries else []


def test_every_config_has_files_in_its_style() -> None:
    assert sorted(NAMES) == sorted(path.stem for path in CONFIGS.glob("*.yaml"))


@pytest.mark.parametrize("platform", PLATFORMS, ids=NAMES)
def test_prepared(platform: Platform, tmp_path: Path) -> None:
    platform.write(tmp_path)
    dataset = PreparedDataset.load(prepare(config_of(platform, tmp_path), Console(quiet=True)))
    logs = [entry for entry in dataset.manifest["sources"] if entry["kind"] == "interactions"]
    assert added(log["event_types"] for log in logs) == platform.types
    assert added(log["dropped"] for log in logs) == platform.dropped
    assert len(dataset.user_ids) == platform.users
    assert len(dataset.items) == platform.items
    items = dataset.items.set_index("item_id")
    for item_id, fields in platform.facts.items():
        for name, value in fields.items():
            assert same(items.loc[item_id][name], value), (item_id, name, items.loc[item_id][name])

    if platform.user_facts:
        assert dataset.users is not None
        users = dataset.users.set_index("user_id")
        for user_id, fields in platform.user_facts.items():
            for name, value in fields.items():
                assert same(users.loc[user_id][name], value), (user_id, name)


@pytest.mark.parametrize("platform", PLATFORMS, ids=NAMES)
def test_inspected(platform: Platform, tmp_path: Path) -> None:
    platform.write(tmp_path)
    config = config_of(platform, tmp_path)
    files = [path for kind in KINDS for path in files_of(config.data, kind)]
    proposal = inspect(files, console=Console(quiet=True))
    assert proposal is not None
    found = proposal.config.data
    for kind in KINDS:
        assert sorted(files_of(found, kind)) == sorted(files_of(config.data, kind)), kind
    log = look_at(files[0])
    names = [column.name for column in log.columns]
    wanted, mapping = (columns_of(data, names) for data in (config.data, found))
    assert {role: mapping.get(role) for role in wanted if role not in platform.uninspected} == {
        role: place for role, place in wanted.items() if role not in platform.uninspected
    }
    if (types := log.column("event_type")) is not None:
        for name in map(str.casefold, types.counts):
            ours = config.data.event_types.get(name, name)
            assert found.event_types.get(name, name) == ours, name
    assert found.event_type == config.data.event_type
    for key in (
        "date_order",
        "rating_range",
        "category_separator",
        "property_columns",
        "property_names",
        "encoding",
        "burst_seconds",
    ):
        if key not in platform.uninspected:
            assert getattr(found, key) == getattr(config.data, key), key
    if config.data.metadata and "metadata_columns" not in platform.uninspected:
        names = [column.name for column in look_at(files_of(config.data, "metadata")[0]).columns]
        wanted, mapping = (fields_of(data, names) for data in (config.data, found))
        assert {role: mapping.get(role) for role in wanted} == wanted
    assert found.user_columns == config.data.user_columns
    assert found.user_attributes == config.data.user_attributes


def added(counts: Any) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return {name: count for name, count in total.items() if count}


def same(got: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return list(got) == wanted
    return bool(got == pytest.approx(wanted)) if isinstance(wanted, float) else bool(got == wanted)


def columns_of(data: DataConfig, names: list[str]) -> dict[str, int]:
    """The position in the file of the column of each of our names."""
    there = [(name or "").casefold() for name in data.header or names]
    called = {role: data.columns.get(role, role).casefold() for role in (*EVENT_FIELDS, *data.columns)}
    return {role: there.index(name) for role, name in called.items() if name in there}


def fields_of(data: DataConfig, names: list[str]) -> dict[str, str]:
    called = {role: data.metadata_columns.get(role, role).casefold() for role in (*ITEM_FIELDS, GROUP)}
    return {role: name for role, name in called.items() if name in [each.casefold() for each in names]}
