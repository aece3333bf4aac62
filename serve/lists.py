"""From ranked item rows to the lists of an answer: filters, filling up, descriptions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.bundle import ItemCard
from recsys.bundle.layout import FULL
from recsys.ranking.recommender import filter_depth
from recsys.retrieval.base import NO_ITEM, Queries
from serve.loaded import Loaded
from serve.schemas.recommendations import Options

POPULARITY = "popularity"
RANKER = "ranker"

Mask = NDArray[np.bool_]


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

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    confidences: NDArray[np.float64]
    retrieval_scores: NDArray[np.float32] | None
    ratings: NDArray[np.float32] | None
    proposed: NDArray[np.bool_]
    proposers: tuple[str, ...]
    model_source: str
    seconds: Mapping[str, float] = field(default_factory=dict)
    candidates: Mapping[str, float] = field(default_factory=dict)


@dataclass
class UserList:
    """The list of one user: items of the model, then popular ones."""

    items: list[dict[str, Any]] = field(default_factory=list)
    personal: int = 0


def lists(loaded: Loaded, queries: Queries, options: Options) -> tuple[list[UserList], Ranked]:
    """The list of each query, best first, and what the model gave.

    A list is shorter than k where no more of the catalogue fit.
    """
    mask = loaded.facets.mask(*options.filters) if options.filtered else None
    ranked = rank(loaded, queries, options, mask)
    chosen = _chosen(ranked.items, mask, options.k)
    counts = chosen.sum(axis=1).tolist()
    short = [b for b, count in enumerate(counts) if count < options.k]
    popular = _popular(loaded, queries, options, ranked.items, chosen, short, mask) if short else {}
    entries = _entries(loaded, ranked, chosen)
    found = [UserList(list(islice(entries, count)), count) for count in counts]
    total = max(float(loaded.popularity.sum()), 1e-9) if popular else 1.0
    cards = loaded.cards([row for listed in popular.values() for row in listed])
    for b, listed in popular.items():
        first = counts[b] + 1
        found[b].items += [
            _popular_entry(rank, cards[row], float(loaded.popularity[row]), total)
            for rank, row in enumerate(listed, first)
        ]
    return found, ranked


def rank(loaded: Loaded, queries: Queries, options: Options, mask: Mask | None) -> Ranked:
    """Put items in order by the model asked for; a single retriever deeper than k where a mask follows."""
    if options.model != FULL:
        depth = options.k if mask is None else filter_depth(options.k, loaded.bundle.n_items)
        return _rank_by_one(loaded, queries, options, depth)
    recommender = loaded.recommender
    found = recommender.recommend(queries, options.k, exclude_seen=options.exclude_seen, allowed=mask)
    return Ranked(
        np.where(found.fallback[:, None], NO_ITEM, found.items),
        found.scores,
        loaded.confidence(FULL, found.scores),
        found.retrieval_scores,
        found.ratings,
        found.sources,
        recommender.sources,
        recommender.retriever.name if recommender.ranker is None else RANKER,
        found.seconds,
        found.candidates,
    )


def _rank_by_one(loaded: Loaded, queries: Queries, options: Options, depth: int) -> Ranked:
    retriever = loaded.retriever(options.model)
    found = retriever.retrieve(queries, depth, exclude_seen=options.exclude_seen)
    if options.model == POPULARITY:
        confidences = found.scores.astype(np.float64) / max(float(loaded.popularity.sum()), 1e-9)
    else:
        confidences = loaded.confidence(options.model, found.scores)
    return Ranked(
        found.items,
        found.scores,
        confidences,
        found.scores if retriever is loaded.recommender.retriever else None,
        None,
        np.ones((*found.items.shape, 1), bool),
        (options.model,),
        options.model,
    )


def _chosen(items: NDArray[np.int32], mask: Mask | None, k: int) -> Mask:
    """The first k of each row that are items and pass the mask, bool [B, D]."""
    fit: Mask = items != NO_ITEM
    if mask is not None:
        fit &= mask[items]
    if items.shape[1] > k:
        fit &= np.cumsum(fit, axis=1) <= k
    return fit


def _popular(
    loaded: Loaded,
    queries: Queries,
    options: Options,
    items: NDArray[np.int32],
    chosen: Mask,
    short: list[int],
    mask: Mask | None,
) -> dict[int, list[int]]:
    """Popular item rows that fill up the lists of the queries `short`."""
    order = loaded.popular if mask is None else loaded.popular[mask[loaded.popular]]
    found = {}
    for b in short:
        taken = items[b, chosen[b]]
        missing = options.k - len(taken)
        if options.exclude_seen:
            histories = queries.histories
            taken = np.concatenate([taken, histories.items[histories.indptr[b] : histories.indptr[b + 1]]])
        first = order[: missing + len(taken)]
        found[b] = first[~np.isin(first, taken)][:missing].tolist()
    return found


def _entries(loaded: Loaded, ranked: Ranked, chosen: Mask) -> Iterator[dict[str, Any]]:
    """What the lists show of the items chosen, one query after the other."""
    rows = ranked.items[chosen].tolist()
    numbers = [
        # NaN becomes null in JSON
        repeat(math.nan) if column is None else np.round(column[chosen].astype(np.float64), 6).tolist()
        for column in (ranked.scores, ranked.confidences, ranked.retrieval_scores, ranked.ratings)
    ]
    ranks = np.cumsum(chosen, axis=1)[chosen].tolist()
    proposers = ranked.proposed[chosen] @ (1 << np.arange(len(ranked.proposers)))  # each set of them as a number
    names = {code: _names(ranked.proposers, code) for code in set(proposers.tolist())}
    cards, model_source = loaded.cards(rows), ranked.model_source
    columns = zip(ranks, rows, *numbers, proposers.tolist(), strict=False)
    for rank, row, score, confidence, retrieval_score, rating, code in columns:
        item_id, title, brand, price = cards[row]
        sources = names[code]
        yield {
            "rank": rank,
            "item_id": item_id,
            "title": title,
            "brand": brand,
            "price": price,
            "score": score,
            "confidence": confidence,
            "retrieval_score": retrieval_score,
            "predicted_rating": rating,
            "source": sources[0] if sources else model_source,
            "sources": sources,
            "model_source": model_source,
        }


def _names(names: Sequence[str], code: int) -> list[str]:
    """The names whose bits are set."""
    return [name for bit, name in enumerate(names) if code >> bit & 1]


def _popular_entry(rank: int, card: ItemCard, popularity: float, total: float) -> dict[str, Any]:
    return {
        "rank": rank,
        "item_id": card.item_id,
        "title": card.title,
        "brand": card.brand,
        "price": card.price,
        "score": round(popularity, 6),
        "confidence": round(min(max(popularity / total, 0.0), 1.0), 6),
        "retrieval_score": None,
        "predicted_rating": None,
        "source": POPULARITY,
        "sources": [POPULARITY],
        "model_source": POPULARITY,
    }
