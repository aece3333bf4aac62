"""Checks on a bundle before it is published: is every part there, do the parts fit together, does it recommend."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.bundle import layout
from recsys.bundle.reader import Bundle
from recsys.core.errors import BundleError
from recsys.core.queries import Queries
from recsys.core.tower_io import QUERY_TOWER
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
        raise _misfit("every part of a bundle", f"no {', '.join(missing)}")


def try_out(folder: Path) -> None:
    """Open the written bundle as a reader would, check that its parts fit together, and recommend once.

    Raises:
        BundleError: they do not, or what is recommended is no number.
    """
    with Bundle(folder, verify="quick") as bundle:
        _require_one_catalogue(bundle)
        for name in bundle.sources:
            if fault := bundle.source(name).fault():
                raise _misfit(f"a source {name} whose parts fit together", fault)
        histories = bundle.histories
        user = int(np.argmax(histories.lengths)) if len(histories) else 0
        query = Queries(histories.select([user]), np.array([user], np.int32), np.zeros(1, np.int64))
        answer = bundle.recommender().recommend(query, 10, exclude_seen=False)
        if np.isnan(answer.scores).any():
            raise _misfit("finite recommendation scores", f"NaN for user row {user}")


def _require_one_catalogue(bundle: Bundle) -> None:
    """Every part speaks of the same items, and the histories of the same users as the catalogue."""
    histories, n_items = bundle.histories, bundle.n_items
    counts = {
        "item_embeddings.npy": n_items,
        "catalogue.sqlite": bundle.catalogue.n_items,
        **{f"retrievers/{name}": bundle.source(name).n_items for name in bundle.sources},
    }
    if bundle.ranker is not None:
        sizes = {name: group.n_items for name, group in bundle.ranker.features.groups.items()}
        counts |= {f"features/{name}": size for name, size in sizes.items() if size is not None}
    if bundle.rating_predictor is not None:
        counts["ratings/"] = len(bundle.rating_predictor.statistics.item_counts)
        counts[f"ratings/{layout.ITEM_PARTS_FILE}"] = len(bundle.rating_predictor.item_parts)
    if len(set(counts.values())) > 1:
        raise _misfit("as many items in every part", ", ".join(f"{n} in {part}" for part, n in counts.items()))
    if histories.items.max(initial=-1) >= n_items or len(histories) != bundle.catalogue.n_users:
        raise _misfit(
            f"histories of {bundle.catalogue.n_users} users over items below {n_items}",
            f"{len(histories)} users, highest item {histories.items.max(initial=-1)}",
        )


def _misfit(expected: str, got: str) -> BundleError:
    return BundleError(expected, got, "export all parts of the bundle from one model and one prepared dataset")
