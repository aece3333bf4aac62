"""API keys whose secrets are their names."""

import hashlib
import json
from pathlib import Path
from typing import Any


def entry(name: str, *scopes: str, **fields: Any) -> dict[str, Any]:
    """The entry of a key in a file of keys; without scopes it may read."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return {"name": name, "sha256": digest, "scopes": list(scopes or ("read",)), **fields}


def write_keys(path: Path, *entries: dict[str, Any]) -> None:
    """As careful programs write: beside its place, and then renamed."""
    path.with_suffix(".new").write_text(json.dumps(entries))
    path.with_suffix(".new").replace(path)
