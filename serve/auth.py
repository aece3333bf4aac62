"""API keys: who may read, write and administrate.

    python -m serve.auth NAME read write

prints a new key, which is kept nowhere, and its entry for the file of the setting `api_keys`: a JSON list of such
entries. The file holds SHA-256 hashes alone: keys are long random strings, which no dictionary finds.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import secrets
import sys
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from recsys.core.errors import ConfigError
from serve.metrics import Metrics
from serve.problems import problem

Right = Literal["read", "write", "admin"]
RIGHTS: tuple[Right, ...] = ("read", "write", "admin")
HEADER = b"x-api-key"

OPEN = frozenset({"/", "/health", "/ready", "/docs", "/openapi.json"})
WRITING = frozenset({"/events"})
ADMINISTRATION = frozenset({"/config", "/admin/reload"})


class ApiKey(BaseModel):
    """One key: never itself, its hash."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, description="Whom it was given to; shown in the log.")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Of the key, in hexadecimal.")]
    scopes: Annotated[frozenset[Right], Field(min_length=1, description="What it may be used for.")]


class Keyring:
    """Knows keys by their hashes."""

    def __init__(self, keys: list[ApiKey]) -> None:
        self._keys = [(bytes.fromhex(key.sha256), key) for key in keys]

    @classmethod
    def read(cls, path: Path) -> Keyring:
        """The keys in a file.

        Raises:
            ConfigError: it cannot be read, or is not a list of keys.
        """
        remedy = "write a JSON list of what python -m serve.auth prints"
        try:
            return cls(TypeAdapter(list[ApiKey]).validate_json(path.read_bytes()))
        except OSError as error:
            raise ConfigError(f"API keys in {path}", str(error), remedy) from None
        except ValidationError as error:
            # Without what was found there: it may be a key.
            places = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ConfigError(f"API keys in {path}", places, remedy) from None

    def find(self, secret: bytes) -> ApiKey | None:
        """The key of that secret; takes as long for a wrong one as for any other."""
        digest = hashlib.sha256(secret).digest()
        found = None
        for known, key in self._keys:
            if hmac.compare_digest(known, digest):
                found = key
        return found


def needed(path: str) -> Right | None:
    """What a key must allow for a request to this path; None: no key is needed."""
    if path in OPEN:
        return None
    if path in ADMINISTRATION:
        return "admin"
    return "write" if path in WRITING else "read"


class Authentication:
    """Lets a request pass if its key may do what it asks for."""

    def __init__(self, app: ASGIApp, keyring: Keyring, metrics: Metrics) -> None:
        self._app, self._keyring, self._metrics = app, keyring, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        right = None
        if scope["type"] == "http":
            right = needed(scope["path"].removeprefix(scope.get("root_path", "")))
        if right is None:
            await self._app(scope, receive, send)
            return
        secret = next((value for name, value in scope["headers"] if name == HEADER), None)
        key = None if secret is None else self._keyring.find(secret)
        if key is None:
            detail = "this needs an API key in the header X-API-Key" if secret is None else "no such API key"
            self._metrics.refused("key")
            await problem(401, detail, {"WWW-Authenticate": "ApiKey"})(scope, receive, send)
        elif right not in key.scopes:
            self._metrics.refused("scope")
            await problem(403, f"this API key does not have the scope {right}")(scope, receive, send)
        else:
            scope["key_name"] = key.name
            await self._app(scope, receive, send)


def main(argv: list[str] | None = None) -> int:
    """Print a new key and its entry for the file of keys."""
    parser = argparse.ArgumentParser(prog="python -m serve.auth", description="Make an API key.")
    parser.add_argument("name", help="whom it is for; shown in the log")
    parser.add_argument("scopes", nargs="+", choices=RIGHTS, help="what it may be used for")
    arguments = parser.parse_args(argv)
    secret = secrets.token_urlsafe(32)
    entry = {
        "name": arguments.name,
        "sha256": hashlib.sha256(secret.encode()).hexdigest(),
        "scopes": sorted(set(arguments.scopes)),
    }
    print(f"Key, shown this once: {secret}", file=sys.stderr)
    print(json.dumps(entry))
    return 0


if __name__ == "__main__":
    sys.exit(main())
