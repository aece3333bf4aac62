"""What commands say to programs, with --json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def print_json(said: Mapping[str, Any]) -> None:
    """One line on stdout, at once: whoever reads it may be waiting."""
    print(json.dumps(said), flush=True)
