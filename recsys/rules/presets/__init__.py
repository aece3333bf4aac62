"""Rule sets that come with the program: what lists are like where a shop has no rules of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from recsys.rules.rule import Rule
from recsys.rules.rules_file import read_rules

Preset = Literal["accurate", "balanced"]
"""accurate: lists as the ranker makes them, without a rule; balanced: lists of more variety."""


def preset_rules(name: Preset) -> tuple[Rule, ...]:
    """The rules of a preset."""
    return read_rules(Path(__file__).with_name(f"{name}.yaml"))
