"""API keys: what they are, and how one is made.

    python -m serve.auth NAME read write --expires 2027-01-01

prints a new key, which is kept nowhere, and its entry for the file of the setting `api_keys`: a JSON list of such
entries. The file holds SHA-256 hashes alone: keys are long random strings, which no dictionary finds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

Right = Literal["read", "write", "catalogue", "admin"]
RIGHTS: tuple[Right, ...] = ("read", "write", "catalogue", "admin")


def moment(text: object) -> datetime:
    """A date, which is its first moment in UTC, or a date and time with its zone, in ISO 8601.

    Raises:
        ValueError: neither; a time without a zone could be meant in any.
    """
    if not isinstance(text, str):
        raise ValueError(f"not a date in quotes, such as '2027-01-01': {text!r}")  # pydantic's error
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"not a date such as 2027-01-01 or 2027-01-01T12:00:00Z: {text!r}") from None
    if parsed.tzinfo is None:
        if not any(mark in text for mark in "T :"):
            return parsed.replace(tzinfo=UTC)
        raise ValueError(f"a time without its zone; write for example 2027-01-01T12:00:00Z: {text!r}")
    return parsed


class ApiKey(BaseModel):
    """One key: never itself, its hash."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, description="Whom it was given to; shown in the log.")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Of the key, in hexadecimal.")]
    scopes: Annotated[frozenset[Right], Field(min_length=1, description="What it may be used for.")]
    expires: Annotated[
        datetime | None, BeforeValidator(moment), Field(description="From when on it opens nothing; unset: never.")
    ] = None

    def allows(self, right: Right) -> bool:
        """Whether it may be used for that."""
        return right in rights_of(self.scopes)

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and time.time() >= self.expires.timestamp()


class Keyring:
    """Knows keys by their hashes."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        """Raises ValueError: two have one name, which the log could not tell apart, or one hash."""
        self._keys = {bytes.fromhex(key.sha256): key for key in _distinct(list(keys))}

    @classmethod
    def parse(cls, content: bytes) -> Keyring:
        """The keys of a file's content; raises ValueError, whose text holds no value, since that may be a key."""
        try:
            return cls(TypeAdapter(list[ApiKey]).validate_json(content))
        except ValidationError as error:
            raise ValueError("; ".join(map(_fault, error.errors()))) from None

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, secret: bytes) -> ApiKey | None:
        """The key of that secret. How long that takes says something of its hash at most, never of the secret."""
        return self._keys.get(hashlib.sha256(secret).digest())


def rights_of(scopes: Collection[Right]) -> list[Right]:
    """All that a key of these scopes may be used for: who runs the server may change what the catalogue says, too."""
    return [right for right in RIGHTS if right in scopes or (right == "catalogue" and "admin" in scopes)]


def _distinct(keys: Sequence[ApiKey]) -> Sequence[ApiKey]:
    for field in ("name", "sha256"):
        twice = [value for value, count in Counter(getattr(key, field) for key in keys).items() if count > 1]
        if twice:
            positions = [str(n) for n, key in enumerate(keys) if getattr(key, field) == twice[0]]
            raise ValueError(f"one {field} for several keys, those of index {', '.join(positions)}")
    return keys


def _fault(error: ErrorDetails) -> str:
    """What pydantic says, without what came instead."""
    own = error["type"] == "value_error"  # raised by `moment`, with the value
    message = "expected a date, or a date and time with its zone" if own else error["msg"]
    return f"{'.'.join(map(str, error['loc'])) or 'the file'}: {message}"


def main(argv: list[str] | None = None) -> int:
    """Print a new key and its entry for the file of keys."""
    parser = argparse.ArgumentParser(prog="python -m serve.auth", description="Make an API key.")
    parser.add_argument("name", help="whom it is for; shown in the log")
    parser.add_argument("scopes", nargs="+", choices=RIGHTS, help="what it may be used for")
    parser.add_argument(
        "--expires", metavar="DATE", help="from when on it opens nothing: 2027-01-01 (UTC) or 2027-01-01T12:00:00Z"
    )
    arguments = parser.parse_args(argv)
    secret = secrets.token_urlsafe(32)
    entry: dict[str, object] = {
        "name": arguments.name,
        "sha256": hashlib.sha256(secret.encode()).hexdigest(),
        "scopes": sorted(set(arguments.scopes)),
    }
    if arguments.expires is not None:
        try:
            moment(arguments.expires)
        except ValueError as error:
            parser.error(f"--expires: {error}")
        entry["expires"] = arguments.expires
    print(f"Key, shown this once: {secret}", file=sys.stderr)
    print(json.dumps(entry))
    return 0


if __name__ == "__main__":
    sys.exit(main())
