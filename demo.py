"""From synthetic raw reviews to recommendations over HTTP: `recsys demo` in a checkout."""

import sys

from recsys.cli import main

if __name__ == "__main__":
    sys.exit(main(["demo", *sys.argv[1:]]))
