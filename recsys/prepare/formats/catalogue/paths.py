"""Paths to values within records: `product.id`, and `categories[].name` for that of each entry of a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from recsys.prepare.mapping_settings import LIST_MARK

MAX_DEPTH, MAX_NAMES = 5, 2000
Steps = tuple[str, ...]
"""Names of fields from the outside in; `LIST_MARK`, as a step of its own, is each entry of a list."""


def steps_of(path: str) -> Steps:
    """The steps of a path as it is written."""
    return tuple(path.replace(LIST_MARK, f".{LIST_MARK}").split("."))


def value_at(tree: Any, steps: Steps) -> Any:
    """The value at the end of a path, None where there is none; behind `[]`, a list of those of all entries."""
    for number, step in enumerate(steps):
        if step == LIST_MARK:
            if not isinstance(tree, list):
                return None
            return [value for entry in tree if (value := value_at(entry, steps[number + 1 :])) is not None]
        if not isinstance(tree, dict):
            return None
        tree = tree.get(step)
    return tree


def names_in(tree: Any) -> dict[str, Steps]:
    """All paths to values within a record, as they are written, with their steps."""
    return dict(entry for entry, _ in zip(_walk(tree, "", ()), range(MAX_NAMES), strict=False))


def _walk(tree: Any, name: str, steps: Steps) -> Iterator[tuple[str, Steps]]:
    if steps:
        yield name, steps
    if len(steps) >= MAX_DEPTH:
        return
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _walk(value, f"{name}.{key}" if name else str(key), (*steps, str(key)))
    elif isinstance(tree, list) and steps:
        for entry in tree[:3]:
            yield from _walk(entry, name + LIST_MARK, (*steps, LIST_MARK))
