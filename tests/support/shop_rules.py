"""Rules of shops that tests make: files of them, and servers that go by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

_OF_RULES = "when", "scenario", "priority", "valid_from", "valid_to"


def rule(rule_id: str, action: str, where: str | None = None, **more: Any) -> dict[str, Any]:
    """A rule as files have it; `more`: what the action says, and the rule's when, scenario, priority and times."""
    of_rule = {
        name: more.pop(name) for name in ("when", "scenario", "priority", "valid_from", "valid_to") if name in more
    }
    made = {"id": rule_id, "action": {"type": action, **more}, **of_rule}
    return made if where is None else {**made, "where": where}


def write_rules(path: Path, rules: Iterable[Mapping[str, Any]]) -> Path:
    """A file of rules."""
    path.write_text(yaml.safe_dump({"rules": [dict(one) for one in rules]}), "utf8")
    return path
