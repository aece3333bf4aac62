"""Raw review files or event logs to a prepared dataset.

python prepare_data.py --config configs/sample.yaml [--set data.k_core_users=3 ...] [--allow-truncated]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from recsys import cli
from recsys.prepare.prepare import prepare


def main(argv: Sequence[str] | None = None) -> None:
    """Parse arguments, then prepare."""
    parser = cli.config_parser("Turn raw review files or event logs into a prepared dataset.")
    parser.add_argument("--allow-truncated", action="store_true", help="read what a cut-off gzip file holds")
    arguments = parser.parse_args(argv)
    if arguments.allow_truncated:
        arguments.overrides.append("data.allow_truncated=true")
    prepare(cli.read_config(arguments))


if __name__ == "__main__":
    sys.exit(cli.run(main))
