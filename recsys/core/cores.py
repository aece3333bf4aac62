"""How many cores there are for this process."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Those that it may run on, at least one; a container's share of a core is not told."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
