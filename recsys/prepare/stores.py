"""The store among the inputs of a preparation, for whoever asks it for more than events."""

from __future__ import annotations

from recsys.prepare.formats.event_store import open_store
from recsys.prepare.inputs import find_store
from recsys.prepare.settings import DataConfig
from recsys.store import Store


def store_of(config: DataConfig, connections: int = 1) -> Store | None:
    """The first store that a config names, open; None: it names files alone.

    Args:
        config: of the data.
        connections: most at once.

    Raises:
        DataError: there is no such file, or a URL has a password.
        StoreError: the URL is none.
    """
    path = find_store(config)
    return None if path is None else open_store(path, connections)
