"""A server that ends starts nothing more."""

import gc
import threading
from pathlib import Path

import pytest

from serve.items import search_index
from serve.server import NEW_OBJECTS, Server
from serve.settings import Settings
from tests.support.serving import UNHURRIED, running
from tests.support.waiting import START_TIMEOUT_S, TIMEOUT_S


def test_no_indexing_begins_after_the_end(bundle_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store keeps it waiting until the server has been closed."""
    begun: list[Path] = []
    monkeypatch.setattr(search_index, "start", lambda bundle, _: begun.append(bundle))
    monkeypatch.setattr("serve.bundles.swap.CLOSING_S", 0.0)
    settings = {**UNHURRIED, "index_items": True}
    server = Server(Settings(bundle=bundle_path, store=f"sqlite:///{tmp_path}/store.sqlite", **settings))
    link, waiting, go_on = server.parts.link, threading.Event(), threading.Event()
    assert link is not None

    def wait() -> None:
        if threading.current_thread().name != "bundles":  # others that wait for the store are not asked about here
            return
        waiting.set()
        assert go_on.wait(TIMEOUT_S)

    monkeypatch.setattr(link, "wait", wait)
    server.start()
    assert waiting.wait(START_TIMEOUT_S)
    server.close()
    go_on.set()
    server.parts.bundles._thread.join(TIMEOUT_S)
    assert not server.parts.bundles._thread.is_alive()
    assert begun == []


def test_garbage_is_looked_for_as_before_once_a_server_has_ended(bundle_path: Path) -> None:
    before = gc.get_threshold()
    gc.set_threshold(500, 10, 9)
    try:
        with running(bundle=bundle_path, store="none"):
            assert gc.get_threshold() == (NEW_OBJECTS, 10, 9)
        assert gc.get_threshold() == (500, 10, 9)
    finally:
        gc.set_threshold(*before)
