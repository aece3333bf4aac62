"""Bundles: everything a trained model needs to serve, in one versioned, checksummed folder."""

from recsys.bundle.attributes import Attributes
from recsys.bundle.catalogue import Catalogue, ItemCard, ItemRecord
from recsys.bundle.reader import Bundle, open_bundle
from recsys.bundle.writer import BundleWriter, require_writable

__all__ = [
    "Attributes",
    "Bundle",
    "BundleWriter",
    "Catalogue",
    "ItemCard",
    "ItemRecord",
    "open_bundle",
    "require_writable",
]
