"""Interactions that are sorted in parts are the file that sorting all of them at once gives."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from recsys.prepare.engine import dataset_files


@pytest.mark.parametrize("at_once", [1, 7, 250, 1000])
def test_parts_give_the_bytes_of_the_whole(at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db = duckdb.connect()
    db.execute(
        """
        CREATE TABLE interactions AS
        SELECT CAST(hash(n) % 40 AS INTEGER) AS "user", CAST(n % 13 AS INTEGER) AS item,
               CAST(n % 50 AS BIGINT) AS timestamp, NULL::FLOAT AS rating,
               1::FLOAT AS weight, n AS seq, 'train' AS split
        FROM range(1000) AS numbers(n)
        """
    )
    db.execute('CREATE TABLE users AS SELECT CAST(n AS INTEGER) AS "user" FROM range(40) AS numbers(n)')
    monkeypatch.setattr(dataset_files, "ROW_GROUP", 64)
    dataset_files.write_interactions(db, tmp_path / "whole.parquet", with_purchases=False)
    monkeypatch.setattr(dataset_files, "SORTED_AT_ONCE", at_once)
    dataset_files.write_interactions(db, tmp_path / "parts.parquet", with_purchases=False)
    assert (tmp_path / "parts.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
