"""What the stores among the inputs say of items since their bundles were made, for the next one to absorb."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from recsys.core.item_changes import ItemChange
from recsys.prepare.formats.event_store import read_live_items
from recsys.prepare.inputs import Inputs


@dataclass
class LiveChanges:
    """The live items of all stores.

    Attributes:
        items: of each item its last change; where several stores have it, the latest.
        versions: number of changes of each store, by its path; those that come later are left to the next dataset.
    """

    items: list[ItemChange] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)

    def to_manifest(self) -> dict[str, Any]:
        """Nothing where no store has any."""
        if not self.items:
            return {}
        deleted = sum(change.deleted for change in self.items)
        stores = [{"path": path, "version": version} for path, version in self.versions.items()]
        return {"live_items": {"changed": len(self.items) - deleted, "deleted": deleted, "stores": stores}}


def live_changes(inputs: Inputs) -> LiveChanges:
    """Read the live items of all stores that are named as inputs.

    Raises:
        StoreError, StoreUnavailable: see `recsys.prepare.formats.event_store`.
    """
    latest: dict[str, ItemChange] = {}
    versions = {}
    for path in inputs.stores:
        version, changes = read_live_items(path)
        versions[path.as_posix()] = version
        for change in changes:
            known = latest.get(change.item_id)
            if known is None or change.timestamp >= known.timestamp:
                latest[change.item_id] = change
    return LiveChanges(sorted(latest.values(), key=lambda change: change.item_id), versions)
