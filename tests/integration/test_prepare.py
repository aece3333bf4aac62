"""Whole preparations: from raw files of every format, good and bad, to the dataset that others read."""

import errno
import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from recsys import cli
from recsys.config import Config, parse_config
from recsys.core.errors import DataError
from recsys.prepare.engine import dataset_files
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from recsys.prepare.sample import write_sample

ROOT = Path(__file__).parents[2]
FILES = {"interactions.parquet", "users.parquet", "items.parquet", "manifest.json"}
DAY = 86400

# user, item, day, stars. Users a, b, c have three items each; d falls to the 2-core, then z with it.
LOG = [
    ("a", "x", 1, 5.0), ("a", "y", 2, 4.0), ("a", "w", 3, 3.0),
    ("b", "y", 5, 2.0), ("b", "x", 5, 1.0), ("b", "w", 5, 4.0),
    ("c", "w", 9, 5.0), ("c", "x", 8, 5.0), ("c", "y", 7, 5.0), ("c", "z", 6, 5.0),
    ("d", "z", 6, 5.0),
]  # fmt: skip
SPLITS = {
    ("a", "x"): "train", ("a", "y"): "validation", ("a", "w"): "test",
    ("b", "y"): "train", ("b", "x"): "validation", ("b", "w"): "test",
    ("c", "y"): "train", ("c", "x"): "validation", ("c", "w"): "test",
}  # fmt: skip

Settings = dict[str, Any]


def config(tmp_path: Path, **data: Any) -> Config:
    settings = {
        "prepared_dir": tmp_path / "prepared",
        "k_core_users": 2,
        "k_core_items": 2,
        "earliest_year": 1970,
        **data,
    }
    return parse_config({"name": "shop", "data": settings}, "the test")


def run(tmp_path: Path, **data: Any) -> PreparedDataset:
    return PreparedDataset.load(prepare(config(tmp_path, **data), Console(quiet=True)))


def write_lines(path: Path, lines: list[bytes], compressed: bool = False) -> Path:
    content = b"".join(line + b"\n" for line in lines)
    path.write_bytes(gzip.compress(content) if compressed else content)
    return path


def dumps(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode()


def review(user: str, item: str, day: int, stars: float | None, edition: str = "2018") -> dict[str, Any]:
    if edition == "2023":
        return {"user_id": user, "parent_asin": item, "rating": stars, "timestamp": day * DAY * 1000}
    return {"reviewerID": user, "asin": item, "overall": stars, "unixReviewTime": day * DAY}


def raw_2014(folder: Path) -> Settings:
    records = [
        {"asin": "x", "title": "Ex &amp; Co", "brand": "B", "categories": [["Shop", "Toys"]], "price": 1.99},
        {"asin": "y", "title": 'Why\'s "that"', "description": "Because.", "imUrl": "http://y"},
    ]
    reviews = write_lines(folder / "reviews.json", [dumps(review(*row)) for row in LOG])
    metadata = write_lines(folder / "meta.json", [repr(record).encode() for record in records])
    return {"format": "amazon_2014", "interactions": [reviews], "metadata": [metadata]}


def raw_2018(folder: Path) -> Settings:
    records = [
        {"asin": "x", "title": "<b>Ex</b> &amp; Co", "brand": "B", "category": ["Shop", "Toys"],
         "price": "$1.99 - $5.49", "main_cat": "Shop"},
        {"asin": "y", "title": "Why's \"that\"", "description": ["Because.", ""], "imageURLHighRes": ["http://y"]},
    ]  # fmt: skip
    reviews = write_lines(folder / "reviews.json.gz", [dumps(review(*row)) for row in LOG], compressed=True)
    metadata = write_lines(folder / "meta.json.gz", list(map(dumps, records)), compressed=True)
    return {"format": "amazon_2018", "interactions": [reviews], "metadata": [metadata]}


def raw_2023(folder: Path) -> Settings:
    records = [
        {"parent_asin": "x", "title": "Ex & Co", "store": "B", "categories": ["Shop", "Toys"], "price": "from 1.99"},
        {"parent_asin": "y", "title": 'Why\'s "that"', "description": ["Because."], "images": [{"large": "http://y"}]},
    ]
    reviews = write_lines(folder / "reviews.jsonl", [dumps(review(*row, "2023")) for row in LOG])
    metadata = write_lines(folder / "meta.jsonl.gz", list(map(dumps, records)), compressed=True)
    return {"format": "amazon_2023", "interactions": [reviews], "metadata": [metadata]}


def raw_events(folder: Path) -> Settings:
    records = [
        {"item_id": "x", "title": "Ex & Co", "brand": "B", "categories": ["Shop", "Toys"], "price": 1.99},
        {"item_id": "y", "title": 'Why\'s "that"', "description": "Because.", "image": "http://y"},
    ]
    lines = [f"{user},{item},purchase,{day * DAY},{stars}".encode() for user, item, day, stars in LOG]
    events = write_lines(folder / "events.csv", [b"user_id,item_id,event_type,timestamp,rating", *lines])
    metadata = write_lines(folder / "catalogue.jsonl", list(map(dumps, records)))
    return {"format": "events", "interactions": [events], "metadata": [metadata]}


@pytest.mark.parametrize("raw", [raw_2014, raw_2018, raw_2023, raw_events])
def test_every_format_gives_the_same_dataset(tmp_path: Path, raw: Callable[[Path], Settings]) -> None:
    dataset = run(tmp_path, **raw(tmp_path))
    log = dataset.interactions
    pairs = list(zip(dataset.user_ids[log["user"]], dataset.item_ids[log["item"]], strict=True))
    assert dict(zip(pairs, log["split"], strict=True)) == SPLITS
    assert len(pairs) == len(SPLITS)
    known = {(user, item): (day * DAY, stars) for user, item, day, stars in LOG}
    assert [(t, r) for t, r in zip(log["timestamp"], log["rating"], strict=True)] == [known[pair] for pair in pairs]
    assert set(log["weight"]) == {5.0 if raw is raw_events else 1.0}
    assert log["user"].is_monotonic_increasing
    # b's three on one day keep the order of the file
    assert [item for user, item in pairs if user == "b"] == ["y", "x", "w"]

    items = dataset.items.set_index("item_id")
    assert items.loc["x", ["title", "brand", "text"]].tolist() == ["Ex & Co", "B", "Ex & Co. B. Shop > Toys"]
    assert list(items.loc["x", "categories"]) == ["Shop", "Toys"]
    assert items.loc["x", "price"] == np.float32(1.99)
    assert items.loc["y", ["title", "description", "image"]].tolist() == ['Why\'s "that"', "Because.", "http://y"]
    assert items.loc["w", ["title", "text", "brand", "description", "image"]].tolist() == [""] * 5
    assert list(items.loc["w", "categories"]) == []
    assert np.isnan(items.loc["w", "price"])

    manifest = dataset.manifest
    assert manifest["interactions"]["dropped"] == {"older_of_same_pair": 0, "k_core": 2}
    assert manifest["counts"] == {
        "users": 3, "items": 3, "interactions": 9, "train": 3, "validation": 3, "test": 3, "rated": 9,
        "items_without_metadata": 1, "items_without_interactions": 0, "items_not_in_train": 1,
    }  # fmt: skip
    assert manifest["time_range"] == {"first": DAY, "last": 9 * DAY}
    assert manifest["has_ratings"] is True
    assert ("price" in log.columns) == (raw is raw_events)


def raw_recbole(folder: Path) -> Settings:
    lines = [f"{user}\t{item}\t{stars}\t{day * DAY}".encode() for user, item, day, stars in LOG]
    header = b"user_id:token\titem_id:token\trating:float\ttimestamp:float"
    records = [b"x\tEx & Co\t1995\tShop Toys\t1.99", b"never bought\tN\t\t\t", b"y\tWhy\t\t\tdear"]
    item_header = b"item_id:token\tmovie_title:token\trelease_year:float\tgenre:token_seq\tprice:float"
    interactions = write_lines(folder / "shop.inter", [header, *lines])
    metadata = write_lines(folder / "shop.item", [item_header, *records])
    return {"format": "recbole", "interactions": [interactions], "metadata": [metadata]}


def test_atomic_files(tmp_path: Path) -> None:
    settings = raw_recbole(tmp_path)
    dataset = run(tmp_path, **settings)
    log = dataset.interactions
    pairs = list(zip(dataset.user_ids[log["user"]], dataset.item_ids[log["item"]], strict=True))
    assert dict(zip(pairs, log["split"], strict=True)) == SPLITS
    known = {(user, item): (day * DAY, stars) for user, item, day, stars in LOG}
    assert [(t, r) for t, r in zip(log["timestamp"], log["rating"], strict=True)] == [known[pair] for pair in pairs]
    assert (set(log["weight"]), "price" in log.columns) == ({1.0}, False)

    items = dataset.items.set_index("item_id")
    assert items.loc["x", ["title", "text"]].tolist() == ["Ex & Co", "Ex & Co. 1995. Shop Toys"]
    assert list(items.loc["x", "categories"]) == ["Shop", "Toys"]
    assert items.loc["x", "price"] == np.float32(1.99)
    assert items.loc["w", ["title", "text"]].tolist() == ["", ""]
    assert dataset.manifest["metadata"] == {
        "read": 3, "dropped": {"item_not_in_dataset": 1, "repeated_item": 0}, "kept": 2,
        "fields": {"price_not_understood": 1},
    }  # fmt: skip

    first = snapshot(dataset.path)
    assert snapshot(prepare(config(tmp_path, **settings), Console(quiet=True))) == first
    settings["interactions"][0].write_bytes(b"user_id:token\titem_id:token\nu\ta\n")
    with pytest.raises(DataError, match="a time is needed"):
        prepare(config(tmp_path, **settings), Console(quiet=True))
    assert snapshot(dataset.path) == first


SPLIT_METHODS = [{"method": "leave_one_out"}, {"method": "temporal"}, {"method": "ratio", "test_share": 0.3}]


@pytest.mark.parametrize("split", SPLIT_METHODS, ids=lambda split: split["method"])
def test_cold_items_are_held_out_of_what_is_otherwise_the_same(tmp_path: Path, split: dict[str, Any]) -> None:
    reviews, metadata = write_sample(tmp_path, n_users=200, n_items=150, n_reviews=2000)
    settings: Settings = {
        "format": "amazon_2018", "interactions": [reviews], "metadata": [metadata], "max_bad_line_share": 0.05,
    }  # fmt: skip
    whole = run(tmp_path, **settings, split=split)
    assert "cold_items" not in whole.manifest
    assert "cold_items_share" not in whole.manifest["config"]["data"]["split"]
    before = {name: (whole.path / name).read_bytes() for name in ("users.parquet", "items.parquet")}

    dataset = run(tmp_path, **settings, split={**split, "cold_items_share": 0.1})
    about = dataset.manifest["cold_items"]
    assert {name: (dataset.path / name).read_bytes() for name in before} == before
    assert about["count"] == pytest.approx(0.1 * dataset.n_items, abs=0.5)
    # What is gone is all that train and validation had of `count` items, which somebody's test part has.
    log = whole.interactions
    kept = log.merge(dataset.interactions, how="left", indicator=True)["_merge"].to_numpy() == "both"
    cold = log["item"].isin(log.loc[~kept, "item"])
    assert (~kept == (cold & (log["split"] != "test"))).all()
    assert log.loc[~kept, "item"].nunique() <= about["count"]
    in_test = set(log.loc[log["split"] == "test", "item"])
    assert set(log.loc[~kept, "item"]) <= in_test
    assert kept.sum() == len(dataset.interactions) == dataset.manifest["counts"]["interactions"]
    assert dataset.manifest["interactions"]["kept"] == len(dataset.interactions)
    assert about["interactions_removed"] == (~kept).sum() > 0
    assert dataset.manifest["interactions"]["dropped"]["cold_item_held_out"] == (~kept).sum()
    # An item drawn may have had test interactions alone.
    assert about["test_interactions"] >= (cold & (log["split"] == "test")).sum() >= 1

    again = snapshot(dataset.path)
    prepare(config(tmp_path, **settings, split={**split, "cold_items_share": 0.1}), Console(quiet=True))
    assert snapshot(dataset.path) == again


def test_the_files_have_the_documented_types(tmp_path: Path) -> None:
    path = prepare(config(tmp_path, **raw_2018(tmp_path)), Console(quiet=True))
    assert {file.name for file in path.iterdir()} == FILES
    schema = pq.read_schema(path / "interactions.parquet")
    assert {field.name: str(field.type) for field in schema} == {
        "user": "int32", "item": "int32", "timestamp": "int64", "rating": "float", "weight": "float", "split": "string",
    }  # fmt: skip
    schema = pq.read_schema(path / "items.parquet")
    assert (str(schema.field("item").type), str(schema.field("price").type)) == ("int32", "float")


def test_manifest_names_sources_hashes_and_config(tmp_path: Path) -> None:
    settings = raw_2018(tmp_path)
    dataset = run(tmp_path, **settings)
    sources = dataset.manifest["sources"]
    for source, path in zip(sources, [*settings["interactions"], *settings["metadata"]], strict=True):
        assert source["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert source["bytes"] == path.stat().st_size
    for name, digest in dataset.manifest["files"].items():
        assert digest == hashlib.sha256((dataset.path / name).read_bytes()).hexdigest()
    assert dataset.manifest["config"]["data"]["k_core_users"] == 2
    assert dataset.manifest["synthetic"] is False


def test_files_are_read_in_their_order(tmp_path: Path) -> None:
    first = write_lines(tmp_path / "1", [dumps(review("u", "b", 1, 1.0)), dumps(review("u", "c", 1, 2.0))])
    second = write_lines(tmp_path / "2", [dumps(review("u", "b", 1, 5.0)), dumps(review("u", "a", 1, 3.0))])
    settings = {"format": "amazon_2018", "k_core_users": 0, "k_core_items": 0}
    dataset = run(tmp_path, interactions=[first, second], **settings)
    # All on one day: the review of b in the second file replaces the one in the first, and comes after c.
    assert [dataset.item_ids[item] for item in dataset.interactions["item"]] == ["c", "b", "a"]
    assert dataset.interactions["rating"].tolist() == [2.0, 5.0, 3.0]


def test_cycles_of_items_that_are_bought_again_are_in_the_dataset(tmp_path: Path) -> None:
    log = ["user_id,item_id,event_type,timestamp"]
    for user in range(6):
        # Milk each week, soap three weeks apart by two users alone; the lamp and the cup, bought last, are held out.
        log += [f"u{user},milk,purchase,{(user + 7 * week) * DAY}" for week in range(4)]
        log += [f"u{user},soap,purchase,{day * DAY}" for day in (30, 51)[: 2 if user < 2 else 1]]
        log += [f"u{user},{item},purchase,{day * DAY}" for item, day in (("lamp", 90), ("cup", 91))]
    goods = [{"item_id": item, "categories": ["home", "wash"]} for item in ("soap", "lamp")]
    settings = {
        "format": "events",
        "interactions": [write_lines(tmp_path / "log.csv", [line.encode() for line in log])],
        "metadata": [write_lines(tmp_path / "goods.jsonl", [dumps(each) for each in goods])],
    }
    dataset = run(tmp_path, **settings)
    cycles = dict(zip(dataset.items["item_id"], dataset.items["cycle"], strict=True))
    assert cycles.pop("milk") == 7.0
    assert np.isnan(list(cycles.values())).all()
    assert dataset.manifest["cycles"] == {"own": 1, "category": 0, "default": 3}
    dataset = run(tmp_path, **settings, repurchase_users=2)
    cycles = dict(zip(dataset.items["item_id"], dataset.items["cycle"], strict=True))
    assert np.isnan(cycles.pop("cup"))
    assert cycles == {"milk": 7.0, "soap": 21.0, "lamp": 21.0}
    assert dataset.manifest["cycles"] == {"own": 2, "category": 1, "default": 1}
    dataset = run(tmp_path, **settings, repurchase_users=7)
    assert "cycle" not in dataset.items
    assert "cycles" not in dataset.manifest


def test_ratings_may_be_absent(tmp_path: Path) -> None:
    lines = [dumps({k: v for k, v in review(*row).items() if k != "overall"}) for row in LOG]
    path = write_lines(tmp_path / "reviews", lines)
    dataset = run(tmp_path, format="amazon_2014", interactions=[path], min_rating=4.0)
    assert dataset.manifest["has_ratings"] is False
    assert dataset.interactions["rating"].isna().all()
    assert len(dataset.interactions) == 9


def test_items_first_seen_after_training_stay(tmp_path: Path) -> None:
    log = [("a", "x", 1, 5.0), ("b", "x", 2, 5.0), ("a", "y", 3, 5.0), ("b", "late", 9, 5.0), ("a", "late", 10, 5.0)]
    path = write_lines(tmp_path / "reviews", [dumps(review(*row)) for row in log])
    split = {"method": "temporal", "validation_share": 0.2, "test_share": 0.2}
    dataset = run(tmp_path, format="amazon_2018", interactions=[path], k_core_users=0, k_core_items=0, split=split)
    assert dataset.manifest["counts"]["items_not_in_train"] == 1
    assert "late" in dataset.item_ids
    assert dataset.manifest["split"] == {"method": "temporal", "validation_from": 9 * DAY, "test_from": 10 * DAY}


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_equal_input_and_config_give_equal_bytes(tmp_path: Path) -> None:
    reviews, metadata = write_sample(tmp_path, n_users=200, n_items=150, n_reviews=2000)
    settings: Settings = {
        "format": "amazon_2018", "interactions": [reviews], "metadata": [metadata], "max_bad_line_share": 0.05,
    }  # fmt: skip
    first = snapshot(prepare(config(tmp_path, **settings), Console(quiet=True)))
    assert set(first) == FILES
    again = snapshot(prepare(config(tmp_path, **settings), Console(quiet=True)))
    assert again == first
    # Threads and memory are the machine's affair: the rows do not depend on them.
    other = snapshot(prepare(config(tmp_path, **settings, threads=1, memory_limit_mb=128), Console(quiet=True)))
    assert {name: other[name] for name in FILES - {"manifest.json"}} == {
        name: first[name] for name in FILES - {"manifest.json"}
    }


# Each case changes the good 2018 files: name of the file to write, its bytes, words of the error.
GOOD = [dumps(review(*row)) for row in LOG]


def joined(*lines: bytes) -> bytes:
    return b"".join(line + b"\n" for line in lines)


BAD_FILES = {
    "truncated gzip": ("reviews.json.gz", gzip.compress(joined(*GOOD))[:-20], "complete file (gzip)"),
    "damaged gzip": ("reviews.json.gz", gzip.compress(joined(*GOOD))[:-8] + bytes(8), "sound gzip"),
    "empty file": ("reviews.json.gz", b"", "an empty file"),
    "empty gzip": ("meta.json.gz", gzip.compress(b""), "an empty file"),
    "malformed lines": ("reviews.json.gz", joined(*GOOD, b'{"reviewerID": "a'), "line 12 (malformed)"),
    "not UTF-8": ("reviews.json.gz", joined(*GOOD, b'{"reviewerID": "\xff"}'), "1 not_utf8"),
    "missing field": ("reviews.json.gz", joined(*GOOD, b'{"reviewerID": "a", "asin": "x"}'), "1 missing_field"),
    "mistyped field": ("reviews.json.gz", joined(*GOOD, dumps(review(1, "x", 1, 1))), "1 mistyped_field"),  # type: ignore[arg-type]
    "rating out of range": ("reviews.json.gz", joined(*GOOD, dumps(review("a", "x", 1, 6))), "1 rating_out_of_range"),
    "metadata as reviews": ("reviews.json.gz", joined(b'{"asin": "x", "category": []}'), "data.metadata"),
    "reviews as metadata": ("meta.json.gz", joined(*GOOD), "data.interactions"),
    "another edition": (
        "reviews.json.gz",
        joined(dumps(review("a", "x", 1, 1, "2023"))),
        "set data.format: amazon_2023",
    ),
    "literals in 2018": ("meta.json.gz", joined(b"{'asin': 'x', 'related': {}}"), "set data.format: amazon_2014"),
    "an array": ("reviews.json.gz", b"[" + b",".join(GOOD) + b"]", "one object a line"),
    "nothing left": ("reviews.json.gz", joined(*GOOD[:3]), "none of 3"),
}


@pytest.mark.parametrize(("name", "content", "words"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_stops_and_leaves_what_was_there(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    settings = raw_2018(tmp_path)
    before = snapshot(prepare(config(tmp_path, **settings), Console(quiet=True)))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        prepare(config(tmp_path, **settings), Console(quiet=True))
    assert words in str(error.value)
    assert error.value.remedy
    assert snapshot(tmp_path / "prepared/shop") == before
    assert visible(tmp_path / "prepared") == ["shop"]


def visible(folder: Path) -> list[str]:
    """What lies in a folder, but for lock files."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_bad_first_run_leaves_nothing(tmp_path: Path) -> None:
    settings = raw_2018(tmp_path) | {"interactions": [tmp_path / "absent.json"]}
    with pytest.raises(DataError, match="No such file"):
        prepare(config(tmp_path, **settings), Console(quiet=True))
    assert not (tmp_path / "prepared/shop").exists()


def test_bad_lines_up_to_the_share_are_skipped_and_counted(tmp_path: Path) -> None:
    settings = raw_2018(tmp_path)
    bad = [b'{"reviewerID": "a', dumps(review("a", "x", 99, 6)), b"\xff"]
    write_lines(settings["interactions"][0], [*bad, *GOOD])
    dataset = run(tmp_path, **settings, max_bad_line_share=0.3)
    source = dataset.manifest["sources"][0]
    assert source["dropped"] == {"malformed": 1, "not_utf8": 1, "rating_out_of_range": 1}
    assert (source["lines"], source["kept"]) == (14, 11)
    assert len(dataset.interactions) == 9


def test_duplicate_metadata_and_metadata_without_reviews(tmp_path: Path) -> None:
    settings = raw_2018(tmp_path)
    records = [
        {"asin": "never bought", "title": "N"},
        {"asin": "x", "title": "first", "price": "call us"},
        {"asin": "x", "title": "second"},
        {"asin": "y", "title": '<span class="a-size-medium"'},
    ]
    write_lines(settings["metadata"][0], list(map(dumps, records)))
    dataset = run(tmp_path, **settings)
    titles = dict(zip(dataset.item_ids, dataset.items["title"], strict=True))
    assert titles == {"x": "first", "y": "", "w": ""}
    assert dataset.manifest["metadata"] == {
        "read": 4,
        "dropped": {"item_not_in_dataset": 1, "repeated_item": 1},
        "kept": 2,
        "fields": {"price_not_understood": 1, "title_without_text": 1},
    }


def test_allow_truncated_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reviews, _ = write_sample(tmp_path, n_users=300, n_items=100, n_reviews=3000)
    reviews.write_bytes(reviews.read_bytes()[: reviews.stat().st_size * 3 // 4])
    (tmp_path / "c.yaml").write_text(
        f"name: shop\nsynthetic: true\ndata:\n  format: amazon_2018\n  interactions: [{reviews}]\n"
        f"  prepared_dir: {tmp_path}/prepared\n  k_core_items: 0\n"
    )
    assert cli.main(["prepare", "--config", str(tmp_path / "c.yaml")]) == DataError.exit_code
    assert "--allow-truncated" in capsys.readouterr().err
    assert (
        cli.main(["prepare", "--config", str(tmp_path / "c.yaml"), "--allow-truncated", "--set", "data.k_core_users=2"])
        == 0
    )
    assert "shop (synthetic)" in capsys.readouterr().out
    dataset = PreparedDataset.load(tmp_path / "prepared/shop")
    source = dataset.manifest["sources"][0]
    assert source["truncated"] is True
    assert 1500 < source["kept"] < 3000
    assert dataset.manifest["config"]["data"]["allow_truncated"] is True


@pytest.mark.parametrize(
    ("raised", "words", "remedy"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "a full disk", "data.prepared_dir"),
        (duckdb.IOException("Could not write: No space left on device"), "a full disk", "data.prepared_dir"),
        # What DuckDB says when it cannot spill.
        (
            duckdb.OutOfMemoryException("failed to offload data block of size 96.0 KiB"),
            "a full disk",
            "free some space",
        ),
        (duckdb.OutOfMemoryException("could not allocate block"), "could not allocate", "data.memory_limit_mb"),
    ],
    ids=["write", "duckdb write", "duckdb spill", "memory"],
)
def test_full_disk_and_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception, words: str, remedy: str
) -> None:
    settings = raw_2018(tmp_path)
    before = snapshot(prepare(config(tmp_path, **settings), Console(quiet=True)))

    def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(dataset_files, "write_items", fail)
    with pytest.raises(DataError, match=words) as error:
        prepare(config(tmp_path, **settings), Console(quiet=True))
    assert remedy in error.value.remedy
    assert snapshot(tmp_path / "prepared/shop") == before
    assert visible(tmp_path / "prepared") == ["shop"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = raw_2018(tmp_path) | {"prepared_dir": tmp_path / "file/prepared"}
    with pytest.raises(DataError, match="a writable folder"):
        prepare(config(tmp_path, **settings), Console(quiet=True))


KILLED = """
import sys, time
from pathlib import Path
from recsys.config import load_config
from recsys.prepare.engine import dataset_files
from recsys.prepare.prepare import prepare

def hang(db, path, *_, **__):
    path.write_bytes(b"half a file")
    print("writing", flush=True)
    time.sleep(60)

dataset_files.write_items = hang
prepare(load_config(sys.argv[1]))
"""


def test_a_kill_leaves_nothing_that_loads_and_the_next_run_cleans_up(tmp_path: Path) -> None:
    settings = raw_2018(tmp_path)
    tree = {"name": "shop", "data": {"prepared_dir": str(tmp_path / "prepared"), "k_core_users": 2, "k_core_items": 2}}
    tree["data"] |= {key: value if key == "format" else list(map(str, value)) for key, value in settings.items()}  # type: ignore[operator]
    (tmp_path / "c.yaml").write_text(json.dumps(tree))
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "c.yaml")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while "writing" not in (line := process.stdout.readline()):
        assert line, "the run ended early"
    with pytest.raises(DataError, match="another one at it"):
        prepare(config(tmp_path, **settings), Console(quiet=True))
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()

    prepared = tmp_path / "prepared"
    assert not (prepared / "shop").exists()
    for leftover in prepared.iterdir():
        with pytest.raises(DataError):
            PreparedDataset.load(leftover)
    dataset = run(tmp_path, **settings)
    assert len(dataset.interactions) == 9
    assert visible(prepared) == ["shop"]


def test_a_previous_dataset_is_there_at_every_moment(tmp_path: Path) -> None:
    settings = raw_2018(tmp_path)
    prepare(config(tmp_path, **settings), Console(quiet=True))
    manifest = tmp_path / "prepared/shop/manifest.json"
    code = (
        "import sys, time\nfrom pathlib import Path\npath = Path(sys.argv[1])\nprint('ready', flush=True)\n"
        "while True:\n    path.read_bytes()\n"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", code, str(manifest)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    assert reader.stderr is not None
    reader.stdout.readline()
    for _ in range(5):
        prepare(config(tmp_path, **settings), Console(quiet=True))
        time.sleep(0.01)
    alive = reader.poll() is None
    reader.kill()
    reader.wait()
    assert alive, reader.stderr.read()
    reader.stdout.close()
    reader.stderr.close()


# folder, reviews, metadata, edition, lines read, (users, items, distinct pairs; None: as many as are reported)
REAL = {
    "beauty": ("beauty_2014_5core", "reviews_Beauty_5", "meta_Beauty", "2014", 198_502, (22_363, 12_101, 198_502)),
    "cds": ("cds_2014_dense", "reviews_CDs_and_Vinyl", "meta_CDs_and_Vinyl", "2014", 107_517, (2_230, 2_672, 107_517)),
    "digital music": ("raw_2014", "reviews_Digital_Music_5", "meta_Digital_Music", "2014", 6_908, (2_490, 382, 6_908)),
    "gift cards": ("raw_2018", "Gift_Cards_5", "meta_Gift_Cards", "2018", 2_972, (458, 148, 2_965)),
    "magazines": (
        "raw_2018",
        "Magazine_Subscriptions_5",
        "meta_Magazine_Subscriptions",
        "2018",
        2_375,
        (348, 157, None),
    ),
    "all beauty": ("raw_2018", "All_Beauty_5", None, "2018", 5_269, (991, 85, None)),
    "fashion": ("raw_2018", "AMAZON_FASHION_5", None, "2018", 3_176, (406, 31, None)),
    "appliances": ("raw_2018", "Appliances_5", None, "2018", 2_277, (47, 48, None)),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(tmp_path: Path, shared_data: Path, name: str) -> None:
    folder, reviews, metadata, edition, lines, counts = REAL[name]
    settings: Settings = {
        "format": f"amazon_{edition}",
        "interactions": [shared_data / folder / f"{reviews}.json.gz"],
        "metadata": [shared_data / folder / f"{metadata}.json.gz"] if metadata else [],
        "k_core_users": 0,
        "k_core_items": 0,
    }
    dataset = run(tmp_path, **settings)
    manifest = dataset.manifest
    assert manifest["sources"][0]["lines"] == manifest["sources"][0]["kept"] == lines
    users, items, interactions = counts
    assert (dataset.n_users, dataset.n_items) == (users, items)
    assert len(dataset.interactions) == (
        interactions or lines - manifest["interactions"]["dropped"]["older_of_same_pair"]
    )
    for text in dataset.items["text"]:
        assert "<span" not in text
        assert "&amp;" not in text


def test_beauty_keeps_its_five_core(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "beauty_2014_5core"
    dataset = run(
        tmp_path,
        format="amazon_2014",
        interactions=[folder / "reviews_Beauty_5.json.gz"],
        metadata=[folder / "meta_Beauty.json.gz"],
        k_core_users=5,
        k_core_items=5,
    )
    counts = dataset.manifest["counts"]
    assert (counts["users"], counts["items"], counts["interactions"]) == (22_363, 12_101, 198_502)
    assert (counts["validation"], counts["test"]) == (22_363, 22_363)
    assert counts["rated"] == 28_798
    share = (dataset.items["title"] != "").mean()
    assert share == pytest.approx(0.999, abs=0.001)
    assert dataset.items["price"].notna().mean() == pytest.approx(0.95, abs=0.01)
    assert (dataset.items["brand"] != "").mean() == pytest.approx(0.83, abs=0.01)


def test_a_real_truncated_file_is_refused(tmp_path: Path, shared_data: Path) -> None:
    path = shared_data / "raw_2014/truncated/reviews_Digital_Music_5.json.gz"
    with pytest.raises(DataError, match="ends in the middle"):
        run(tmp_path, format="amazon_2014", interactions=[path])
    dataset = run(tmp_path, format="amazon_2014", interactions=[path], allow_truncated=True)
    source = dataset.manifest["sources"][0]
    assert source["truncated"] is True
    assert source["kept"] > 0
