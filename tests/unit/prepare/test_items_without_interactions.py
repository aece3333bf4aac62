"""Items of the catalogue that nobody has chosen, in the prepared dataset."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from recsys.config import parse_config
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset

DAY = 86400
# Of a core of two, `rare` has one user alone.
LOG = [(user, item, day) for user in "abc" for day, item in enumerate(("x", "y", "w"), 1)] + [("a", "rare", 4)]
CATALOGUE = [{"item_id": item, "title": f"Title {item}"} for item in ("x", "y", "rare", "new", "new", "newer")]


def run(folder: Path, catalogue: list[dict[str, Any]] = CATALOGUE, **data: Any) -> PreparedDataset:
    log, metadata = folder / "log.csv", folder / "catalogue.jsonl"
    lines = [
        "user_id,item_id,event_type,timestamp",
        *(f"{u},{i},purchase,{d * DAY + 1_600_000_000}" for u, i, d in LOG),
    ]
    log.write_text("\n".join(lines) + "\n")
    metadata.write_text("".join(json.dumps(record) + "\n" for record in catalogue))
    settings: dict[str, Any] = {
        "format": "events",
        "interactions": [log],
        "metadata": [metadata],
        "k_core_users": 2,
        "k_core_items": 2,
        "prepared_dir": folder / "prepared",
        **data,
    }
    return PreparedDataset.load(
        prepare(parse_config({"name": "shop", "data": settings}, "the test"), Console(quiet=True))
    )


def pairs(dataset: PreparedDataset) -> set[tuple[Any, ...]]:
    log = dataset.interactions
    return set(
        zip(dataset.user_ids[log["user"]], dataset.item_ids[log["item"]], log["timestamp"], log["split"], strict=True)
    )


def test_all_items_of_the_catalogue_are_in_the_dataset(tmp_path: Path) -> None:
    dataset = run(tmp_path)
    # Numbered by a hash of the id, whether anybody has chosen them or not; `w` has no record.
    ids = sorted({"x", "y", "w", "rare", "new", "newer"}, key=lambda item: hashlib.md5(item.encode()).hexdigest())
    assert dataset.item_ids.tolist() == ids
    titles = dict(zip(dataset.item_ids, dataset.items["title"], strict=True))
    assert titles == {"w": "", **{item: f"Title {item}" for item in ("x", "y", "rare", "new", "newer")}}
    assert dataset.manifest["counts"] == {
        "users": 3, "items": 6, "interactions": 9, "train": 3, "validation": 3, "test": 3, "rated": 0,
        "items_without_metadata": 1, "items_without_interactions": 3, "items_not_in_train": 2,
    }  # fmt: skip
    assert dataset.manifest["metadata"]["dropped"] == {"item_not_in_dataset": 0, "repeated_item": 1}


def test_the_interactions_are_those_of_the_dataset_without_such_items(tmp_path: Path) -> None:
    every = run(tmp_path)
    few = run(tmp_path, items="interacted")
    assert pairs(few) == pairs(every)
    assert set(few.item_ids) == {"x", "y", "w"}
    assert few.manifest["counts"]["items_without_interactions"] == 0
    assert few.manifest["metadata"]["dropped"] == {"item_not_in_dataset": 4, "repeated_item": 0}
    assert "items" not in every.manifest["config"]["data"]


def test_cold_items_are_a_share_of_those_with_interactions(tmp_path: Path) -> None:
    """Half of three, rounded up, of which two have test interactions; half of seven would be too many."""
    catalogue = [{"item_id": f"new {number}", "title": "New"} for number in range(4)]
    split = {"method": "temporal", "test_share": 0.4, "validation_share": 0.1, "cold_items_share": 0.5}
    assert run(tmp_path, catalogue, split=split).manifest["cold_items"]["count"] == 2


@pytest.mark.parametrize(("count", "told"), [(30, False), (31, True)])
def test_a_catalogue_of_another_size_is_told_of(tmp_path: Path, count: int, told: bool) -> None:
    """Three items have interactions; over ten times as many have none."""
    dataset = run(tmp_path, [{"item_id": f"new {number}", "title": "New"} for number in range(count)])
    assert dataset.manifest["counts"]["items_without_interactions"] == count
    assert any("over 10 times" in warning for warning in dataset.manifest["warnings"]) is told
    assert any("Only 0 of 3 items with interactions" in warning for warning in dataset.manifest["warnings"])
