"""One bundle, and one overlay after the other of live items over it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Literal

from recsys.bundle.overlay import LiveBundle
from recsys.bundle.overlay.fitting import fitting
from recsys.core.item_changes import ItemChange
from recsys.store import LiveItem, Store
from serve.bundles.loaded import LoadedBundle
from serve.live_items.known import KnownItems
from serve.live_items.new_rows import NewRows, Waiting
from serve.live_items.texts import TextVectors

ItemState = Literal["trained", "new", "deleted"] | Waiting


class Overlays:
    """Makes overlays over one bundle. Texts may be encoded, and the state of an item asked for, meanwhile.

    Attributes:
        base: the bundle.
        used: whether lists have been made from it, or from what is over it.
    """

    def __init__(self, base: LoadedBundle) -> None:
        """Nothing is over it yet."""
        self.base, self.used = base, False
        self._known: KnownItems | None = KnownItems()  # of the latest overlay
        encoder = base.bundle.item_encoder
        self._rows = NewRows(None if encoder is None else TextVectors(encoder), base.bundle.item_embeddings.shape[1])
        self._trained: dict[str, bool] = {}
        self._overlay: LiveBundle | None = None
        self._loaded: LoadedBundle | None = None
        self._making = threading.Lock()

    def make(self, known: KnownItems) -> LoadedBundle | None:
        """The bundle with all that is known over it, as far as it can be; None: that is what was made last."""
        with self._making:
            moved = self._rows.take(self._new(known).values())
            if not moved and known == self._known:
                return None
            types = self.base.bundle.attributes.types
            trained = [item.change for item in known.items.values() if self._trained[item.change.item_id]]
            changes = [fitting(change, types) for change in (*trained, *self._rows.changes(known.items))]
            self.discard()  # unless it can be made
            self._overlay, self._loaded = self._over(changes)
            self._known = known
            return self._loaded or self.base

    def _over(self, changes: Sequence[ItemChange]) -> tuple[LiveBundle | None, LoadedBundle | None]:
        if not changes:
            return None, None
        overlay = LiveBundle(self.base.bundle, changes, self._rows.new_items(), self._overlay)
        return overlay, self.base.over(overlay, self._loaded)

    def discard(self) -> None:
        """The latest overlay is not served: it is to be made again."""
        self._known = None

    def read_vectors(self, known: KnownItems, store: Store) -> int:
        """Take the vectors of new items' texts that the store has; how many are missing then. Raises as the store."""
        if self._rows.texts is None:
            return 0
        missing = self._missing(known)
        if missing:
            self._rows.texts.read(missing, store)
            missing = self._missing(known)
        return len(missing)

    def encode_some(self, known: KnownItems, store: Store) -> bool:
        """Encode a few texts of new items that have no vector; whether any. Raises as the store does."""
        missing = self._missing(known)
        return bool(missing) and self._rows.texts is not None and self._rows.texts.encode_some(missing, store)

    def _missing(self, known: KnownItems) -> dict[str, str]:
        with self._making:
            return self._rows.missing(self._new(known).values())

    def state(self, item: LiveItem, served: LoadedBundle) -> ItemState:
        """What a live item is to this bundle, as an overlay of it that is served knows it."""
        if item.change.deleted:
            return "deleted"
        row = served.bundle.catalogue.item_row(item.change.item_id)
        if row is not None:
            return "trained" if row < self.base.bundle.n_items else "new"
        return self._rows.waits_for(item)

    def count_new(self, known: KnownItems) -> int:
        """New items, which the bundle does not hold, that are not deleted."""
        return sum(not item.change.deleted for item in self._new(known).values())

    def _new(self, known: KnownItems) -> dict[str, LiveItem]:
        unseen = [item_id for item_id in known.items if item_id not in self._trained]
        rows = self.base.bundle.catalogue.item_rows(unseen)
        self._trained.update((item_id, item_id in rows) for item_id in unseen)
        return {item_id: item for item_id, item in known.items.items() if not self._trained[item_id]}
