"""What a shop's figures owe to the order of neighbouring events, which files often know no better than by the day.

    python benchmarks/order_swaps.py FOLDER --config configs/beauty.yaml [--probability 0.5] [--set KEY=VALUE ...]

after prepare_data.py. Each user's interactions are walked from the first to the last: with this probability one changes
places with the next, and the walk goes on behind both. Times stay where they are. That happens before the split, so
that training, validation and test have it alike; the dataset so made is prepared, trained and evaluated with the same
settings, and FOLDER/swapped_PROBABILITY_SEED.json has its figures. Probability 0 measures the order as it is.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.quality import figures, run
from recsys.config import Config, load_config
from recsys.core.types import Int64Array
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset


def swapped(users: Int64Array, probability: float, seed: int) -> Int64Array:
    """Which row stands in the place of each, int64 [T].

    Args:
        users: int64 [T], sorted.
        probability: that an interaction changes places with the next one of its user.
        seed: of the draws.
    """
    rows = np.arange(len(users))
    drawn = np.random.default_rng(seed).random(len(users)) < probability
    place = 0
    while place < len(rows) - 1:
        if drawn[place] and users[place] == users[place + 1]:
            rows[[place, place + 1]] = rows[[place + 1, place]]
            place += 1
        place += 1
    return rows


def write_log(dataset: PreparedDataset, path: Path, probability: float, seed: int) -> float:
    """Write the swapped interactions as an event log; the share of neighbours that changed places."""
    events = dataset.interactions
    users = events[c.USER].to_numpy(np.int64)
    rows = swapped(users, probability, seed)
    pd.DataFrame(
        {
            "user_id": dataset.user_ids[users],
            "item_id": dataset.item_ids[events[c.ITEM].to_numpy()[rows]],
            "timestamp": events[c.TIMESTAMP].to_numpy(),
            "rating": events[c.RATING].to_numpy()[rows],
        }
    ).to_parquet(path)
    neighbours = max(int((users[1:] == users[:-1]).sum()), 1)
    return float((rows[:-1] > rows[1:]).sum() / neighbours)


def config_of(config: Config, log: Path, folder: Path) -> dict[str, Any]:
    """The config with the log in the place of its interactions, and all that is made below the folder."""
    dumped = config.model_dump(mode="json", exclude_unset=True)
    catalogue = [entry if isinstance(entry, dict) else {"path": entry} for entry in dumped["data"].get("metadata", [])]
    dumped["data"] |= {
        "format": "events",
        "interactions": [str(log)],
        "metadata": [{"format": config.data.format, **entry} for entry in catalogue],
        "items": "interacted",
        "prepared_dir": str(folder / "prepared"),
    }
    dumped["training"] = dumped.get("training", {}) | {"run_dir": str(folder / "runs")}
    dumped["bundle"] = dumped.get("bundle", {}) | {"dir": str(folder / "bundles")}
    dumped["evaluation"] = dumped.get("evaluation", {}) | {
        "report_dir": str(folder / "reports"),
        "explained_users": 0,
    }
    return dumped


def main() -> None:
    """Make the log, and prepare, train and evaluate what it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--config", required=True)
    parser.add_argument("--probability", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    config = load_config(arguments.config, [*arguments.set, f"seed={arguments.seed}"])
    name = f"swapped_{arguments.probability}_{arguments.seed}"
    folder = (arguments.folder / name).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    dataset = PreparedDataset.load(config.prepared_path)
    share = write_log(dataset, folder / "events.parquet", arguments.probability, arguments.seed)
    path = folder / "shop.yaml"
    path.write_text(yaml.safe_dump(config_of(config, folder / "events.parquet", folder)), "utf8")
    for script in ("prepare_data.py", "train.py", "evaluate.py"):
        run(script, "--config", path)
    found = json.loads((folder / "reports" / config.name / "metrics.json").read_text("utf8"))
    measured = {"probability": arguments.probability, "swapped": round(share, 4), **figures(found)}
    (arguments.folder / f"{name}.json").write_text(json.dumps(measured, indent=1), "utf8")
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
