"""A file of rules: YAML, `rules:` with a list of them, keys as in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from recsys.core.errors import ConfigError, said
from recsys.core.small_files import read_small_file
from recsys.rules.rule import Rule

MOST_BYTES = 4 << 20
_REMEDY = "mend the file; docs/rules.md says what a rule may hold"


def read_rules(path: Path | str) -> tuple[Rule, ...]:
    """The rules of a file, in its order.

    Raises:
        ConfigError: it cannot be read, is larger than `MOST_BYTES`, is no YAML, or holds what is no rule; the message
            names the line.
    """
    path = Path(path)
    try:
        text = read_small_file(path, MOST_BYTES).decode("utf8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"a file of rules in {path}", str(error), _REMEDY) from error
    return parse_rules(text, str(path))


def parse_rules(text: str, name: str = "rules") -> tuple[Rule, ...]:
    """As `read_rules`, of a text; `name` stands for the file in messages."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        loader = yaml.SafeLoader("")
        listed = _listed(root, name)
        rules = [_rule(node, loader, name) for node in listed]
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"YAML in {name}", " ".join(str(error).split()), _REMEDY) from error
    _refuse_twice(rules, listed, name)
    return tuple(rules)


def _listed(root: yaml.Node | None, name: str) -> list[yaml.Node]:
    """The nodes of the rules."""
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"rules: and a list in {name}", "something else", _REMEDY)
    _refuse_key_twice(root, name)
    listed = None
    for key, value in root.value:
        if key.value != "rules":
            raise ConfigError(f"nothing but rules: in {name}", f"{key.value!r} in line {_line(key)}", _REMEDY)
        listed = value
    if not isinstance(listed, yaml.SequenceNode) or listed.tag != yaml.resolver.BaseResolver.DEFAULT_SEQUENCE_TAG:
        raise ConfigError(f"rules: and a list in {name}", "no list", _REMEDY)
    return list(listed.value)


def _rule(node: yaml.Node, loader: yaml.SafeLoader, name: str) -> Rule:
    _refuse_key_twice(node, name)
    try:
        return Rule.model_validate(loader.construct_document(node))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = tuple(first["loc"])
        got = f"{'.'.join(map(str, place)) or 'rule'} in line {_line(_at(node, place))}: {said(first)}"
        raise ConfigError(f"a rule in {name}", got, _REMEDY) from error


def _at(node: yaml.Node, place: Sequence[Any]) -> yaml.Node:
    """The innermost node on the way to a place, as far as it exists; an unknown key itself."""
    for step in place:
        if not isinstance(node, yaml.MappingNode):
            break
        for key, value in node.value:
            if key.value == step:
                node = value
                break
    return node


def _refuse_key_twice(node: yaml.Node, name: str) -> None:
    """YAML itself would take the last one without a word."""
    if not isinstance(node, yaml.MappingNode):
        return
    keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and keys.count(key.value) > 1:
            raise ConfigError(f"each key once in {name}", f"{key.value!r} again in line {_line(key)}", _REMEDY)
        _refuse_key_twice(value, name)


def _refuse_twice(rules: Sequence[Rule], nodes: Sequence[yaml.Node], name: str) -> None:
    lines: dict[str, int] = {}
    for rule, node in zip(rules, nodes, strict=True):
        if rule.id in lines:
            got = f"{rule.id!r} in lines {lines[rule.id]} and {_line(node)}"
            raise ConfigError(f"a different id for each rule in {name}", got, _REMEDY)
        lines[rule.id] = _line(node)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
