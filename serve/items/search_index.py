"""Puts the items of a bundle into the store, where search finds them.

Runs as a process of its own (`python -m serve.items.search_index VERSION_FOLDER`), so that a large catalogue takes no
time from requests. The store is that of the settings.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from recsys.bundle import Bundle
from recsys.core.errors import RecsysError
from recsys.store import InvalidRecord, ItemRow, Store
from serve import logs
from serve.bundles.loaded import by_popularity
from serve.settings import ENV_PREFIX, Settings, load_settings

logger = logging.getLogger("serve.items.search_index")  # whatever it is called when it runs as a process

ROWS_AT_ONCE = 1000
TIMEOUT_S = 30.0
ATTEMPTS = 60
RETRY_S = 5.0
NICENESS = 10


def catalogue_version(name: str, version: str) -> str:
    """What the store calls the items of a bundle."""
    return f"{name}/{version}"


def start(bundle: Path, settings: Settings) -> subprocess.Popen[bytes]:
    """Begin in another process."""
    environment = {**os.environ, f"{ENV_PREFIX}STORE": settings.store}
    for name in ("log_level", "log_format"):
        environment[f"{ENV_PREFIX}{name.upper()}"] = getattr(settings, name)
    process = subprocess.Popen(
        [sys.executable, "-m", "serve.items.search_index", str(bundle)], env=environment, stdin=subprocess.DEVNULL
    )
    # Somebody has to take note of its end, or it stays in the table of processes.
    threading.Thread(target=process.wait, name="search-index", daemon=True).start()
    return process


def put_items(bundle: Bundle, store: Store) -> None:
    """Put the bundle's items into the store, the most popular first.

    Raises:
        StoreUnavailable: search shows the items before until a later call succeeds.
        InvalidRecord: an id that the store cannot hold; the items before stay.
    """
    store.put_items(_rows(bundle), catalogue_version(bundle.name, bundle.version))


def _rows(bundle: Bundle) -> Iterator[ItemRow]:
    order, _ = by_popularity(bundle.recommender().popularity)
    for start_row in range(0, len(order), ROWS_AT_ONCE):
        for record in bundle.catalogue.items(order[start_row : start_row + ROWS_AT_ONCE]):
            yield ItemRow(record.item_id, record.title, record.brand, record.categories, record.price, record.image)


def main(path: str) -> int:
    """Wait for the store where need be, and for other processes at the same task."""
    settings = load_settings()
    logs.configure_process(settings.log_level, settings.log_format)
    os.nice(NICENESS)
    name = hashlib.sha256(settings.store.encode()).hexdigest()[:16]
    lock = Path(tempfile.gettempdir()) / f"recsys-search-{os.getuid()}-{name}.lock"
    with lock.open("w") as file, Bundle(Path(path), verify="quick") as bundle:
        fcntl.flock(file, fcntl.LOCK_EX)
        for _ in range(ATTEMPTS):
            with Store.open(settings.store, timeout_s=TIMEOUT_S) as store:
                try:
                    put_items(bundle, store)
                except InvalidRecord:
                    raise
                except RecsysError as error:
                    logger.warning("The items wait for the store. %s", error)
                else:
                    logger.info("Search finds the items of %s, version %s", bundle.name, bundle.version)
                    return 0
            time.sleep(RETRY_S)
    logger.error("Search does not find the items of %s: the store did not take them", path)
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except (RecsysError, OSError) as failure:
        logger.error("Search does not find the items of the bundle. %s", failure)
        sys.exit(1)
