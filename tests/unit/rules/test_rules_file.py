"""Rules in a file: what it says, or the line in which it says something else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsys.core.errors import ConfigError
from recsys.rules.rule import Cap, Hide
from recsys.rules.rules_file import MOST_BYTES, parse_rules, read_rules

SOUND = """
rules:
  - id: recalled
    action: {type: hide}
    where: 'item.id in ["a", "b"]'
    valid_from: 2026-12-01T00:00:00Z
  - {id: two-of-a-brand, priority: 3, action: {type: cap, by: brand, most: 2}}
"""


def test_rules_are_read_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(SOUND, "utf8")
    first, second = read_rules(tmp_path / "rules.yaml")
    assert (first.id, first.action, first.where) == ("recalled", Hide(type="hide"), 'item.id in ["a", "b"]')
    assert first.valid_from == datetime(2026, 12, 1, tzinfo=UTC)
    assert (second.priority, second.action) == (3, Cap(type="cap", by="brand", most=2))
    assert parse_rules("rules: []") == ()


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "something else"),
        ("- id: a", "something else"),
        ("rules: {a: 1}", "no list"),
        ("rules: []\nmore: 1", "'more' in line 2"),
        ("rules: []\nrules: []", "'rules' again in line 1"),
        (SOUND + "    prio: 3\n", "line 8"),
        (SOUND + "  - {id: recalled, action: {type: repurchase}}\n", "'recalled' in lines 3 and 8"),
        ("rules:\n- id: a\n  action:\n    type: mmr\n    weight: 2\n", "action.mmr.weight in line 5"),
        ("rules:\n- id: a\n  action: {type: mmr}\n", "weight in line 3"),
        ("rules:\n- id: a\n  action: {type: hide}\n", "line 2: hide needs where"),
        ("rules:\n- id: a\n  id: b\n  action: {type: repurchase}\n", "'id' again in line 2"),
        ("rules:\n- id: a\n  action: {type: repurchase}\n  valid_to: 2026-12-01T00:00:00\n", "valid_to in line 4"),
        ("rules:\n- just text\n", "line 2"),
        ("rules: &a [*a]", "line 1"),
        ("rules: !!python/object/apply:os.getcwd []", "list"),
        ("rules:\n- {id: a, action: !!python/name:os.system }", "constructor"),
        ("rules: [", "line 1"),
        ("rules:\n- {[a]: b}", "unhashable"),
        ("[" * 5000, "depth"),
    ],
)
def test_what_is_no_rule_is_refused_by_its_line(text: str, got: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_rules(text, "shop.yaml")
    assert got in caught.value.got
    assert "shop.yaml" in caught.value.expected


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    large, binary = tmp_path / "large.yaml", tmp_path / "binary.yaml"
    large.write_bytes(b"#" * (MOST_BYTES + 1))
    binary.write_bytes(b"rules: \xff\xfe")
    for path in (tmp_path / "missing.yaml", large, binary, tmp_path):
        with pytest.raises(ConfigError, match="a file of rules"):
            read_rules(path)
