"""Raw review files or event logs to a prepared dataset.

python prepare_data.py --config configs/sample.yaml [--set data.k_core_users=3 ...] [--allow-truncated]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from recsys.config import load_config
from recsys.dataset.prepare import prepare
from recsys.errors import RecsysError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Turn raw review files or event logs into a prepared dataset.")
    parser.add_argument("--config", type=Path, required=True, help="a YAML file; see configs/")
    parser.add_argument("--set", dest="overrides", metavar="KEY=VALUE", nargs="+", action="extend", default=[])
    parser.add_argument("--allow-truncated", action="store_true", help="read what a cut-off gzip file holds")
    args = parser.parse_args(arguments)
    overrides = [*args.overrides, *(["data.allow_truncated=true"] if args.allow_truncated else [])]
    try:
        prepare(load_config(args.config, overrides))
    except RecsysError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
