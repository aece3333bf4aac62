"""Items similar to one: by what users chose, by content, or by both."""

from __future__ import annotations

from typing import Literal, NamedTuple

from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Int32Array
from recsys.sources.base import Source
from serve.bundles.loaded import LoadedBundle
from serve.items.obeyed import Obeyed

DEPTH = 200  # items that each source may name
RANK_OFFSET = 60  # of reciprocal rank fusion, after Cormack, Clarke and Büttcher (SIGIR 2009)


By = Literal["behaviour", "content", "both"]


class SimilarRow(NamedTuple):
    """An item similar to another: its row, how similar, and the sources that say so."""

    row: int
    score: float
    sources: list[str]


def sources_of(loaded: LoadedBundle, by: By) -> list[Source]:
    """The sources that say what is similar by behaviour, by content, or by both."""
    sources = [loaded.source(name) for name in loaded.bundle.manifest.sources]
    return [source for source in sources if source.similar_by is not None and by in (source.similar_by, "both")]


def similar_items(
    loaded: LoadedBundle, row: int, by: By, k: int, obeyed: Obeyed, chosen: BoolArray | None = None
) -> tuple[list[SimilarRow], bool]:
    """The k items most similar to the item `row`, and whether the primary source had to be asked for want of others.

    The sources' lists are fused: an item scores the mean of (60 + 1) / (60 + rank) over all of them, 0 for a list
    that it is not in. What is not chosen, bool [N], and what the shop's rules forbid, is left out of what that gives.
    """
    ranks = {source.name: _real(source.similar(row, DEPTH).items[0]) for source in sources_of(loaded, by)}
    fallback = not any(ranks.values())
    if fallback:
        primary = loaded.recommender.primary
        depth = max(k, DEPTH) if obeyed.policy is not None or chosen is not None else k
        ranks = {primary.name: _real(primary.similar(row, depth).items[0])}
    scores: dict[int, float] = {}
    sources: dict[int, list[str]] = {}
    for name, items in ranks.items():
        for rank, item in enumerate(items, start=1):
            scores[item] = scores.get(item, 0.0) + (RANK_OFFSET + 1) / (RANK_OFFSET + rank) / len(ranks)
            sources.setdefault(item, []).append(name)
    best = sorted(scores, key=lambda item: -scores[item])
    if chosen is not None:
        best = [item for item in best if chosen[item]]
    best = obeyed.allowed(best)[:k]
    return [SimilarRow(item, scores[item], sources[item]) for item in best], fallback


def _real(items: Int32Array) -> list[int]:
    return [int(item) for item in items if item != NO_ITEM]
