"""The HTTP API only grows: whatever a client could rely on is still there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serve.app import create_app
from serve.settings import NO_STORE, Settings

# The first published API, one fact a line, without what only people read. A line that has to change or to go breaks
# somebody's client; what is new needs none.
PUBLISHED = Path(__file__).parent / "published_api.txt"
FOR_PEOPLE = {"description", "examples", "title", "summary", "tags", "info"}


def facts(part: Any, path: str = "") -> Iterator[str]:
    """What a document says, one line a fact; the order of lists means nothing."""
    if isinstance(part, dict):
        named = path.endswith(("/properties", "/schemas", "/paths"))
        for name, value in part.items():
            if named or name not in FOR_PEOPLE:
                yield from facts(value, f"{path}/{name}")
    elif isinstance(part, list):
        for value in part:
            if not isinstance(value, dict):
                yield f"{path}: {json.dumps(value)}"
            elif "name" in value:
                yield from facts(value, f"{path}/{value['name']}")
            else:
                yield f"{path}: {' and '.join(sorted(facts(value)))}"
    else:
        whole = isinstance(part, float) and part.is_integer()  # 1.0 is 1 in JSON
        yield f"{path}: {json.dumps(int(part) if whole else part)}"


def test_nothing_that_was_published_is_gone() -> None:
    document = json.loads(json.dumps(create_app(Settings(store=NO_STORE)).openapi()))
    gone = set(PUBLISHED.read_text("utf8").splitlines()) - set(facts(document))
    assert not gone


@pytest.mark.parametrize(
    "fact",
    [
        "/paths//recommendations/{user_id}/get/parameters/k/schema/maximum: 100",
        '/components/schemas/RecommendedItem/required: "sources"',
        '/components/schemas/EventBody/properties/event_type/enum: "add_to_cart"',
    ],
)
def test_the_list_of_what_was_published_holds_what_clients_use(fact: str) -> None:
    assert fact in PUBLISHED.read_text("utf8").splitlines()
