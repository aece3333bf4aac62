"""API keys: what they are, and the file that holds their hashes.

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

from recsys.core.errors import ConfigError

Right = Literal["read", "write", "admin"]
RIGHTS: tuple[Right, ...] = ("read", "write", "admin")


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
            # Without what came instead: it may be a key.
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ConfigError(f"API keys in {path}", faults, remedy) from None

    def find(self, secret: bytes) -> ApiKey | None:
        """The key of that secret; takes as long for a wrong one as for any other."""
        digest = hashlib.sha256(secret).digest()
        owner = None
        for stored, key in self._keys:
            if hmac.compare_digest(stored, digest):
                owner = key
        return owner


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
