"""Items that no training has seen, encoded without TensorFlow: from what a shop says of them to their vectors."""

from recsys.encoding.entry import CatalogueEntry
from recsys.encoding.item_encoder import ItemEncoder, ItemEncoderParts

__all__ = ["CatalogueEntry", "ItemEncoder", "ItemEncoderParts"]
