"""Train a two-tower model on a prepared dataset and export it as a bundle.

python train.py --config configs/beauty.yaml --set training.epochs=5
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from recsys import cli


def main(argv: Sequence[str] | None = None) -> None:
    """Parse arguments, then train and export."""
    parser = cli.config_parser("Train a two-tower model on a prepared dataset and export it as a bundle.")
    parser.add_argument("--resume", action="store_true", help="go on with the run that was interrupted")
    arguments = parser.parse_args(argv)
    config = cli.read_config(arguments)
    from recsys.train.job import train  # noqa: PLC0415 - TensorFlow loads once arguments and config are known to be good

    train(config, resume=arguments.resume)


if __name__ == "__main__":
    sys.exit(cli.run(main))
