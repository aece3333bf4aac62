"""The id of a request, by which its answer and the lines of the log are found together."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterable

HEADER = b"x-request-id"
_random = random.Random()  # asking the system each time would hand the interpreter to the scoring thread
os.register_at_fork(after_in_child=_random.seed)  # or workers, which are forked from one process, would draw the same
_SOUND_ID = re.compile(rb"[\w.:-]{1,128}")


def request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The client's id of the request where it is a sound one, else a new one."""
    for name, value in headers:
        if name == HEADER:
            if _SOUND_ID.fullmatch(value):
                return value.decode("ascii")
            break
    return f"{_random.getrandbits(96):024x}"
