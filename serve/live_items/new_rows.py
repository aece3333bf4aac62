"""New items of one bundle: which of them have a row, and with which vectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recsys.core.item_changes import ItemChange
from recsys.core.queries import NO_ITEM
from recsys.core.types import Float16Array, Float32Array, Int32Array
from recsys.encoding import CatalogueEntry
from recsys.sources.new_items import NewItems
from recsys.store import LiveItem
from serve.live_items.texts import TextVectors, key_of

Waiting = Literal["encoding", "no_text", "no_encoder"]
"""What a new item waits for: encoding: its vector; no_text, no_encoder: the next bundle, since there is nothing to
encode, or the bundle has no encoder."""


@dataclass
class _Described:
    """What an encoder reads of an item: as of a change of it, the entry and its text."""

    version: int
    entry: CatalogueEntry
    text: str
    key: str


@dataclass
class _Encoded:
    """What an item was made of last, and what became of it."""

    entry: CatalogueEntry
    key: str
    vector: Float16Array
    lenders: Int32Array
    weights: Float32Array


class NewRows:
    """The new items of one bundle that have a row. An item keeps its row once it has one, whatever becomes of it."""

    def __init__(self, texts: TextVectors | None, dim: int) -> None:
        """None has a row yet.

        Args:
            texts: by the bundle's encoder; None: it has none.
            dim: D, width of the vectors of items.
        """
        self.texts, self._dim = texts, dim
        self._described: dict[str, _Described] = {}
        self._encoded: dict[str, _Encoded] = {}  # in the order of their rows

    def waits_for(self, item: LiveItem) -> Waiting:
        """What keeps a new item that is not deleted from lists."""
        if self.texts is None:
            return "no_encoder"
        return "encoding" if self._describe(item, self.texts).text else "no_text"

    def missing(self, items: Iterable[LiveItem]) -> dict[str, str]:
        """Texts of new items whose vectors are not known, by key."""
        if self.texts is None:
            return {}
        described = [self._describe(item, self.texts) for item in items if not item.change.deleted]
        return {one.key: one.text for one in described if one.text and one.key not in self.texts}

    def take(self, items: Iterable[LiveItem]) -> bool:
        """Give rows to items whose texts have vectors, and other vectors to those that have changed.

        Returns:
            Whether anything is other than before.
        """
        if self.texts is None:
            return False
        stale: dict[str, _Described] = {}
        for item in items:
            if item.change.deleted:
                continue
            described = self._describe(item, self.texts)
            encoded = self._encoded.get(item.change.item_id)
            current = encoded is not None and (encoded.key, encoded.entry) == (described.key, described.entry)
            if not current and described.text and described.key in self.texts:
                stale[item.change.item_id] = described
        self._encode(stale, self.texts)
        return bool(stale)

    def changes(self, items: Mapping[str, LiveItem]) -> list[ItemChange]:
        """The changes of the items that have a row, in the order of the rows; what is known no more is deleted."""
        known = [items.get(item_id) for item_id in self._encoded]
        return [
            ItemChange(item_id, deleted=True) if item is None else item.change
            for item_id, item in zip(self._encoded, known, strict=True)
        ]

    def new_items(self) -> NewItems:
        """Vectors and lenders of the items that have a row, in this order."""
        encoded = list(self._encoded.values())
        if not encoded:
            return NewItems.none(self._dim)
        most = max(len(one.lenders) for one in encoded)
        lenders = np.full((len(encoded), most), NO_ITEM, np.int32)
        weights = np.zeros((len(encoded), most), np.float32)
        for row, one in enumerate(encoded):
            lenders[row, : len(one.lenders)], weights[row, : len(one.weights)] = one.lenders, one.weights
        return NewItems(np.stack([one.vector for one in encoded]), lenders, weights)

    def _describe(self, item: LiveItem, texts: TextVectors) -> _Described:
        change = item.change
        described = self._described.get(change.item_id)
        if described is None or described.version != change.version:
            entry = CatalogueEntry.of(change.fields)
            text = texts.encoder.text_of(entry)
            described = self._described[change.item_id] = _Described(change.version, entry, text, key_of(text))
        return described

    def _encode(self, described: Mapping[str, _Described], texts: TextVectors) -> None:
        if not described:
            return
        entries = [one.entry for one in described.values()]
        made = texts.encoder.new_items(entries, texts.of(one.key for one in described.values()))
        for row, (item_id, one) in enumerate(described.items()):
            parts = made.vectors[row], made.lenders[row], made.weights[row]
            self._encoded[item_id] = _Encoded(one.entry, one.key, *parts)
