"""A prepared dataset without the items that nobody chose before the test split, to be added live to a bundle of it.

    python benchmarks/without_new_items.py data/prepared/beauty_cold data/prepared/beauty_warm

Users and their rows stay. `benchmarks/live_items.py recall` says how such items do that a bundle trained without them
gets live.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path[0] = str(ROOT)

from recsys.prepare import columns as c  # noqa: E402


def write_without_new(source: Path, target: Path) -> int:
    """Write the dataset in `source` without items of the test split alone to the new folder `target`; how many."""
    interactions, items = pq.read_table(source / c.INTERACTIONS_FILE), pq.read_table(source / c.ITEMS_FILE)
    of_item, of_test = interactions[c.ITEM].to_numpy(), interactions[c.SPLIT].to_numpy() == c.TEST
    kept = np.ones(items.num_rows, np.bool_)
    kept[of_item[of_test]] = False
    kept[of_item[~of_test]] = True
    rows = (np.cumsum(kept) - 1).astype(np.int32)
    target.mkdir(parents=True)
    left = interactions.filter(pa.array(kept[of_item]))
    _write(left, rows[left[c.ITEM].to_numpy()], target / c.INTERACTIONS_FILE)
    _write(items.filter(pa.array(kept)), np.arange(kept.sum()), target / c.ITEMS_FILE)
    shutil.copyfile(source / c.USERS_FILE, target / c.USERS_FILE)
    manifest = json.loads((source / c.MANIFEST_FILE).read_text("utf8"))
    splits = left[c.SPLIT].to_numpy()
    counts = {split: int((splits == split).sum()) for split in (c.TRAIN, c.VALIDATION, c.TEST)}
    manifest["counts"].update(items=int(kept.sum()), interactions=left.num_rows, **counts)
    manifest["name"] = manifest["config"]["name"] = target.name
    manifest.pop("cold_items", None)
    files = (target / name for name in (c.INTERACTIONS_FILE, c.ITEMS_FILE, c.USERS_FILE))
    manifest["files"] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    (target / c.MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n", "utf8")
    return int((~kept).sum())


def _write(table: pa.Table, rows: np.ndarray, path: Path) -> None:
    """Write a table with other item rows."""
    place = table.schema.get_field_index(c.ITEM)
    pq.write_table(
        table.set_column(place, table.schema.field(place), pa.array(rows, table.schema.field(place).type)), path
    )


def main() -> None:
    """Write the dataset."""
    parser = argparse.ArgumentParser(description="A prepared dataset without the items of its test split alone.")
    parser.add_argument("source", type=Path, help="folder of a prepared dataset")
    parser.add_argument("target", type=Path, help="folder that does not exist yet; its name becomes the dataset's")
    arguments = parser.parse_args()
    print(f"{write_without_new(arguments.source, arguments.target):,} items left out")


if __name__ == "__main__":
    main()
