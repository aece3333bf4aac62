"""Inputs behind URLs, and the copy of a dataset that goes to one; fsspec's files in memory stand in for a store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from recsys.config import parse_config
from recsys.core.errors import ConfigError, DataError
from recsys.prepare.input_files import find_files
from recsys.prepare.prepare import prepare
from recsys.prepare.raw.remote import RemoteFile

ROWS = [
    (f"u{user}", f"i{item}", "view", 1_600_000_000 + 86_400 * user + item) for user in range(4) for item in range(4)
]
NAMES = ("user_id", "item_id", "event_type", "timestamp")


@pytest.fixture
def store() -> Iterator[Any]:
    files = fsspec.filesystem("memory")
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


def write_csv(path: Path, rows: list[tuple[str, str, str, int]]) -> Path:
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in [NAMES, *rows]))
    return path


def write_logs(folder: Path) -> list[Path]:
    columns = map(list, zip(*ROWS[8:], strict=True))
    pq.write_table(pa.table(dict(zip(NAMES, columns, strict=True))), folder / "b.parquet")
    return [write_csv(folder / "a.csv", ROWS[:8]), folder / "b.parquet"]


def dataset(folder: Path, interactions: list[object], **data: Any) -> Path:
    settings = {"prepared_dir": folder, "k_core_users": 0, "k_core_items": 0, **data}
    settings |= {"format": "events", "interactions": interactions}
    return prepare(parse_config({"name": "shop", "data": settings}, "the test"), Console(quiet=True))


def test_files_behind_urls_are_read_as_those_of_a_disk(tmp_path: Path, store: Any) -> None:
    logs = write_logs(tmp_path)
    (tmp_path / "items.jsonl").write_text('{"item_id": "i1", "title": "One"}\n')
    for path in (*logs, tmp_path / "items.jsonl"):
        store.pipe(f"/bucket/{path.name}", path.read_bytes())
    here = dataset(tmp_path / "here", list(logs), metadata=[tmp_path / "items.jsonl"])
    for urls in (["memory://bucket/a.csv", "memory://bucket/b.parquet"], ["memory://bucket/*.*[vt]"]):
        there = dataset(tmp_path / "there", urls, metadata=["memory://bucket/items.jsonl"])
        for name in ("interactions.parquet", "users.parquet", "items.parquet"):
            assert (there / name).read_bytes() == (here / name).read_bytes()
        sources = [json.loads((folder / "manifest.json").read_text())["sources"] for folder in (here, there)]
        assert [source.pop("path") for source in sources[1]] == [
            f"memory://bucket/{name}" for name in ("a.csv", "b.parquet", "items.jsonl")
        ]
        assert [{**source, "path": None} for source in sources[0]] == [
            {**source, "path": None} for source in sources[1]
        ]


def test_a_folder_stands_for_the_files_right_in_it_each_once(store: Any) -> None:
    for name in ("a.csv", "b.csv", "deeper/c.csv", "_SUCCESS"):
        store.pipe(f"/bucket/{name}", b"x")
    store.pipe("/bucket/empty.csv", b"")
    found = find_files([Path("memory://bucket"), Path("memory://bucket/a.csv")], "data.interactions")
    assert found.paths == [(RemoteFile("memory://bucket/a.csv"), 0), (RemoteFile("memory://bucket/b.csv"), 0)]
    assert found.notes == [
        "1 passed over at memory://bucket (hidden or markers): _SUCCESS.",
        "1 empty, not read: empty.csv.",
        "1 named more than once at data.interactions, read once: a.csv.",
    ]


@pytest.mark.parametrize(
    ("url", "got"),
    [
        ("memory://nowhere/*.csv", "Got none"),
        ("memory://nowhere/a.csv", "Got no such file or folder"),
        ("nosuch://bucket/a.csv", "download it and name the file"),
    ],
)
def test_what_cannot_be_found_is_refused_with_its_url(tmp_path: Path, url: str, got: str) -> None:
    with pytest.raises(DataError) as refusal:
        dataset(tmp_path, [url])
    assert url.partition(":")[0] in str(refusal.value)
    assert got in str(refusal.value)


class NoCredentialsError(Exception):
    """As the packages of stores raise: of no kind that Python knows."""


def test_a_store_that_lets_nobody_in_is_told_with_what_to_do(
    tmp_path: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise NoCredentialsError("Unable to locate credentials")

    monkeypatch.setattr(store, "ls", refuse)
    monkeypatch.setattr(store, "makedirs", refuse)
    for options in (
        {"interactions": ["memory://bucket/a.csv"]},
        {"interactions": list(write_logs(tmp_path)), "upload_to": "memory://bucket/prepared"},
    ):
        with pytest.raises(DataError, match="Unable to locate credentials") as refusal:
            dataset(tmp_path / "prepared", **options)
        assert "check the URL" in str(refusal.value)


def test_a_password_in_a_url_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="without a password") as refusal:
        dataset(tmp_path, ["ftp://me:geheim@host/a.csv"])
    assert "geheim" not in str(refusal.value)
    with pytest.raises(ConfigError, match="no passwords in URLs") as refused:
        dataset(tmp_path, [tmp_path / "log.csv"], upload_to="ftp://me:geheim@host/prepared")
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("name", ["spark.hadoop.fs.s3a.secret.key", "spark.hadoop.fs.azure.account.key.shop"])
def test_a_secret_of_spark_comes_into_no_manifest(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=name) as refusal:
        dataset(tmp_path, [tmp_path / "log.csv"], spark_options={"spark.master": "local", name: "geheim"})
    assert "geheim" not in str(refusal.value)


def test_a_file_that_changes_while_it_is_read_stops_the_run(store: Any) -> None:
    store.pipe("/bucket/a.csv", b"x")
    (path,) = (path for path, _ in find_files([Path("memory://bucket/a.csv")], "data.interactions").paths)
    assert isinstance(path, RemoteFile)
    before = path.state
    assert path.state == before
    store.pipe("/bucket/a.csv", b"xy")
    assert path.state != before


def test_a_copy_of_the_dataset_goes_to_a_url_with_its_manifest_last(
    tmp_path: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[tuple[str, str]] = []
    put, remove = store.put_file, store.rm_file
    monkeypatch.setattr(store, "put_file", lambda a, b: (events.append(("put", Path(b).name)), put(a, b)))
    monkeypatch.setattr(store, "rm_file", lambda a: (events.append(("remove", Path(a).name)), remove(a)))
    logs = write_logs(tmp_path)
    for _ in range(2):
        events.clear()
        folder = dataset(tmp_path / "prepared", list(logs), upload_to="memory://bucket/prepared/")
    assert events[0] == ("remove", "manifest.json")
    assert events[-1] == ("put", "manifest.json")
    copied = {Path(name).name: store.cat_file(name) for name in store.ls("/bucket/prepared/shop", detail=False)}
    assert copied == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_place_that_nothing_knows_is_told_after_the_dataset_is_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="upload_to"):
        dataset(tmp_path / "prepared", list(write_logs(tmp_path)), upload_to="nosuch://bucket")
    assert (tmp_path / "prepared/shop/manifest.json").exists()
