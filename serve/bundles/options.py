"""What is wanted of a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from recsys.bundle.layout import FULL
from recsys.pipeline.allow import ExcludeSeen
from serve.bundles.facets import Filter

DEFAULT_K = 10
ContextValue = str | float | bool


class Given(NamedTuple):
    """What a request says of its context under one name; to Python 1.0 equals True, so the type is kept beside it."""

    name: str
    value: ContextValue
    type: str

    @classmethod
    def all_of(cls, context: Mapping[str, ContextValue]) -> tuple[Given, ...]:
        """The whole context, the same for whatever order its names came in."""
        return tuple([cls(name, value, type(value).__name__) for name, value in sorted(context.items())])


@dataclass(frozen=True, slots=True)
class Options:
    """What is wanted; requests of equal options are scored together.

    Attributes:
        k: number of items.
        offset: how many items stand before the first of them, see `recsys.pipeline.pages`.
        model: the full pipeline, or one source.
        exclude_seen: leave out the items of the user's history, or those that the user bought.
        as_of: seconds since 1970; histories and events after it are not read. None: everything is.
        filter: what restricts the items; None: nothing does.
        exclude_items: ids of items that are not wanted.
        only_items: ids of the items that are to be put in order, and no others; None: any may be in the list.
        asked: names of those attributes that the request says itself, as far as variants override them: k, model, why.
            Lists do not depend on it.
        logged: note the list in the served log. Lists do not depend on it either.
        why: say of each item why it is there.
        scenario: name of where the list is shown, which rules of the shop may be for; None: none was given.
        context: what else the shop's rules may read.
    """

    k: int = DEFAULT_K
    model: str = FULL
    exclude_seen: ExcludeSeen = True
    as_of: float | None = None
    filter: Filter | None = None
    why: bool = False
    scenario: str | None = None
    context: tuple[Given, ...] = ()
    offset: int = 0
    exclude_items: tuple[str, ...] = ()
    only_items: tuple[str, ...] | None = None
    asked: frozenset[str] = field(default=frozenset(), compare=False)
    logged: bool = field(default=True, compare=False)

    @property
    def length(self) -> int:
        """Of the shortest list that holds the k items wanted."""
        return self.offset + self.k

    @property
    def restricted(self) -> bool:
        """Whether the request itself says which items it wants."""
        return self.filter is not None or bool(self.exclude_items) or self.only_items is not None

    @property
    def context_values(self) -> dict[str, ContextValue]:
        """The context by name."""
        return {given.name: given.value for given in self.context}
