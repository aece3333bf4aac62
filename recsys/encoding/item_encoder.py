"""From items that a bundle does not hold to what its sources need of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recsys.core.types import Float32Array
from recsys.encoding.entry import CatalogueEntry
from recsys.sources.new_items import NewItems


class ItemEncoder:
    """The text encoder and the item tower of a bundle. Safe to call from several threads at once.

    Attributes:
        fingerprint: hexadecimal; of all that a text's vector depends on beside the text, so that bundles of the same
            fingerprint give a text the same vector.
        dim: E, width of a text's vector.
    """

    fingerprint: str
    dim: int

    @classmethod
    def load(cls, folder: Path) -> ItemEncoder:
        """Read it from the folder of a bundle's version. What is large is read when it is first needed.

        Raises:
            BundleError: a file is missing, or not what an export writes.
        """
        raise NotImplementedError

    def text_of(self, entry: CatalogueEntry) -> str:
        """What the text encoder reads of an item, as preparing a dataset makes it; empty where it has no text."""
        raise NotImplementedError

    def encode_texts(self, texts: Sequence[str]) -> Float32Array:
        """Vectors float32 [M, E] of texts; zero for an empty one. Takes milliseconds a text.

        A text's vector hardly depends on which others it is encoded with: sums are taken in another order.
        """
        raise NotImplementedError

    def new_items(self, entries: Sequence[CatalogueEntry], text_vectors: Float32Array) -> NewItems:
        """Vectors and lenders of M items, as a training run exports them for items without interactions.

        Args:
            entries: of the items.
            text_vectors: float32 [M, E], what `encode_texts` gave for their texts.
        """
        raise NotImplementedError
