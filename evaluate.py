"""A bundle to a report: `recsys evaluate` in a checkout."""

import sys

from recsys.cli import main

if __name__ == "__main__":
    sys.exit(main(["evaluate", *sys.argv[1:]]))
