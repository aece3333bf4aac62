"""From ranked item rows to the lists of an answer: filters, filling up, descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from recsys.bundle import ItemCard
from recsys.bundle.layout import FULL
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array
from recsys.pipeline.recommender import filter_depth
from serve.bundles.loaded import LoadedBundle
from serve.kernels import shown
from serve.recommendations.answers import RecommendedItem
from serve.recommendations.options import Options

POPULARITY = "popularity"
RANKER = "ranker"


@dataclass(frozen=True)
class Ranked:
    """What a model puts in order for B queries.

    Attributes:
        items: int32 [B, D], item rows, `NO_ITEM` where the model has none.
        scores: float32 [B, D].
        confidences: float64 [B, D].
        retrieval_scores: float32 [B, D]; None if not computed.
        ratings: float32 [B, D], NaN where there is none; None if not computed.
        proposed: bool [B, D, R], which of the `proposers` proposed each item.
        proposers: their names.
        model_source: what gave the scores.
        seconds: time that stages took, see `Recommendations`.
        candidates: how many items each source proposed for a query, on average.
    """

    items: Int32Array
    scores: Float32Array
    confidences: Float64Array
    retrieval_scores: Float32Array | None
    ratings: Float32Array | None
    proposed: BoolArray
    proposers: tuple[str, ...]
    model_source: str
    seconds: Mapping[str, float] = field(default_factory=dict)
    candidates: Mapping[str, float] = field(default_factory=dict)


@dataclass
class UserList:
    """The list of one user: items of the model, then popular ones."""

    items: list[RecommendedItem] = field(default_factory=list)
    personal: int = 0


def lists(loaded: LoadedBundle, queries: Queries, options: Options) -> tuple[list[UserList], Ranked]:
    """The list of each query, best first, and what the model gave.

    A list is shorter than k where no more of the catalogue fit.
    """
    mask = None if options.filter is None else loaded.facets.mask(options.filter)
    ranked = rank(loaded, queries, options, mask)
    counts, rows, entries = _personal(loaded, ranked, options.k)
    found, popular, end = [], {}, 0
    for b, count in enumerate(counts):
        start, end = end, end + count
        found.append(UserList(entries[start:end], count))
        if count < options.k:
            popular[b] = _popular(loaded, queries, options, mask, b, rows[start:end])
    if popular:
        total = max(float(loaded.popularity.sum()), 1e-9)
        cards = loaded.cards([row for listed in popular.values() for row in listed])
        for b, listed in popular.items():
            found[b].items += [
                _popular_entry(rank, cards[row], float(loaded.popularity[row]), total)
                for rank, row in enumerate(listed, counts[b] + 1)
            ]
    return found, ranked


def rank(loaded: LoadedBundle, queries: Queries, options: Options, mask: BoolArray | None) -> Ranked:
    """Put the items that pass the mask in order by the model asked for."""
    if options.model != FULL:
        return _rank_by_one(loaded, queries, options, mask)
    recommender = loaded.recommender
    found = recommender.recommend(queries, options.k, exclude_seen=options.exclude_seen, allowed=mask)
    items = np.where(found.fallback[:, None], NO_ITEM, found.items) if found.fallback.any() else found.items
    return Ranked(
        items,
        found.scores,
        loaded.confidence(FULL, found.scores),
        found.retrieval_scores,
        found.ratings,
        found.sources,
        recommender.sources,
        recommender.primary.name if recommender.ranker is None else RANKER,
        found.seconds,
        found.candidates,
    )


def _rank_by_one(loaded: LoadedBundle, queries: Queries, options: Options, mask: BoolArray | None) -> Ranked:
    depth = options.k if mask is None else filter_depth(options.k, loaded.bundle.n_items)
    source = loaded.source(options.model)
    found = source.propose(queries, depth, exclude_seen=options.exclude_seen)
    items, scores = np.ascontiguousarray(found.items), np.ascontiguousarray(found.scores)
    if options.model == POPULARITY:
        confidences = scores.astype(np.float64) / max(float(loaded.popularity.sum()), 1e-9)
    else:
        confidences = loaded.confidence(options.model, scores)
    return Ranked(
        items if mask is None else np.where(mask[items], items, NO_ITEM),
        scores,
        confidences,
        scores if source is loaded.recommender.primary else None,
        None,
        np.ones((*items.shape, 1), bool),
        (options.model,),
        options.model,
    )


def _popular(
    loaded: LoadedBundle, queries: Queries, options: Options, mask: BoolArray | None, b: int, listed: Sequence[int]
) -> list[int]:
    """Popular item rows that fill up the list of query b."""
    order = loaded.popular if mask is None else loaded.popular[mask[loaded.popular]]
    taken = np.array(listed, np.int32)
    if options.exclude_seen:
        histories = queries.histories
        taken = np.concatenate([taken, histories.items[histories.indptr[b] : histories.indptr[b + 1]]])
    missing = options.k - len(listed)
    first = order[: missing + len(taken)]
    fitting: list[int] = first[~np.isin(first, taken)][:missing].tolist()
    return fitting


def _personal(loaded: LoadedBundle, ranked: Ranked, k: int) -> tuple[list[int], list[int], list[RecommendedItem]]:
    """Length of each list, and the item rows and the entries of all, one list after the other."""
    unknown = np.full(ranked.items.shape, np.nan, np.float32)  # null in JSON
    retrieval_scores = unknown if ranked.retrieval_scores is None else ranked.retrieval_scores
    ratings = unknown if ranked.ratings is None else ranked.ratings
    found = shown(ranked.items, ranked.scores, ranked.confidences, retrieval_scores, ratings, ranked.proposed, k)
    counts, rows, sources, numbers = [part.tolist() for part in found]
    ranks = [rank for count in counts for rank in range(1, count + 1)]
    names = {code: _names(ranked.proposers, code) for code in set(sources)}
    columns = zip(ranks, rows, *numbers, [names[code] for code in sources], strict=True)
    return counts, rows, _entries(columns, loaded.cards(rows), ranked.model_source)


def _entries(
    columns: Iterable[tuple[int, int, float, float, float, float, list[str]]],
    cards: Mapping[int, ItemCard],
    model_source: str,
) -> list[RecommendedItem]:
    """What lists show: of rank, item row, score, confidence, retrieval score, rating and the names of the proposers."""
    entries = []
    for rank, row, score, confidence, retrieval_score, rating, sources in columns:
        item_id, title, brand, price = cards[row]
        entries.append(
            RecommendedItem(
                rank=rank,
                item_id=item_id,
                title=title,
                brand=brand,
                price=price,
                score=score,
                confidence=confidence,
                retrieval_score=retrieval_score,
                predicted_rating=rating,
                source=sources[0] if sources else model_source,
                sources=sources,
                model_source=model_source,
            )
        )
    return entries


def _names(names: Sequence[str], code: int) -> list[str]:
    """The names whose bits are set."""
    return [name for bit, name in enumerate(names) if code >> bit & 1]


def _popular_entry(rank: int, card: ItemCard, popularity: float, total: float) -> RecommendedItem:
    return RecommendedItem(
        rank=rank,
        item_id=card.item_id,
        title=card.title,
        brand=card.brand,
        price=card.price,
        score=round(popularity, 6),
        confidence=round(min(max(popularity / total, 0.0), 1.0), 6),
        retrieval_score=None,
        predicted_rating=None,
        source=POPULARITY,
        sources=[POPULARITY],
        model_source=POPULARITY,
    )
