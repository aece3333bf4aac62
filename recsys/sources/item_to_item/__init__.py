"""Item-to-item sources: what goes with the items of the history. The `*_fit` modules need SciPy, serving does not."""

from recsys.sources.item_to_item.source import ItemToItem, NeighbourReading

__all__ = ["ItemToItem", "NeighbourReading"]
