"""What a worker knows of the store's live items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from recsys.store import LiveItem


@dataclass(frozen=True)
class KnownItems:
    """Live items as of a moment.

    Attributes:
        version: number of the last change that is known.
        items: by id, in the order of their first changes; deleted ones among them.
    """

    version: int = 0
    items: Mapping[str, LiveItem] = field(default_factory=dict)

    def with_changes(self, changed: Iterable[LiveItem], version: int) -> Self:
        """With items as they are by now.

        Args:
            changed: items whose last change has a greater number than that of before.
            version: number up to which all changes are among them.
        """
        changed = list(changed)
        items = {**self.items, **{item.change.item_id: item for item in changed}}
        if any(item.change.item_id not in self.items for item in changed):
            items = dict(sorted(items.items(), key=lambda entry: entry[1].first_version))
        latest = max((item.change.version for item in changed), default=0)
        return type(self)(max(version, latest), items)
