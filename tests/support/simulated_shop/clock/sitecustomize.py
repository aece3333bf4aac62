"""Moves the time of every Python process that starts with this folder on PYTHONPATH.

The file that SIMULATED_CLOCK names holds the seconds to add to the machine's time; it may change while processes run.
"""

import os
import time

_machine_time = time.time
_file = os.environ.get("SIMULATED_CLOCK")


class _Moved:
    """Seconds to add, read again at most every hundredth of a second."""

    seconds = 0.0
    read_at = float("-inf")

    @classmethod
    def now(cls) -> float:
        ticks = time.monotonic()
        if ticks - cls.read_at > 0.01:
            cls.read_at = ticks
            with open(_file, encoding="ascii") as file:  # noqa: PTH123 - pathlib is slow to import
                text = file.read()
            cls.seconds = float(text) if text else cls.seconds
        return _machine_time() + cls.seconds


if _file:
    time.time = _Moved.now
