"""Checks on a bundle before it is published: is every part there, do the parts fit together, does it recommend."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.bundle import layout
from recsys.bundle.consistency import misfit, require_consistent
from recsys.bundle.reader import Bundle
from recsys.core.queries import Queries
from recsys.core.tower_io import QUERY_TOWER
from recsys.encoding import CatalogueEntry
from recsys.sources.registry import FALLBACK
from recsys.sources.two_tower.source import EMBEDDINGS_FILE, INDEX_FOLDER

_PARTS = (
    QUERY_TOWER.onnx_file,
    EMBEDDINGS_FILE,
    INDEX_FOLDER,
    layout.CATALOGUE_FILE,
    layout.HISTORIES_FOLDER,
    f"{layout.RETRIEVERS_FOLDER}/{FALLBACK}",
)


def require_parts(folder: Path) -> None:
    """Refuse a folder without the parts that every bundle has.

    Raises:
        BundleError: names those that are missing.
    """
    missing = [name for name in _PARTS if not (folder / name).exists()]
    if missing:
        raise misfit("every part of a bundle", f"no {', '.join(missing)}")


def try_out(folder: Path) -> None:
    """Open the written bundle as a reader would, check that its parts fit together, recommend and encode an item.

    Raises:
        BundleError: they do not, or what comes out is no number.
    """
    with Bundle(folder, verify="quick") as bundle:
        require_consistent(bundle)
        _encode_new_item(bundle)
        histories = bundle.histories
        user = int(np.argmax(histories.lengths)) if len(histories) else 0
        query = Queries(histories.select([user]), np.array([user], np.int32), np.zeros(1, np.int64))
        answer = bundle.recommender().recommend(query, 10, exclude_seen=False)
        if np.isnan(answer.scores).any():
            raise misfit("finite recommendation scores", f"NaN for user row {user}")


def _encode_new_item(bundle: Bundle) -> None:
    """Encode an item that the bundle does not hold, if it can."""
    encoder = bundle.item_encoder
    if encoder is None:
        return
    entry = CatalogueEntry("A new item", "Nobody", ("Anything", "New"), 1.0)
    new = encoder.new_items([entry], encoder.encode_texts([encoder.text_of(entry)]))
    if not np.isfinite(new.vectors).all():
        raise misfit("finite vectors of new items", f"{new.vectors} of {entry}")
