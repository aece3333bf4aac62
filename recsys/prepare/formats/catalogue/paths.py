"""Paths to values within records: `product.id`, and `categories[].name` for that of each entry of a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

EACH: Final = "[]"
MAX_DEPTH, MAX_NAMES = 5, 2000
Path = tuple[str, ...]


def steps_of(path: str) -> Path:
    """The steps of a path as it is written."""
    return tuple(path.replace(EACH, f".{EACH}").split("."))


def value_at(tree: Any, steps: Path) -> Any:
    """The value at the end of a path, None where there is none; behind `[]`, a list of those of all entries."""
    for number, step in enumerate(steps):
        if step == EACH:
            if not isinstance(tree, list):
                return None
            return [value for entry in tree if (value := value_at(entry, steps[number + 1 :])) is not None]
        if not isinstance(tree, dict):
            return None
        tree = tree.get(step)
    return tree


def names_in(tree: Any) -> dict[str, Path]:
    """All paths to values within a record, as they are written, with their steps."""
    return dict(entry for entry, _ in zip(_walk(tree, "", ()), range(MAX_NAMES), strict=False))


def _walk(tree: Any, name: str, steps: Path) -> Iterator[tuple[str, Path]]:
    if steps:
        yield name, steps
    if len(steps) >= MAX_DEPTH:
        return
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _walk(value, f"{name}.{key}" if name else str(key), (*steps, str(key)))
    elif isinstance(tree, list) and steps:
        for entry in tree[:3]:
            yield from _walk(entry, name + EACH, (*steps, EACH))
