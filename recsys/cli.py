"""What the command-line programs share: the options every one has, and how each ends."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from recsys.config import Config, load_config
from recsys.core.errors import RecsysError

INTERRUPTED = 128 + 2  # what a shell reports for a program ended by SIGINT


def config_parser(description: str) -> argparse.ArgumentParser:
    """A parser with `--config` and `--set`; the program adds its own options."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, metavar="FILE", help="YAML config; see configs/ for examples")
    parser.add_argument(
        "--set",
        dest="overrides",
        action="extend",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="override keys of the config, for example --set training.epochs=3 seed=1",
    )
    return parser


def read_config(arguments: argparse.Namespace) -> Config:
    """The config that parsed arguments name, with its overrides.

    Raises:
        ConfigError: see `recsys.config.load_config`.
    """
    return load_config(arguments.config, arguments.overrides)


def run(main: Callable[[Sequence[str] | None], None], argv: Sequence[str] | None = None) -> int:
    """Call `main(argv)` and return the exit code of the program.

    A `RecsysError` is the user's to mend: its message goes to stderr without a traceback, and its
    `exit_code` is returned. Any other exception is a bug and keeps its traceback.
    """
    try:
        main(argv)
    except RecsysError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    return 0
