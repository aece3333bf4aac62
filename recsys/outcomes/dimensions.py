"""By what outcomes are told: of each list, or of each of its items, a value of every dimension."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal, get_args

from recsys.store import ListDetails, Served

Dimension = Literal[
    "model", "bundle", "variant", "source", "position", "segment", "scenario", "fallback", "explain", "day"
]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
Value = str | None
"""None: the list, or the item, has none of the dimension."""

_NO_DETAILS: Final = ListDetails()
_SEGMENTS: Final = (0, 1, 5, 20)  # least interactions of a list's history
_SEGMENT_NAMES: Final = ("new", "1-4", "5-19", "20+")
_PLACES: Final = (*range(1, 21), 21, 51, 101)  # first position of each group
_PLACE_NAMES: Final = (*map(str, range(1, 21)), "21-50", "51-100", "101+")
_ORDERED: Final[Mapping[str, Sequence[str]]] = {"segment": _SEGMENT_NAMES, "position": _PLACE_NAMES}


def details_of(served: Served) -> ListDetails:
    """How a list was made; nothing is known of it where nobody said."""
    return served.details or _NO_DETAILS


def list_values(dimension: Dimension, served: Served) -> Sequence[Value]:
    """The values of a list: one, but for variants, of which it has one for each experiment that gives it one.

    Args:
        dimension: one that tells lists apart, see `is_of_items`.
        served: the list.
    """
    return _OF_LISTS[dimension](served, details_of(served))


def item_values(dimension: Dimension, served: Served) -> Sequence[Value]:
    """The value of each item of a list, of a dimension that tells items apart."""
    details, count = details_of(served), len(served.item_ids)
    if dimension == "source":
        known: list[Value] = [source or None for source in details.sources[:count]]
        return known + [None] * (count - len(known))
    first = details.offset + 1
    return [_PLACE_NAMES[bisect_right(_PLACES, place) - 1] for place in range(first, first + count)]


def team_values(served: Served) -> Sequence[Value]:
    """Of each item of an interleaved list the variant that brought it; None: it fills the list up. Else empty."""
    details = details_of(served)
    of = next((f"{each.experiment}/{each.version}" for each in details.variants if not each.variant), None)
    if of is None:
        return ()
    return [f"{of}/{team}" if team else None for team in details.teams[: len(served.item_ids)]]


def is_of_items(dimension: Dimension) -> bool:
    """Whether items of one list may have different values: of positions, and of sources."""
    return dimension not in _OF_LISTS


def order_of(dimension: Dimension, value: Value) -> tuple[int, int, str]:
    """What values of a dimension are put in order by: as they follow each other, or as texts; none is last."""
    if value is None:
        return (1, 0, "")
    names = _ORDERED.get(dimension, ())
    return (0, names.index(value) if value in names else 0, value)


def _day(served: Served, _: ListDetails) -> Sequence[Value]:
    return (datetime.fromtimestamp(served.timestamp, UTC).date().isoformat(),)


def _segment(_: Served, details: ListDetails) -> Sequence[Value]:
    return (_SEGMENT_NAMES[bisect_right(_SEGMENTS, details.history) - 1],)


def _bundle(served: Served, details: ListDetails) -> Sequence[Value]:
    return (f"{details.bundle} {served.bundle_version}".lstrip(),)


_OF_LISTS: Final[Mapping[str, Callable[[Served, ListDetails], Sequence[Value]]]] = {
    "model": lambda served, _: (served.model,),
    "bundle": _bundle,
    # An interleaved list is of no one variant, see `team_values`.
    "variant": lambda _, details: [
        f"{each.experiment}/{each.version}/{each.variant}" for each in details.variants if each.variant
    ],
    "segment": _segment,
    "scenario": lambda _, details: (details.scenario,),
    "fallback": lambda _, details: (details.fallback,),
    "explain": lambda _, details: (details.explain,),
    "day": _day,
}
