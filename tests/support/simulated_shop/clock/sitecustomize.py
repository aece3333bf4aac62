"""Moves the time of every Python process that starts with this folder on PYTHONPATH.

The file that SIMULATED_CLOCK names holds the seconds to add to the machine's time; it may change while processes run.
"""

import os
import time

_machine_time = time.time
_file = os.environ.get("SIMULATED_CLOCK")


def _moved() -> float:
    """Read anew whenever it is asked for: who moves the clock sees no process that still goes by the time of before."""
    with open(_file, encoding="ascii") as file:  # noqa: PTH123 - pathlib is slow to import
        return _machine_time() + float(file.read())


if _file:
    time.time = _moved
