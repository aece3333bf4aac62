"""A bundle with what its shop has said of items since it was made: other prices, sold out, gone, new."""

from recsys.bundle.overlay.live_bundle import LiveBundle
from recsys.bundle.overlay.live_items import LiveItems, new_among

__all__ = ["LiveBundle", "LiveItems", "new_among"]
