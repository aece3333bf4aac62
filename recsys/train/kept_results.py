"""What a step of a run found, kept in the run's folder, so that a run which goes on does not search for it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.core.disk import write_whole


class KeptResults:
    """Results by name, each good for what it came from and nothing else.

    A file that cannot be read, or that holds results of other data, settings or versions of the program, holds nothing.
    """

    def __init__(self, path: Path, came_from: Mapping[str, Any]) -> None:
        """Read what is there.

        Args:
            path: of a JSON file in an existing folder; it need not be there.
            came_from: all that the results depend on, as JSON has it.
        """
        self._path = path
        text = json.dumps(came_from, sort_keys=True, default=str)
        self._fingerprint = hashlib.sha256(text.encode()).hexdigest()
        self._results: dict[str, Any] = self._read()

    def found(self, name: str) -> Any:
        """The result, or None."""
        return self._results.get(name)

    def keep(self, name: str, result: Any) -> None:
        """Keep a result, which JSON can hold, from now on."""
        self._results[name] = result
        write_whole(self._path, json.dumps({"came_from": self._fingerprint, "results": self._results}, indent=1) + "\n")

    def _read(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._path.read_text("utf8"))
            return dict(kept["results"]) if kept["came_from"] == self._fingerprint else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}
