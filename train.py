"""A prepared dataset to a bundle: `recsys train` in a checkout."""

import sys

from recsys.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
