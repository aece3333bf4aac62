"""What is wanted of a list."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.bundle.layout import FULL
from recsys.pipeline.allow import ExcludeSeen
from serve.bundles.facets import Filter

DEFAULT_K = 10


@dataclass(frozen=True, slots=True)
class Options:
    """What is wanted; requests of equal options are scored together.

    Attributes:
        k: number of items.
        model: the full pipeline, or one source.
        exclude_seen: leave out the items of the user's history, or those that the user bought.
        as_of: seconds since 1970; histories and events after it are not read. None: everything is.
        filter: what restricts the items; None: nothing does.
        why: say of each item why it is there.
    """

    k: int = DEFAULT_K
    model: str = FULL
    exclude_seen: ExcludeSeen = True
    as_of: float | None = None
    filter: Filter | None = None
    why: bool = False
