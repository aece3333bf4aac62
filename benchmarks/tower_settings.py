r"""Validation NDCG@10 of the two-tower alone with other settings, on several datasets and seeds.

    python benchmarks/tower_settings.py FOLDER --config configs/beauty.yaml [--config ...] [--seeds 0 1] \
        --variant model.dim=64 --variant "model.dim=128 model.item_id_init=svd" [--set KEY=VALUE ...]

after prepare_data.py. Each fit leaves FOLDER/DATASET_VARIANT_SEED.json, and one that is there is not done again. The
figure is of the best epoch, before the text match is weighed. A variant of `-` is the config as it is, with the
settings that follow from the data (recsys/data_defaults.py), whose rules rest on such runs: docs/experiments.md.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported
from recsys.config import Config, load_config
from recsys.core.progress import Steps
from recsys.data_defaults import with_data_defaults
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.text import encode_items
from recsys.train.distribution import Cluster
from recsys.train.run_folder import RunFolder
from recsys.train.steps.fit_towers import TowerFitting

AS_IT_IS = "-"


def fit(config: Config, path: Path, console: Console) -> None:
    """Train the two-tower and write NDCG@10 and epoch of the best, and the CPU seconds of all epochs."""
    with Steps(console, (path.stem,)).step(path.stem) as step:
        dataset = PreparedDataset.load(config.prepared_path)
        config = with_data_defaults(config, dataset)
        text = encode_items(dataset.items[c.TEXT].tolist(), config.text, console)
        started = time.process_time()
        state = TowerFitting(text, config, False, RunFolder(config.run_path), Cluster()).fit(dataset, step).state
        figures = {
            "ndcg": state.best,
            "best_epoch": state.best_epoch,
            "epochs": state.epoch,
            "cpu_seconds": round(time.process_time() - started, 1),
        }
    path.write_text(json.dumps(figures), "utf8")


def cell(paths: list[Path]) -> str:
    """Mean over seeds, each seed, epochs of the best and CPU seconds."""
    runs = [json.loads(path.read_text("utf8")) for path in paths]
    each = " ".join(f"{run['ndcg'] or 0:.4f}" for run in runs)
    epochs = ", ".join(f"{run['best_epoch']}" for run in runs)
    seconds = fmean(run["cpu_seconds"] for run in runs)
    return f"{fmean(run['ndcg'] or 0 for run in runs):.4f} ({each}; epoch {epochs}; {seconds:.0f} s)"


def main() -> int:
    """Fit what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--config", required=True, action="append", help="once for each dataset")
    parser.add_argument("--variant", required=True, action="append", help=f"KEY=VALUE ..., or {AS_IT_IS}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    console = Console(soft_wrap=True)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    table = Table(title="Validation NDCG@10: mean of seeds (each; best epoch; CPU)")
    table.add_column("variant")
    rows = {variant: [variant] for variant in arguments.variant}
    for path in arguments.config:
        for variant, row in rows.items():
            results = []
            for seed in arguments.seeds:
                own = [] if variant == AS_IT_IS else variant.split()
                settings = [*arguments.set, *own, f"seed={seed}", f"training.run_dir={arguments.folder / 'runs'}"]
                config = load_config(path, settings)
                if not table.columns[1:] or str(table.columns[-1].header) != config.name:
                    table.add_column(config.name)
                name = re.sub(r"[^\w.=,-]+", "_", variant)
                results.append(arguments.folder / f"{config.name}_{name}_{seed}.json")
                if not results[-1].exists():
                    fit(config, results[-1], console)
            row.append(cell(results))
    for row in rows.values():
        table.add_row(*row)
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
