"""How time, memory and quality grow with a shop: every stage on generated shops of 10^5 to 10^8 events.

`cds`: the size of the full CDs and Vinyl of 2018, in their format, with the settings of configs/cds_and_vinyl.yaml.

    python benchmarks/scale.py --sizes 1e5 1e6 [--commands generate prepare oracle train evaluate serve] [--epochs 1]
    python benchmarks/scale.py --table

Each command runs in a process of its own; the seconds, the CPU seconds and the peak of memory (of all its processes)
of each stage that it announces go into docs/figures/scale.json, where a later run finds what there is. A training that
was stopped goes on, and its seconds count together; --again starts it anew. `--table` writes the tables into
docs/scale.md. Shops lie in --dir, where --remove deletes a size's files when its commands are done.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.serve_process import running_server
from benchmarks.shops.oracle import ORACLE_FILE
from benchmarks.shops.scale_tables import COMMANDS, tables
from benchmarks.shops.stages import FAILED, STOPPED, Stage, added, measure, python

ROOT = Path(__file__).resolve().parents[1]
RESULTS, PAGE = ROOT / "docs/figures/scale.json", ROOT / "docs/scale.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
CDS = "cds"
SIZES = ("1e5", "1e6", CDS, "1e7", "1e8")
CDS_SHAPE = (1_940_000, 480_000, 4_500_000)
CDS_LIKE = ("--spread", "1.0", "--format", "amazon_2018", "--base", "configs/cds_and_vinyl.yaml")
EVENTS_OF_A_USER, ITEMS, ITEMS_EXPONENT = 12, 5_000, 0.767  # items at 10^5 events, and how they grow with the events
ORACLE_USERS = 5_000


def shape(size: str) -> tuple[int, int, int]:
    """Users, items and events of a size: a million items at 10^8 events."""
    if size == CDS:
        return CDS_SHAPE
    events = int(float(size))
    return events // EVENTS_OF_A_USER, 100 * round(ITEMS * (events / 1e5) ** ITEMS_EXPONENT / 100), events


def command_of(name: str, folder: Path, size: str, arguments: argparse.Namespace) -> list[str | Path]:
    """What is run, `generate` to `evaluate`."""
    config = ("--config", folder / "shop.yaml")
    overrides = [f"data.memory_limit_mb={arguments.memory_limit_mb}"]
    if arguments.epochs:
        overrides.append(f"training.epochs={arguments.epochs}")
    if name == "generate":
        users, items, events = map(str, shape(size))
        like = CDS_LIKE if size == CDS else ("--fewest-events", "5", "--format", "parquet")
        return python("benchmarks/shop.py", folder, "--users", users, "--items", items, "--events", events, *like)
    if name == "oracle":
        return python("benchmarks/shop.py", folder, "--oracle", "--most-users", str(ORACLE_USERS))
    script = {"prepare": "prepare_data.py", "train": "train.py", "evaluate": "evaluate.py"}[name]
    return python(script, *config, "--set", *overrides, *arguments.set)


def run(
    name: str, folder: Path, size: str, arguments: argparse.Namespace, stopped: list[Stage] | None
) -> tuple[str, list[Stage]]:
    """Run one command, or go on with one that was `stopped`; what was run in words, and its stages."""
    if name == "serve":
        return "recsys serve", [_served(folder)]
    command = command_of(name, folder, size, arguments)
    log = folder.parent / f"{folder.name}_{name}.log"
    words = " ".join(map(str, command[1:])).replace(str(folder.parent), "DIR")
    first = {"prepare": "Prepare", "generate": "Generate", "oracle": "Measure the oracles"}.get(name, "Start")
    if stopped is None:
        return words, measure(first, command, log)
    return words, added(stopped, measure(first, [*command, "--resume"], log))


def _served(folder: Path) -> Stage:
    """How long a server takes until it answers, and what it holds then."""
    bundle = folder / "saved_model" / folder.name
    with (
        tempfile.TemporaryDirectory() as store,
        running_server(bundle, f"sqlite:///{store}/store.sqlite") as server,
    ):
        resident = round(server.memory().resident)
        cpu = round(server.cpu_s(), 1)
        return {
            "stage": "Start a server",
            "seconds": round(server.ready_s, 1),
            "cpu_s": cpu,
            "peak_mb": resident,
            "note": "",
        }


def quality(folder: Path) -> dict[str, Any]:
    """What the system reaches on the test choices, beside what can be reached."""
    found: dict[str, Any] = {}
    oracle = json.loads((folder / ORACLE_FILE).read_text("utf8"))
    for who in ("knowing", "inferring"):
        found[who] = {name: round(oracle[who][name], 4) for name in ("recall@10", "ndcg@10")}
    report = folder / "reports" / folder.name / "metrics.json"
    if report.exists():
        systems = json.loads(report.read_text("utf8"))["ranking"]["seen_removed"]["systems"]
        for name in ("system", "two_tower_exact", "blend", "popularity"):
            if name in systems:
                figures = systems[name].get("metrics", systems[name])
                found[name] = {metric: round(_mean(figures[metric]), 4) for metric in ("recall@10", "ndcg@10")}
    return found


def _mean(figure: Any) -> float:
    return float(figure["mean"] if isinstance(figure, dict) else figure)


def results() -> dict[str, Any]:
    """What was measured so far, by size; another run may be measuring another size."""
    found: dict[str, Any] = json.loads(RESULTS.read_text("utf8")) if RESULTS.exists() else {}
    return found


def main() -> None:
    """Run what is missing, and keep each result as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=SIZES[:1])
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=COMMANDS)
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()) / "recsys-benchmark-scale")
    parser.add_argument("--epochs", type=int, default=0, help="of the training; 0: those of the config")
    parser.add_argument("--memory-limit-mb", type=int, default=2000, help="of the preparation")
    parser.add_argument("--set", nargs="*", default=[], help="further settings of the commands")
    parser.add_argument("--again", action="store_true", help="measure what has been measured")
    parser.add_argument("--remove", action="store_true", help="delete the files of a size when it is done")
    parser.add_argument("--table", action="store_true", help="write the tables of what was measured into the page")
    arguments = parser.parse_args()
    if arguments.table:
        before, _, rest = PAGE.read_text("utf8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{tables(results())}\n\n{END}{rest.partition(END)[2]}", "utf8")
        return
    for size in arguments.sizes:
        folder = (arguments.dir / f"shop_{size}").resolve()
        folder.mkdir(parents=True, exist_ok=True)
        entry = results().get(size, {"shape": shape(size), "commands": {}})
        for name in arguments.commands:
            done = None if arguments.again else entry["commands"].get(name)
            if done and not done["stages"][-1]["note"].startswith((FAILED, STOPPED)):
                continue
            stopped = done["stages"] if done and name == "train" else None
            words, stages = run(name, folder, size, arguments, stopped)
            when = datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%d")
            entry["commands"][name] = {
                "command": words,
                "date": when,
                "epochs": arguments.epochs,
                "stages": stages,
            }
            if name in ("oracle", "evaluate") and not stages[-1]["note"]:
                entry["quality"] = quality(folder)
            RESULTS.write_text(json.dumps(results() | {size: entry}, indent=1) + "\n", "utf8")
            for stage in stages:
                print(f"{size} {name}: {stage}", flush=True)
            if stages[-1]["note"]:
                break
        if arguments.remove:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
