"""The built files as they are committed: what the server would send is whole, and its own policy lets it run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from serve.dashboard.files import ASSETS, FOLDER, INDEX, MEDIA_TYPES, built_files
from tests.support.serving import without_bundle

NAMED = re.compile(r"[\"'`](?:\./|assets/)([\w.-]+\.(?:js|css))[\"'`]")  # in scripts, of other files


class Parts(HTMLParser):
    """What a page loads, and what stands in it instead of being loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loaded += [value for name in ("src", "href") if (value := given.get(name))]
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self._within = tag

    def handle_data(self, data: str) -> None:
        if self._within in ("script", "style") and data.strip():
            self.inline.append(data)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with without_bundle() as client:
        yield client


@pytest.fixture(scope="module")
def parts(client: TestClient) -> Parts:
    parts = Parts()
    parts.feed(client.get("/ui/").text)
    return parts


def test_the_index_loads_files_of_this_server_that_are_there(client: TestClient, parts: Parts) -> None:
    assert any(address.endswith(".js") for address in parts.loaded)
    for address in parts.loaded:
        assert address.startswith("/ui/")
        assert client.get(address).status_code == 200, address


def test_the_policy_lets_the_index_run(parts: Parts) -> None:
    assert parts.inline == []


def test_scripts_name_files_that_are_there() -> None:
    files = built_files()
    named = {
        ASSETS + name
        for path, file in files.items()
        if path.endswith(".js")
        for name in NAMED.findall(file.content.decode())
    }
    assert named
    assert named <= files.keys()


def test_every_file_has_a_type_of_our_own() -> None:
    assert {path.suffix for path in FOLDER.rglob("*") if path.is_file()} <= MEDIA_TYPES.keys()
    assert INDEX in built_files()
