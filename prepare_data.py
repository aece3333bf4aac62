"""Raw review files or event logs to a prepared dataset: `recsys prepare` in a checkout."""

import sys

from recsys.cli import main

if __name__ == "__main__":
    sys.exit(main(["prepare", *sys.argv[1:]]))
