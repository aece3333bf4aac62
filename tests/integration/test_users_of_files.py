"""What files and events say of users is carried in the dataset, typed as a shop says."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from recsys.config import parse_config
from recsys.core.errors import DataError
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from recsys.store import Event, Store

TYPES = {"age": "number", "city": "text", "club": "bool", "likes": "texts", "signup": "date", "born": "date"}
# Of the four who have events, eve has no record, and zoe has a record and no events.
RECORDS: list[dict[str, Any]] = [
    {
        "ID": "ann",
        "Age": "34",
        "city": " Lyon ",
        "club": "yes",
        "likes": "tea|cups",
        "signup": "2020-03-01",
        "born": "",
    },
    {"ID": "bob", "Age": "old", "city": "n/a", "club": "0", "likes": "", "signup": "1583020800", "born": "1950-12-31"},
    {"ID": "ann", "Age": "99", "city": "Nice", "club": "no", "likes": "", "signup": "", "born": ""},
    {"ID": "zoe", "Age": "20", "city": "Rome", "club": "", "likes": "", "signup": "", "born": ""},
    {"ID": "cy", "Age": "1.5", "city": "", "club": "", "likes": "pots", "signup": "soon", "born": "1970-01-02"},
]
COLUMNS = {"user_id": "id", "age": "AGE"}


def write_csv(path: Path) -> Path:
    pd.DataFrame(RECORDS).to_csv(path.with_suffix(".csv"), index=False)
    return path.with_suffix(".csv")


def write_parquet(path: Path) -> Path:
    pd.DataFrame(RECORDS).to_parquet(path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def write_json_lines(path: Path) -> Path:
    path.with_suffix(".jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    return path.with_suffix(".jsonl")


def run(folder: Path, users: list[Path], **data: Any) -> PreparedDataset:
    log = folder / "log.csv"
    rows = [
        f"{user},{item},purchase,{1_600_000_000 + item}" for user in ("ann", "bob", "cy", "eve") for item in (1, 2, 3)
    ]
    log.write_text("\n".join(["user_id,item_id,event_type,timestamp", *rows]) + "\n")
    settings: dict[str, Any] = {
        "format": "events",
        "interactions": [log],
        "users": users,
        "user_columns": COLUMNS,
        "user_attributes": TYPES,
        "k_core_users": 0,
        "k_core_items": 0,
        "prepared_dir": folder / "prepared",
        **data,
    }
    config = parse_config({"name": "shop", "data": settings}, "the test")
    return PreparedDataset.load(prepare(config, Console(quiet=True)))


def by_user(dataset: PreparedDataset) -> dict[str, dict[str, Any]]:
    values = dataset.user_attribute_values
    rows = zip(*values.values(), strict=True)
    return {user: dict(zip(values, row, strict=True)) for user, row in zip(dataset.user_ids, rows, strict=True)}


@pytest.mark.parametrize("write", [write_csv, write_parquet, write_json_lines])
def test_records_of_any_form_are_typed(tmp_path: Path, write: Any) -> None:
    dataset = run(tmp_path, [write(tmp_path / "users")])
    nothing = dict.fromkeys(TYPES)
    assert by_user(dataset) == {
        "ann": {
            "age": 34,
            "city": "Lyon",
            "club": True,
            "likes": ["tea", "cups"],
            "signup": 1_583_020_800,
            "born": None,
        },
        "bob": nothing | {"club": False, "signup": 1_583_020_800, "born": -599_702_400},
        "cy": nothing | {"age": 1.5, "likes": ["pots"], "born": 86_400},
        "eve": nothing,
    }
    assert dataset.user_attributes == TYPES
    assert dataset.manifest["users"] == {
        "read": 5,
        "dropped": {"user_not_in_dataset": 1, "repeated_user": 1},
        "kept": 3,
        "fields": {"age_not_understood": 1, "signup_not_understood": 1},
        "attributes": {"age": 2, "city": 1, "club": 2, "likes": 2, "signup": 2, "born": 2},
    }
    assert any("1 values of age of users are not understood" in warning for warning in dataset.manifest["warnings"])


def test_users_are_the_same_with_attributes_and_without(tmp_path: Path) -> None:
    wide = run(tmp_path, [write_csv(tmp_path / "users")])
    narrow = run(tmp_path, [], user_columns={}, user_attributes={})
    assert wide.user_ids.tolist() == narrow.user_ids.tolist()
    assert (narrow.user_attributes, narrow.user_attribute_values) == ({}, {})
    assert "users" not in narrow.manifest
    assert wide.interactions.equals(narrow.interactions)


def test_a_forgotten_user_has_no_record(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with Store.open(str(store)) as opened:
        opened.upgrade()
        opened.live_users.forget("ann", 1_600_000_001)
        opened.append([Event("e", "eve", "9", "purchase", 1_600_000_009, None, None, None)])
    dataset = run(tmp_path, [write_csv(tmp_path / "users")], interactions=[tmp_path / "log.csv", store])
    assert by_user(dataset)["ann"] == dict.fromkeys(TYPES)
    assert dataset.manifest["users"]["dropped"]["forgotten_user"] == 2


def test_what_a_store_says_counts_most_and_nothing_is_kept_without_consent(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with Store.open(str(store)) as opened:
        opened.upgrade()
        said = {"age": 35, "likes": ("mugs",), "signup": "2021-01-01", "size": "XL"}
        opened.live_users.put("ann", said, consent=True, who=None, timestamp=1_600_000_000)
        opened.live_users.put("bob", {"age": 1}, consent=False, who=None, timestamp=1_600_000_000)
    users = write_csv(tmp_path / "users")
    dataset = run(tmp_path, [users], interactions=[tmp_path / "log.csv", store])
    assert by_user(dataset)["ann"] == {
        "age": 35, "city": "Lyon", "club": True, "likes": ["mugs"], "signup": 1_609_459_200, "born": None,
    }  # fmt: skip
    assert by_user(dataset)["bob"] == dict.fromkeys(TYPES)
    assert dataset.manifest["users"]["dropped"]["without_consent"] == 1


def test_a_file_without_ids_or_attributes_is_refused(tmp_path: Path) -> None:
    users = write_csv(tmp_path / "users")
    with pytest.raises(DataError, match=r"a column customer(.|\n)*data.user_columns"):
        run(tmp_path, [users], user_columns={"user_id": "customer"})
    with pytest.raises(DataError, match=r"one of data\.user_attributes"):
        run(tmp_path, [users], user_attributes={"size": "text"}, user_columns={"user_id": "id"})
