"""A copy of the store's rules on this machine: who starts while the store is down still hides what must be."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from recsys.core.disk import write_whole
from recsys.core.small_files import read_small_file
from recsys.store import StoredTexts

logger = logging.getLogger(__name__)

MOST_BYTES = 256 << 20


class RulesCopy:
    """The file of a copy. What goes wrong with it is logged, and keeps nothing else from happening."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> StoredTexts | None:
        """The rules that it holds; None: there are none."""
        try:
            return msgspec.json.decode(read_small_file(self._path, MOST_BYTES), type=StoredTexts)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            logger.error("The copy of the rules in %s cannot be read: %s", self._path, error)
            return None

    def write(self, rules: StoredTexts) -> None:
        """Replace it; workers may do so at once, and all write the same."""
        try:
            write_whole(self._path, msgspec.json.encode(rules).decode())
        except OSError as error:
            logger.error("The copy of the rules in %s cannot be written: %s", self._path, error)
