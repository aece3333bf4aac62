"""A copy of the tombstones on this machine: who starts while the store is down still shows no forgotten past.

It holds hashes and times, and nothing that names anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec

from recsys.core.disk import write_whole
from recsys.core.persons import Persons
from recsys.core.small_files import read_small_file

logger = logging.getLogger(__name__)

MOST_BYTES = 1 << 30


class TombstonesCopy:
    """The file of a copy. What goes wrong with it is logged, and keeps nothing else from happening."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: Mapping[str, float] | None = None

    def read(self) -> Persons | None:
        """Those that it holds; None: there is none."""
        try:
            return Persons(msgspec.json.decode(read_small_file(self._path, MOST_BYTES), type=dict[str, float]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            logger.error("The copy of the tombstones in %s cannot be read: %s", self._path, error)
            return None

    def write(self, persons: Persons) -> None:
        """Replace it, if it is another one; workers may do so at once, and all write the same."""
        if persons.tombstones is self._written:
            return
        try:
            write_whole(self._path, msgspec.json.encode(persons.tombstones).decode())
            self._written = persons.tombstones
        except OSError as error:
            logger.error("The copy of the tombstones in %s cannot be written: %s", self._path, error)
