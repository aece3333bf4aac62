"""A shop of any size whose best achievable recall is known: files, a config that reads them, and the oracle's figures.

    python benchmarks/shop.py FOLDER --users 10000 --items 5000 --events 100000 [--format parquet] [--nature sequence]
    recsys prepare --config FOLDER/shop.yaml
    python benchmarks/shop.py FOLDER --oracle

Users choose by a mixture: what follows their last item, an item of their tastes at their price level, a popular item,
in repeat-driven shops one of their own again. `benchmarks/shops/` has the parts; docs/scale.md says more.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.shops.files import FORMATS, write_shop
from benchmarks.shops.oracle import write_oracle
from benchmarks.shops.parameters import NATURES, ShopParameters


def parse() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--users", type=int, default=ShopParameters.users)
    parser.add_argument("--items", type=int, default=ShopParameters.items)
    parser.add_argument("--events", type=int, default=ShopParameters.events, help="expected number")
    parser.add_argument("--fewest-events", type=int, default=ShopParameters.fewest_events, help="of one user")
    parser.add_argument("--spread", type=float, default=ShopParameters.spread, help="exponent of popularity by rank")
    parser.add_argument("--nature", choices=NATURES, default="mixed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=FORMATS, default="parquet", help="amazon_2018: raw reviews and metadata")
    parser.add_argument("--base", type=Path, help="config whose model, training and split the shop's config takes")
    parser.add_argument("--oracle", action="store_true", help="measure the oracles on the prepared shop in FOLDER")
    parser.add_argument("--prepared", type=Path, help="the prepared dataset; else FOLDER/prepared/NAME")
    parser.add_argument("--most-users", type=int, default=0, help="that the oracles are measured on; 0: all")
    return parser.parse_args()


def main() -> None:
    """Write a shop, and say what is in it."""
    arguments = parse()
    if arguments.oracle:
        folder = arguments.folder.resolve()
        prepared = arguments.prepared or folder / "prepared" / folder.name
        print(json.dumps(write_oracle(folder, prepared, arguments.most_users), indent=1))
        return
    parameters = ShopParameters(
        users=arguments.users,
        items=arguments.items,
        events=arguments.events,
        fewest_events=arguments.fewest_events,
        spread=arguments.spread,
        seed=arguments.seed,
    ).of_nature(arguments.nature)
    base = yaml.safe_load(arguments.base.read_text("utf8")) if arguments.base else {}
    started = time.perf_counter(), time.process_time()
    path = write_shop(arguments.folder, parameters, arguments.format, base)
    seconds = time.perf_counter() - started[0], time.process_time() - started[1]
    print(f"{path}: {seconds[0]:.0f} s ({seconds[1]:.0f} s of CPU)")


if __name__ == "__main__":
    main()
