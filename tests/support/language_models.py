"""A server that plays a provider of a language model, in both protocols and in every mood."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Handler = BaseHTTPRequestHandler
Mood = Callable[["Provider", Handler, dict[str, Any]], None]
MORE = b" " * 65_536  # a piece of a body without end


@dataclass
class Provider:
    """What it does, and what it was asked.

    Attributes:
        protocol: openai or anthropic.
        moods: one for each call, the last of them for all that follow.
        url: its base URL.
        calls: path, headers in small letters and body of each call so far.
        released: set at the end, so that those who are kept waiting go.
    """

    protocol: str
    moods: list[Mood]
    url: str = ""
    calls: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def sent(self) -> str:
        """All that it was told."""
        return json.dumps([body for _, _, body in self.calls])

    def envelope(self, answer: Any, *, cut_off: bool = False) -> dict[str, Any]:
        """The body of a response with the model's answer, a text or what is encoded as one."""
        if self.protocol == "openai":
            text = answer if isinstance(answer, str) else json.dumps(answer)
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": "length" if cut_off else "stop"}
            return {"id": "c1", "object": "chat.completion", "choices": [choice], "usage": {"total_tokens": 7}}
        block: dict[str, Any] = {"type": "text", "text": answer}
        if not isinstance(answer, str):
            block = {"type": "tool_use", "id": "t1", "name": "explanation", "input": answer}
        return {
            "id": "m1",
            "type": "message",
            "role": "assistant",
            "content": [block],
            "stop_reason": "max_tokens" if cut_off else "tool_use",
        }

    def asked(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """The facts or sentences of a call."""
        listed: list[dict[str, Any]] = json.loads(body["messages"][-1]["content"])
        return listed


@contextmanager
def provider(protocol: str, *moods: Mood) -> Iterator[Provider]:
    """A provider that runs."""
    played = Provider(protocol, list(moods))

    class Playing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            mood = played.moods[min(len(played.calls), len(played.moods) - 1)]
            played.calls.append((self.path, headers, body))
            try:
                mood(played, self, body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def do_GET(self) -> None:
            played.calls.append((self.path, {}, {}))
            self.send_error(404)

        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            """Keep quiet."""

        log_error = log_request

    server = ThreadingHTTPServer(("127.0.0.1", 0), Playing)
    played.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield played
    finally:
        played.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def answers(make: Callable[[list[dict[str, Any]]], Any]) -> Mood:
    """Answer what `make` makes of what it was asked."""
    return lambda played, handler, body: _send(handler, 200, played.envelope(make(played.asked(body))))


def chooses(*numbers: int) -> Mood:
    """Choose sentences by their places in the list that was offered; by default the first."""
    return answers(lambda listed: {"sentences": [listed[number]["id"] for number in numbers or (0,)]})


def says(*sentences: str | tuple[str, list[str]]) -> Mood:
    """Say sentences, whatever was asked; with ids cited beside a text."""
    told = [(sentence, []) if isinstance(sentence, str) else sentence for sentence in sentences]
    return answers(lambda listed: {"sentences": [{"text": text, "cites": cites} for text, cites in told]})


def echoes(played: Provider, handler: Handler, body: dict[str, Any]) -> None:
    """Say the example of the first fact."""
    (first, *_) = played.asked(body)
    _send(handler, 200, played.envelope({"sentences": [{"text": first["example"], "cites": [first["id"]]}]}))


def status(code: int, **headers: str) -> Mood:
    """Fail by a status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda played, handler, body: _send(handler, code, {"error": {"message": "no"}}, named)


def redirects(played: Provider, handler: Handler, body: dict[str, Any]) -> None:
    """Send the caller, and its key, elsewhere."""
    _send(handler, 307, {}, {"location": f"{played.url}/elsewhere"})


def keeps_waiting(played: Provider, handler: Handler, body: dict[str, Any]) -> None:
    """Say nothing."""
    played.released.wait()
    handler.close_connection = True


def trickles(played: Provider, handler: Handler, body: dict[str, Any]) -> None:
    """Send a byte now and then, so that no wait for the next one is long."""
    _begin(handler, 1000)
    while not played.released.wait(0.02):
        handler.wfile.write(b" ")
    handler.close_connection = True


def garbage(played: Provider, handler: Handler, body: dict[str, Any]) -> None:
    """Send what is no JSON, nor text."""
    _send_bytes(handler, b"\xff\xfe{]" * 20)


def nested(played: Provider, handler: Handler, body: dict[str, Any]) -> None:
    """Send JSON that is deeper than any reader."""
    _send_bytes(handler, b"[" * 30_000)


def ignores_the_schema(played: Provider, handler: Handler, body: dict[str, Any]) -> None:
    """Chat."""
    _send(handler, 200, played.envelope("Sure! Here is why you will love it: it is the best."))


def cut_off(played: Provider, handler: Handler, body: dict[str, Any]) -> None:
    """Run out of tokens."""
    _send(handler, 200, played.envelope({"sentences": []}, cut_off=True))


def half(played: Provider, handler: Handler, body: dict[str, Any]) -> None:
    """End the connection in the middle of the body."""
    whole = json.dumps(played.envelope({"sentences": ["f1.0"]})).encode()
    _begin(handler, len(whole))
    handler.wfile.write(whole[: len(whole) // 2])
    handler.close_connection = True


def hangs_up(played: Provider, handler: Handler, body: dict[str, Any]) -> None:
    """End the connection without a word."""
    handler.close_connection = True


def sends_back(played: Provider, handler: Handler, body: dict[str, Any]) -> None:
    """Send what it was told, the key first, as what echoes lines and speaks no HTTP does."""
    key = handler.headers["authorization"] or handler.headers["x-api-key"]
    handler.wfile.write(f"Told: {key}\r\n\r\n".encode())
    handler.close_connection = True


def enormous(played: Provider, handler: Handler, body: dict[str, Any]) -> None:
    """Send a body without end."""
    _begin(handler, 1 << 40)
    while not played.released.is_set():
        handler.wfile.write(MORE)


def packed(played: Provider, handler: Handler, body: dict[str, Any]) -> None:
    """Send a small body that unpacks to a large one."""
    _send_bytes(handler, gzip.compress(MORE * 100), {"content-encoding": "gzip"})


def _send(handler: Handler, code: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
    _send_bytes(handler, json.dumps(answer).encode(), headers, code)


def _send_bytes(handler: Handler, body: bytes, headers: dict[str, str] | None = None, code: int = 200) -> None:
    _begin(handler, len(body), headers, code)
    handler.wfile.write(body)


def _begin(handler: Handler, length: int, headers: dict[str, str] | None = None, code: int = 200) -> None:
    handler.send_response(code)
    for name, value in {"content-type": "application/json", "content-length": str(length), **(headers or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
