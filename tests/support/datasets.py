"""Small prepared datasets for tests, in memory or as files, from a plain list of interactions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.prepare.schema import INTERACTIONS_SCHEMA, ITEMS_SCHEMA, SCHEMA_VERSION, USERS_SCHEMA, Repeats

TRAIN, VALIDATION, TEST = c.SPLITS
Interaction = tuple[int, int, int, float | None, str]
"""User row, item row, timestamp, rating, split."""


def make_dataset(
    interactions: Sequence[Interaction],
    n_users: int,
    n_items: int,
    *,
    name: str = "tiny",
    path: Path = Path("tiny"),
    repeats: Repeats = "latest",
) -> PreparedDataset:
    """A dataset in memory; ids are `user0`, `item0` and so on. Interactions are sorted by user, then time."""
    frame = pd.DataFrame(interactions, columns=[c.USER, c.ITEM, c.TIMESTAMP, c.RATING, c.SPLIT])
    frame = frame.sort_values([c.USER, c.TIMESTAMP], kind="stable", ignore_index=True)
    frame = frame.astype({c.USER: np.int32, c.ITEM: np.int32, c.TIMESTAMP: np.int64, c.RATING: np.float32})
    frame[c.WEIGHT] = np.ones(len(frame), np.float32)
    items = pd.DataFrame(
        {
            c.ITEM: np.arange(n_items, dtype=np.int32),
            c.ITEM_ID: [f"item{row}" for row in range(n_items)],
            **dict.fromkeys((c.TITLE, c.TEXT, c.BRAND, c.DESCRIPTION, c.IMAGE), ""),
            c.CATEGORIES: [[] for _ in range(n_items)],
            c.PRICE: np.full(n_items, np.nan, np.float32),
        }
    ).set_index(c.ITEM)
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "synthetic": True,
        "config": {"data": {"repeats": repeats}},
        "counts": {"users": n_users, "items": n_items, "interactions": len(frame)},
    }
    user_ids = np.array([f"user{row}" for row in range(n_users)], object)
    return PreparedDataset(path, manifest, frame, user_ids, items)


def write_dataset(dataset: PreparedDataset, folder: Path) -> None:
    """Write the files that `PreparedDataset.load` reads."""
    folder.mkdir(parents=True)
    users = pd.DataFrame({c.USER: np.arange(dataset.n_users, dtype=np.int32), c.USER_ID: dataset.user_ids})
    for name, frame, schema in (
        (c.INTERACTIONS_FILE, dataset.interactions, INTERACTIONS_SCHEMA),
        (c.USERS_FILE, users, USERS_SCHEMA),
        (c.ITEMS_FILE, dataset.items.reset_index(), ITEMS_SCHEMA),
    ):
        pq.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False), folder / name)
    (folder / c.MANIFEST_FILE).write_text(json.dumps(dataset.manifest), "utf8")
