"""Limits: rates, bodies, requests at once. What is refused is refused at once and says when to try again."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from serve.http.limits import BodyLimit
from serve.metrics import Metrics
from serve.recommendations.service import RecommendationService
from tests.support.holding import Held, held_calls
from tests.support.serving import refusal, running
from tests.support.waiting import TIMEOUT_S, eventually

USER = "/recommendations/user3"
LENGTH = (b"content-length", b"1000")


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that is not asked."""
    raise AssertionError


def test_a_long_body(bundle_path: Path) -> None:
    with running(bundle=bundle_path, store="none", max_body_bytes=100) as (client, _):
        assert client.post("/recommendations", json={"user_ids": ["a" * 60]}).status_code == 200
        assert "100 bytes" in refusal(client.post("/recommendations", content=b"x" * 101), 413)
        chunks = iter([b"x" * 60, b"x" * 60])
        refusal(client.post("/recommendations", content=chunks), 413)  # no length declared


@pytest.mark.parametrize("declared", [b"101", b"9" * 4000])
def test_a_long_body_is_not_even_read(declared: bytes) -> None:
    async def receive() -> Message:
        raise AssertionError

    assert answer(BodyLimit(nothing, 100, 1.0, Metrics()), receive, [(b"content-length", declared)]) == 413


def test_a_body_that_does_not_come() -> None:
    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    assert answer(BodyLimit(nothing, 100, 0.01, Metrics()), receive, [(b"content-length", b"5")]) == 408


def test_bodies_that_come_slowly_take_so_much_memory_together_and_no_more() -> None:
    """Of 200 clients, each of which has sent most of a body and goes on with nothing."""
    limit = BodyLimit(nothing, 1000, 60.0, Metrics())
    most = 0

    async def post() -> None:
        nonlocal most
        parts = [b"x" * 100] * 9

        async def receive() -> Message:
            nonlocal most
            most = max(most, limit._held)
            await asyncio.sleep(0)
            if not parts:
                await asyncio.sleep(60)
            return {"type": "http.request", "body": parts.pop(), "more_body": True}

        async def send(message: Message) -> None:
            statuses.append(message.get("status"))

        await limit({"type": "http", "method": "POST", "path": "/", "headers": [LENGTH]}, receive, send)

    statuses: list[Any] = []

    async def main() -> None:
        clients = [asyncio.create_task(post()) for _ in range(200)]
        await asyncio.sleep(0.2)
        assert len([status for status in statuses if status == 503]) > 100
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    asyncio.run(main())
    assert most <= 65 * 1000
    assert limit._held == 0


def test_a_client_that_goes_in_the_middle_of_a_body_is_asked_nothing() -> None:
    messages = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"{}", "more_body": True}]

    async def receive() -> Message:
        return messages.pop()

    async def send(message: Message) -> None:
        raise AssertionError

    limit = BodyLimit(nothing, 1000, 1.0, Metrics())
    asyncio.run(limit({"type": "http", "method": "POST", "path": "/", "headers": [LENGTH]}, receive, send))


def answer(app: Callable[..., Any], receive: Receive, headers: list[tuple[bytes, bytes]]) -> int:
    """Status of the answer to a POST."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send))
    status: int = sent[0]["status"]
    return status


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Holds every batch until told to go on."""
    with held_calls(monkeypatch, RecommendationService, "recommend") as held:
        yield held


def test_more_requests_at_once_than_allowed(bundle_path: Path, held: Held) -> None:
    computing, go_on = held
    with (
        running(bundle=bundle_path, store="none", max_in_flight=2) as (client, server),
        ThreadPoolExecutor(2) as pool,
    ):
        under_way = [pool.submit(client.get, USER) for _ in range(2)]
        assert computing.wait(TIMEOUT_S)
        eventually(lambda: "recsys_http_in_flight 2.0" in client.get("/metrics").text)
        response = client.get(USER)  # answered while those are held
        assert "2 requests are being answered" in refusal(response, 503)
        assert int(response.headers["retry-after"]) > 0
        assert client.get("/health").status_code == 200
        go_on.set()
        assert [answered.result().status_code for answered in under_way] == [200, 200]
        assert client.get(USER).status_code == 200
        assert 'recsys_refused_total{cause="overload"} 1.0' in server.parts.metrics.render().decode()


def test_more_users_waiting_than_allowed(bundle_path: Path, held: Held) -> None:
    computing, go_on = held
    body = {"user_ids": ["a", "b", "c"], "k": 1}
    with (
        running(bundle=bundle_path, store="none", max_queue=4) as (client, server),
        ThreadPoolExecutor(2) as pool,
    ):
        first = pool.submit(client.get, USER)
        assert computing.wait(TIMEOUT_S)
        waiting = pool.submit(client.post, "/recommendations", json=body)
        eventually(lambda: server.recommendations.batcher._waiting_size == 3)
        response = client.post("/recommendations", json=body)
        assert "too many requests are waiting" in refusal(response, 503)
        assert int(response.headers["retry-after"]) > 0
        go_on.set()
        assert (first.result().status_code, waiting.result().status_code) == (200, 200)


def test_browsers_of_allowed_origins(bundle_path: Path, client: TestClient) -> None:
    origin = {"Origin": "https://shop.example"}
    preflight = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    with running(bundle=bundle_path, store="none", cors_origins="https://shop.example, https://b.example") as (own, _):
        assert own.get("/health", headers=origin).headers["access-control-allow-origin"] == "https://shop.example"
        assert own.options("/events", headers=preflight).status_code == 200
        other = own.get("/health", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
    assert "access-control-allow-origin" not in client.get("/health", headers=origin).headers
