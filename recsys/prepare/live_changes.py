"""What the stores among the inputs say of items and users since their bundles were made, for the next one to absorb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recsys.core.item_changes import FieldValue, ItemChange
from recsys.core.persons import Persons
from recsys.prepare.formats.base import SaidOfUser, load_format
from recsys.prepare.formats.evident import STORE
from recsys.prepare.inputs import Inputs


@dataclass
class LiveChanges:
    """What all stores say.

    Attributes:
        items: of each item its last change; where several stores have it, the latest.
        persons: of each store whom to forget, and which ids are one person's.
        users: attributes by the id of the user, None without consent; where several stores have it, the latest.
        versions: number of changes of items of each store, by its path; later ones are left to the next dataset.
    """

    items: list[ItemChange] = field(default_factory=list)
    persons: list[Persons] = field(default_factory=list)
    users: dict[str, Mapping[str, FieldValue] | None] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    def to_manifest(self) -> dict[str, Any]:
        """Nothing where no store has any changes of items."""
        if not self.items:
            return {}
        deleted = sum(change.deleted for change in self.items)
        stores = [{"path": path, "version": version} for path, version in self.versions.items()]
        return {"live_items": {"changed": len(self.items) - deleted, "deleted": deleted, "stores": stores}}


def live_changes(inputs: Inputs) -> LiveChanges:
    """Read what all stores that are named as inputs say. Events come first: whoever is forgotten meanwhile is.

    Raises:
        StoreError, StoreUnavailable: see `recsys.prepare.formats.event_store`.
    """
    said = LiveChanges()
    latest: dict[str, ItemChange] = {}
    users: dict[str, SaidOfUser] = {}
    for path in inputs.stores:
        read = load_format(STORE).said_since
        if read is None:
            raise TypeError("a store says what changed since")
        since = read(path)
        said.versions[path.as_posix()] = since.version
        for user_id, of_user in since.users.items():
            if user_id not in users or of_user.timestamp >= users[user_id].timestamp:
                users[user_id] = of_user
        if since.persons:
            said.persons.append(since.persons)
        for change in since.items:
            known = latest.get(change.item_id)
            if known is None or change.timestamp >= known.timestamp:
                latest[change.item_id] = change
    said.users = {
        user_id: of_user.attributes
        for user_id, of_user in users.items()
        if not any(of_user.timestamp <= persons.forgotten_until(user_id) for persons in said.persons)
    }
    said.items = sorted(latest.values(), key=lambda change: change.item_id)
    return said
