"""One rule of ids, wherever a client writes one."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from recsys.core.values.ids import is_id
from serve.http.schemas import Id
from tests.support.serving import refusal

READ_ID = TypeAdapter(Id)
NONE = ["x" * 513, "x" * 60_000, "\0", "a\nb", "a\rb", "\x1b[31m", "\x7f", "a\x85"]
SOME = ["x" * 512, "🛒" * 512, "a/b", "../..", " ", "%2F", "'; DROP TABLE users; --", "\u202e"]


def event(**values: str) -> dict[str, str]:
    return {"event_id": "e", "user_id": "u", "item_id": "i", "event_type": "view", **values}


PLACES: dict[str, Callable[[TestClient, str], Any]] = {
    "list": lambda client, text: client.get(f"/recommendations/{quote(text, safe='')}"),
    "profile": lambda client, text: client.get(f"/users/{quote(text, safe='')}/profile"),
    "item": lambda client, text: client.get(f"/items/{quote(text, safe='')}"),
    "similar": lambda client, text: client.get(f"/items/{quote(text, safe='')}/similar"),
    "by id": lambda client, text: client.get("/items/by-id", params={"item_id": text}),
    "lists": lambda client, text: client.post("/recommendations", json={"user_ids": [text]}),
    "session": lambda client, text: client.post("/recommendations", json={"history": [text]}),
    "event's user": lambda client, text: client.post("/events", json=event(user_id=text)),
    "event's item": lambda client, text: client.post("/events", json=event(item_id=text)),
    "event": lambda client, text: client.post("/events", json=event(event_id=text)),
}
OF_PATHS = {"list", "profile", "item", "similar", "by id"}


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_id_is_refused_everywhere(place: str, client: TestClient) -> None:
    for text in NONE:
        response = PLACES[place](client, text)
        if place in OF_PATHS and len(text) > 20_000:
            assert response.status_code in (414, 422)
        else:
            assert len(refusal(response, 422)) < 400, "no more of it comes back than helps to find it"


@pytest.mark.parametrize("place", PLACES)
def test_what_is_an_id_is_none_of_nobodys_business(place: str, client: TestClient) -> None:
    for text in SOME:
        assert PLACES[place](client, text).status_code in (200, 404)


@given(st.text(max_size=600) | st.text("ab\0\n\x1f\x7f\x80\x9f\xa0", max_size=3))
def test_pydantic_reads_ids_by_the_one_rule(text: str) -> None:
    try:
        READ_ID.validate_python(text)
    except ValidationError:
        assert not is_id(text)
    else:
        assert is_id(text)
