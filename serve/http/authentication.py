"""Who may ask for what: reading, writing, the catalogue, administration."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from serve.auth import Right
from serve.http.docs_page import ASSETS
from serve.http.page_address import BELOW, PAGE
from serve.http.problems import problem
from serve.key_file import KeyFile
from serve.metrics import Metrics

HEADER = b"x-api-key"

OPEN = frozenset({"/", "/health", "/ready", "/docs", "/openapi.json", "/key", PAGE})
OPEN_BELOW = (f"{ASSETS}/", BELOW)
WRITING = frozenset({"/events"})
ADMINISTRATION = frozenset({"/config", "/admin/reload"})
EXPERIMENTS = "/experiments/"  # whoever starts one changes lists, too
RULES, CHANGING = "/rules/", frozenset({"PUT", "DELETE"})  # what one changes of the rules changes everyone's lists
READING = frozenset({"GET", "HEAD", "OPTIONS"})
USERS, EXPORT = "/users/", "/export"
ITEMS, CHANGING_ITEMS = "/items/", frozenset({"PUT", "PATCH", "DELETE", "POST"})
LOOKUP = "/items/lookup"  # the list of ids is its body


def needed(path: str, method: str = "GET") -> Right | None:
    """What a key must allow for a request to this path; None: no key is needed."""
    if path in OPEN or path.startswith(OPEN_BELOW):
        return None
    if path in ADMINISTRATION or (path.startswith(RULES) and method in CHANGING):
        return "admin"
    if path.startswith(EXPERIMENTS) and method not in READING:
        return "admin"
    if path.startswith(USERS):
        return _needed_of_user(path, method)
    if path.startswith(ITEMS) and method in CHANGING_ITEMS and (path, method) != (LOOKUP, "POST"):
        return "catalogue"
    return "write" if path in WRITING else "read"


def _needed_of_user(path: str, method: str) -> Right:
    """To forget a person, and to read all that is kept of one, is for those who answer for it."""
    if method == "DELETE" or path.endswith(EXPORT):
        return "admin"
    return "write" if method in ("PUT", "POST") else "read"


class Authentication:
    """Lets a request pass if its key may do what it asks for."""

    def __init__(self, app: ASGIApp, keys: KeyFile, metrics: Metrics) -> None:
        self._app, self._keys, self._metrics = app, keys, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        right = needed(scope["path"].removeprefix(scope.get("root_path", "")), scope["method"])
        secret = next((value for name, value in scope["headers"] if name == HEADER), None)
        key = None if secret is None else self._keys.find(secret)
        if right is None:
            if key is not None and not key.expired:
                scope["key_name"], scope["key_scopes"] = key.name, key.scopes
            await self._app(scope, receive, send)
        elif key is None or key.expired:
            # A key that was one once is told apart in the metrics alone: the answer is the same for every stranger.
            detail = (
                "this needs an API key in the header X-API-Key"
                if secret is None
                else "no such API key, or one that has expired"
            )
            self._metrics.refused("key" if key is None else "expired")
            await problem(401, detail, {"WWW-Authenticate": "ApiKey"})(scope, receive, send)
        elif not key.allows(right):
            self._metrics.refused("scope")
            await problem(403, f"this API key does not have the scope {right}")(scope, receive, send)
        else:
            scope["key_name"], scope["key_scopes"] = key.name, key.scopes
            await self._app(scope, receive, send)
