"""The whole system against its own parts on every data set at hand: one table, user by user.

    python benchmarks/quality.py --data DIR [--names digital_music sequence] [--seeds 0] [--movielens DIR]
    python benchmarks/quality.py --table

`--data` holds the Amazon files, a folder for each collection (docs/data-formats.md says where they come from); what has
a config of its own is read by it, the other categories by what `recsys inspect` proposes, and four generated shops of
different nature come from `benchmarks/shop.py`. Each is prepared, trained and evaluated on test once for each seed;
figures go into docs/figures/quality.json, where a later run finds what there is, and `--table` writes the table into
docs/results.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.shops.quality_table import table

ROOT = Path(__file__).resolve().parents[1]
RESULTS, PAGE = ROOT / "docs/figures/quality.json", ROOT / "docs/results.md"
BEGIN, END = "<!-- quality: begin -->", "<!-- quality: end -->"


@dataclass(frozen=True)
class DataSet:
    """What is trained on.

    Attributes:
        config: of the repository that reads it; empty: what `recsys inspect` proposes.
        files: interactions and, where there is one, the catalogue, below `--data`.
    """

    config: str
    files: tuple[str, ...]


SETS = {
    "beauty": DataSet(
        "beauty", ("beauty_2014_5core/reviews_Beauty_5.json.gz", "beauty_2014_5core/meta_Beauty.json.gz")
    ),
    "cds_dense": DataSet(
        "cds_dense", ("cds_2014_dense/reviews_CDs_and_Vinyl.json.gz", "cds_2014_dense/meta_CDs_and_Vinyl.json.gz")
    ),
    "movielens_1m": DataSet("movielens_1m", ("ml-1m.inter", "ml-1m.item")),
    "digital_music": DataSet(
        "digital_music", ("raw_2014/reviews_Digital_Music_5.json.gz", "raw_2014/meta_Digital_Music.json.gz")
    ),
    "gift_cards": DataSet("gift_cards", ("raw_2018/Gift_Cards_5.json.gz", "raw_2018/meta_Gift_Cards.json.gz")),
    "magazine_subscriptions": DataSet(
        "", ("raw_2018/Magazine_Subscriptions_5.json.gz", "raw_2018/meta_Magazine_Subscriptions.json.gz")
    ),
    "all_beauty": DataSet("", ("raw_2018/All_Beauty_5.json.gz",)),
    "amazon_fashion": DataSet("", ("raw_2018/AMAZON_FASHION_5.json.gz",)),
    "appliances": DataSet("", ("raw_2018/Appliances_5.json.gz",)),
}
SHOPS = ("sequence", "taste", "text", "repeat")
SHOP_SIZE = ("--users", "4000", "--items", "2000", "--events", "50000", "--fewest-events", "5")


def run(*command: str | Path) -> None:
    """Run a script of the repository with this interpreter; its output goes on."""
    subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, check=True)


def config_of(name: str, arguments: argparse.Namespace, folder: Path) -> Path:
    """The config that reads a data set; what it follows from is made if it is not there."""
    if name in SHOPS:
        if not (folder / "shop.yaml").exists():
            run("benchmarks/shop.py", folder, *SHOP_SIZE, "--nature", name)
        return folder / "shop.yaml"
    chosen = SETS[name]
    if chosen.config:
        return ROOT / "configs" / f"{chosen.config}.yaml"
    path = folder / f"{name}.yaml"
    if not path.exists():
        run("-m", "recsys", "inspect", *(arguments.data / file for file in chosen.files), "--output", path)
    return path


def settings_of(name: str, arguments: argparse.Namespace, folder: Path, seed: int) -> list[str]:
    """Overrides: where the files lie, where what is made goes, and the seed."""
    settings = [
        f"name={name}",
        f"seed={seed}",
        f"data.prepared_dir={folder}/prepared",
        f"text.cache_dir={folder}/text_cache",
        f"training.run_dir={folder}/runs_{seed}",
        f"bundle.dir={folder}/bundles_{seed}",
        f"evaluation.report_dir={folder}/reports_{seed}",
        "evaluation.explained_users=0",
    ]
    if name in SETS and SETS[name].config:
        base = arguments.movielens if name == "movielens_1m" else arguments.data
        files = [str(base / file) for file in SETS[name].files]
        settings += [f"data.interactions=[{files[0]}]", f"data.metadata=[{files[1]}]"]
    return settings


def measure(name: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Prepare, train and evaluate one data set; what came of it."""
    folder = (arguments.dir / name).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    config = config_of(name, arguments, folder)
    settings = ("--config", config, "--set", *settings_of(name, arguments, folder, seed), *arguments.set)
    seconds = {}
    for script in ("prepare_data.py", "train.py", "evaluate.py"):
        if script == "prepare_data.py" and (folder / "prepared" / name / "manifest.json").exists():
            continue  # the same for every seed
        started = time.monotonic()
        run(script, *settings)
        seconds[script.removesuffix(".py")] = round(time.monotonic() - started, 1)
    found = json.loads((folder / f"reports_{seed}" / name / "metrics.json").read_text("utf8"))
    return {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "seconds": seconds, "set": arguments.set, **figures(found)}


def figures(found: dict[str, Any]) -> dict[str, Any]:
    """What the table needs of a metrics.json."""
    protocol, best = found["protocol"], found["best_baseline"]
    k = protocol["main_cutoff"]
    metrics = (f"ndcg@{k}", f"recall@{k}")
    systems = found["ranking"][protocol["headline_protocol"]]["systems"]
    order = (found["run"]["bundle"]["metrics"].get("ranker") or {}).get("order") or {}
    wanted = dict.fromkeys(("two_tower_exact", "hybrid", "blend", best["single"] if best else None))
    rivals = [name for name in wanted if name in systems]
    return {
        "users": protocol["users"],
        "items": protocol["catalogue"],
        "interactions": found["run"]["dataset"].get("counts", {}).get("interactions"),
        "order": order.get("served"),
        "single": best["single"] if best else None,
        "systems": {
            name: {metric: systems[name]["metrics"][metric]["mean"] for metric in metrics}
            for name in ("system", *rivals)
        },
        "margins": {
            row["other"]: {end: row[end] for end in ("mean", "low", "high")}
            for row in found["comparisons"]
            if row["system"] == "system" and row["other"] in rivals and row["metric"] == metrics[0]
        },
    }


def results() -> dict[str, Any]:
    """What was measured so far: name -> seed -> figures."""
    found: dict[str, Any] = json.loads(RESULTS.read_text("utf8")) if RESULTS.exists() else {}
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is missing, and keep each result as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "data/raw", help="of the Amazon files")
    parser.add_argument(
        "--movielens", type=Path, default=ROOT / "data/raw/movielens_1m", help="of ml-1m.inter and .item"
    )
    parser.add_argument("--names", nargs="+", choices=(*SETS, *SHOPS), default=(*SETS, *SHOPS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()) / "recsys-benchmark-quality")
    parser.add_argument("--set", nargs="*", default=[], help="further settings, told beside the figures")
    parser.add_argument("--again", action="store_true", help="measure what has been measured")
    parser.add_argument("--table", action="store_true", help="write the table of what was measured into the page")
    options = parser.parse_args(arguments)
    if options.table:
        before, _, rest = PAGE.read_text("utf8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{table(results())}\n\n{END}{rest.partition(END)[2]}", "utf8")
        return
    options.data, options.movielens = options.data.resolve(), options.movielens.resolve()
    for name in options.names:
        for seed in map(str, options.seeds):
            if options.again or seed not in results().get(name, {}):
                measured = measure(name, int(seed), options)
                kept = results()
                kept[name] = kept.get(name, {}) | {seed: measured}
                RESULTS.write_text(json.dumps(kept, indent=1) + "\n", "utf8")
                print(f"{name}, seed {seed}: {json.dumps(measured)}", flush=True)


if __name__ == "__main__":
    main()
