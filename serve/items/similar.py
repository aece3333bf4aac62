"""Items similar to one: by what users chose, by content, or by both."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from serve.bundles.loaded import LoadedBundle

DEPTH = 200  # items that each retriever may name
RANK_OFFSET = 60  # of reciprocal rank fusion, after Cormack, Clarke and Büttcher (SIGIR 2009)
CONTENT_PREFIX = "content"


def retrievers_of(loaded: LoadedBundle, by: str) -> list[str]:
    """Names of the item-to-item retrievers that say what is similar: behaviour, content, or both."""
    kinds = loaded.bundle.manifest.sources
    names = [name for name, kind in kinds.items() if kind == "item_to_item"]
    wanted = {"behaviour": (False,), "content": (True,), "both": (False, True)}[by]
    return [name for name in names if name.startswith(CONTENT_PREFIX) in wanted]


def similar_items(loaded: LoadedBundle, row: int, by: str, k: int) -> tuple[list[dict[str, Any]], bool]:
    """The k items most similar to the item `row`, and whether the two-tower had to be asked for want of others.

    The retrievers' lists are fused: an item scores the mean of (60 + 1) / (60 + rank) over all of them, 0 for a list
    that it is not in.
    """
    history = Histories.from_rows(1, np.zeros(1, np.int64), np.array([row]), np.zeros(1, np.int64))
    query = Queries(history, np.array([NO_ITEM], np.int32), np.zeros(1, np.int64))
    names = retrievers_of(loaded, by)
    ranks = {name: _real(loaded.retriever(name).retrieve(query, DEPTH).items[0]) for name in names}
    fallback = not any(ranks.values())
    if fallback:
        two_tower = loaded.recommender.retriever
        found = two_tower.index.search(two_tower.item_embeddings[[row]].astype(np.float32), k + 1).items[0]
        ranks = {two_tower.name: [item for item in _real(found) if item != row]}
    scores: dict[int, float] = {}
    sources: dict[int, list[str]] = {}
    for name, items in ranks.items():
        for place, item in enumerate(items, start=1):
            scores[item] = scores.get(item, 0.0) + (RANK_OFFSET + 1) / (RANK_OFFSET + place) / len(ranks)
            sources.setdefault(item, []).append(name)
    best = sorted(scores, key=lambda item: -scores[item])[:k]
    cards = loaded.cards(best)
    return [
        {"rank": rank, **cards[item]._asdict(), "score": round(scores[item], 6), "sources": sources[item]}
        for rank, item in enumerate(best, start=1)
    ], fallback


def _real(items: np.ndarray[Any, np.dtype[np.int32]]) -> list[int]:
    return [int(item) for item in items if item != NO_ITEM]
