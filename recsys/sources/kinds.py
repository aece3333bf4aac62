"""The kinds of sources that a folder can hold beside the two-tower, and how to read one back. NumPy alone."""

from __future__ import annotations

from pathlib import Path

from recsys.core.errors import BundleError
from recsys.sources.base import Source
from recsys.sources.factors import ImplicitFactors
from recsys.sources.item_to_item import ItemToItem
from recsys.sources.popularity import Popularity

KINDS: dict[str, type[Source]] = {
    "popularity": Popularity,
    "item_to_item": ItemToItem,
    "factors": ImplicitFactors,
}


def kind_of(source: Source) -> str:
    """The name of the source's kind, to be kept beside its folder: its own name says what it was fitted as.

    Raises:
        TypeError: it is of none of `KINDS`.
    """
    for kind, made_of in KINDS.items():
        if type(source) is made_of:
            return kind
    raise TypeError(f"{type(source).__name__} is none of the kinds {', '.join(KINDS)}")


def load_source(kind: str, folder: Path) -> Source:
    """Read what a source of that kind saved into `folder`.

    Raises:
        BundleError: no such kind.
    """
    if kind not in KINDS:
        raise BundleError(
            f"one of the kinds of sources {', '.join(KINDS)} for {folder}",
            repr(kind),
            "read it with the version of the program that wrote it",
        )
    return KINDS[kind].load(folder)
