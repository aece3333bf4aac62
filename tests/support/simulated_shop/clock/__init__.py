"""A clock that tests move."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from recsys.core.events import SECONDS_PER_DAY
from tests.support.simulated_shop.shop import OPENS


@dataclass(frozen=True)
class MovedClock:
    """The time of processes that are started with `variables`: tests say what day it is."""

    file: Path

    def set(self, day: float) -> None:
        """Let it be that many days after the shop's opening; time goes on from there."""
        whole = self.file.with_suffix(".next")
        whole.write_text(repr(OPENS + day * SECONDS_PER_DAY - time.time()), "ascii")
        whole.replace(self.file)

    def now(self) -> float:
        """Seconds since 1970 as those processes see it."""
        return time.time() + float(self.file.read_text("ascii"))

    @property
    def variables(self) -> dict[str, str]:
        """Of the environment of the processes."""
        paths = str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")
        return {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "SIMULATED_CLOCK": str(self.file)}
