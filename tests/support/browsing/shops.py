"""Servers of the sample shop with the dashboard, each in a process of its own with a store of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.support.browsing.chromium import PAGE
from tests.support.keys import entry, write_keys
from tests.support.server_processes import ROOT, Response, get, logged_server, post
from tests.support.waiting import START_TIMEOUT_S, eventually

SAMPLE = ROOT / "saved_model/sample"
KEYS = {
    "reader": ("read",),
    "writer": ("read", "write"),
    "cataloguer": ("read", "catalogue"),
    "administrator": ("read", "write", "catalogue", "admin"),
}
STAGES = (
    ("sample", "data/raw/sample"),
    ("prepare", "--config", "configs/sample.yaml"),
    ("train", "--config", "configs/sample.yaml"),
    ("evaluate", "--config", "configs/sample.yaml"),
)


def sample_bundle(folder: Path) -> Path:
    """The bundle that `make demo` made, or one made now in `folder`, in about a minute."""
    if SAMPLE.exists():
        return SAMPLE
    (folder / "configs").mkdir()
    (folder / "configs/sample.yaml").write_bytes((ROOT / "configs/sample.yaml").read_bytes())
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for stage in STAGES:
        command = [sys.executable, "-m", "recsys", *stage]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return folder / "saved_model/sample"


def report_of(bundle: Path) -> Path:
    """Where `make demo` and `sample_bundle` write what the bundle's evaluation says."""
    return bundle.parents[1] / "data/reports" / bundle.name / "report.html"


class Shop:
    """A server that runs, and can be stopped and started again at its address.

    Attributes:
        url: where it listens.
        store: file of its SQLite store; None where it has none.
    """

    def __init__(self, bundle: Path, folder: Path, options: dict[str, str], *, store: bool = True) -> None:
        self._bundle, self._options = bundle, options
        self.folder = folder
        self.store = folder / "store.sqlite" if store else None
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._running = ExitStack()

    def start(self) -> None:
        """Start the server; search knows the catalogue afterwards."""
        options = {"bundle": str(self._bundle), "port": str(self._port), "store-retry-s": "0.1", **self._options}
        options["report"] = str(report_of(self._bundle))
        options["store"] = f"sqlite:///{self.store}" if self.store else "none"
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        variables = {"RECSYS_INDEX_ITEMS": "true"} if self.store else {}
        self._running.enter_context(logged_server(self.folder / "log", *words, **variables))
        if self.store:
            eventually(self._knows_items, START_TIMEOUT_S)

    def stop(self) -> None:
        """End the server at once."""
        self._running.close()

    def address(self, path: str = "/", **query: str) -> str:
        """Of a page of the dashboard, with its state."""
        return page_address(self.url, path, query)

    def get(self, path: str, key: str | None = None) -> Any:
        """What the API answers."""
        return self._answer(get(f"{self.url}{path}", **_headers(key)))

    def post(self, path: str, body: Any, key: str | None = None) -> Any:
        """What the API answers."""
        return self._answer(post(f"{self.url}{path}", body, **_headers(key)))

    def busy_users(self, count: int) -> list[str]:
        """Those with the longest histories, of the first of all users."""
        users = self.get("/users?limit=100")["users"]
        return [user["user_id"] for user in sorted(users, key=lambda user: -user["interactions"])[:count]]

    def listed(self, user_id: str, count: int = 10) -> list[dict[str, Any]]:
        """What the user is shown."""
        items: list[dict[str, Any]] = self.get(f"/recommendations/{quote(user_id, safe='')}?k={count}")["items"]
        return items

    def _answer(self, response: Response) -> Any:
        assert response.status == 200, response.body
        return response.json()

    def _knows_items(self) -> bool:
        key = "reader" if "api-keys" in self._options else None
        response = get(f"{self.url}/items?limit=1", **_headers(key))
        return response.status == 200 and bool(response.json()["items"])


def page_address(url: str, path: str, query: dict[str, str]) -> str:
    """Of a page of the dashboard, with its state."""
    words = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in query.items())
    return f"{url}{PAGE}{path.removeprefix('/')}{'?' + words if words else ''}"


@contextmanager
def running_shop(
    bundle: Path, folder: Path, *, keys: bool = False, store: bool = True, **options: str
) -> Iterator[Shop]:
    """A shop in `folder`; with `keys`, each name in KEYS is a key with these scopes."""
    given = {name.replace("_", "-"): value for name, value in options.items()}
    if keys:
        write_keys(folder / "keys.json", *(entry(name, *scopes) for name, scopes in KEYS.items()))
        given["api-keys"] = str(folder / "keys.json")
    shop = Shop(bundle, folder, given, store=store)
    shop.start()
    try:
        yield shop
    finally:
        shop.stop()


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"X-API-Key": key}
