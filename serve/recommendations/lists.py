"""From the lists of the pipeline to what answers show of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat

import numpy as np

from recsys.bundle import ItemCard
from recsys.bundle.layout import FULL
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import Float64Array
from recsys.pipeline.pages import page, pages
from recsys.pipeline.policy import Policy
from recsys.pipeline.recommendations import Recommendations, names_of
from recsys.sources.registry import FALLBACK
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import Options
from serve.bundles.restrictions import Asked
from serve.kernels import shown
from serve.recommendations.answers import RecommendedItem, Why


@dataclass
class UserList:
    """The list of one user.

    Attributes:
        items: best first.
        personal: how many of them are the model's; the others are popular ones.
        fills: of each item, whether it is such a popular one.
        shortened_by: ids of the shop's rules that are why there are not more.
        cut: whether rules may have taken items of the model's.
    """

    items: list[RecommendedItem] = field(default_factory=list)
    personal: int = 0
    fills: Sequence[bool] = ()
    shortened_by: Sequence[str] = ()
    cut: bool = False


def lists(
    loaded: LoadedBundle,
    queries: Queries,
    options: Options,
    policy: Policy | None = None,
    *,
    in_force: bool = False,
    whole: bool = False,
) -> tuple[list[UserList], Recommendations]:
    """The list of each query, best first, and what it was made from; both without the first `options.offset` items.

    A list is shorter than k where no more of the catalogue fit.

    Args:
        loaded, queries, options: see above.
        policy: what the shop wants of them.
        in_force: rules of the shop are, so that items say which moved them, also if none acts for these queries: an
            answer must not look different for whom it is computed together with.
        whole: with the first items, too.
    """
    made = recommend(loaded, queries, options, policy, whole=whole)
    ratings = np.full(made.items.shape, np.nan, np.float32) if made.ratings is None else made.ratings  # null in JSON
    confidences, k = _confidences(loaded, made, options), made.items.shape[1]
    columns = shown(made.items, made.scores, confidences, made.retrieval_scores, ratings, made.proposed, k)
    counts, rows, proposers, numbers = [part.tolist() for part in columns]
    popular = made.popular[made.items != NO_ITEM].tolist()
    offset = 0 if whole else options.offset
    entries = _entries(made, loaded.cards(rows), counts, rows, popular, proposers, numbers, offset)
    end, of_users = 0, []
    cut: Iterable[bool] = repeat(False) if made.moves is None else made.moves.cut.tolist()
    for count, own, shortened_by, was_cut in zip(
        counts, made.personal.tolist(), _shortened_by(made), cut, strict=False
    ):
        start, end = end, end + count
        of_users.append(UserList(entries[start:end], own, popular[start:end], shortened_by, was_cut))
    if in_force:
        _add_moves(made, entries)
    return of_users, made


def add_whys(made: Sequence[UserList], whys: Iterable[Why]) -> None:
    """Put into each item why it is there; one for each, one list after the other."""
    items = (item for listed in made for item in listed.items)
    for item, why in zip(items, whys, strict=True):
        item.why = why


def recommend(
    loaded: LoadedBundle, queries: Queries, options: Options, policy: Policy | None = None, *, whole: bool = False
) -> Recommendations:
    """The page of the lists that the model asked for makes, as the shop wants them; `whole`: all up to that page."""
    asked = Asked.of(loaded, options).restrictions if options.restricted else ()
    by = None if options.model == FULL else loaded.source(options.model)
    listing = partial(
        loaded.recommender.recommend,
        by=by,
        exclude_seen=options.exclude_seen,
        restrictions=(*asked, *loaded.bundle.in_stock),
        policy=policy,
    )
    settled = loaded.recommender.settled if by is None else 0

    def of_length(length: int, first: Recommendations | None) -> Recommendations:
        return listing(queries, length, first=first)

    if whole:
        return pages(of_length, options.k, options.length, settled)
    return page(of_length, options.k, options.offset, settled)


def _add_moves(made: Recommendations, entries: Sequence[RecommendedItem]) -> None:
    """Put into each item where it stood before the shop's rules, and which of them moved it."""
    moves = made.moves
    if moves is None or not moves.rules:
        for entry in entries:
            entry.rank_before, entry.rules = entry.rank, []
        return
    listed = made.items != NO_ITEM
    moved_by = np.ascontiguousarray(moves.moved_by[listed])
    sets: list[bytes] = moved_by.view(f"V{len(moves.rules)}")[:, 0].tolist()
    # Few sets of rules move all items of a batch: each is named once.
    named = {moved: names_of(moves.rules, moved) for moved in set(sets)}
    for entry, rank, moved in zip(entries, moves.ranks_before[listed].tolist(), sets, strict=True):
        entry.rank_before, entry.rules = rank, named[moved]


def _shortened_by(made: Recommendations) -> Iterable[Sequence[str]]:
    """Of each list the shop's rules that are why it is shorter than k."""
    moves = made.moves
    if moves is None or not moves.shortened_by.any():
        return repeat(())
    return (names_of(moves.rules, row) for row in moves.shortened_by)


def _confidences(loaded: LoadedBundle, made: Recommendations, options: Options) -> Float64Array:
    """Of the items [B, k]: of popular ones their share of all interactions, of others the calibrated score."""
    if options.model != FALLBACK and not made.popular.any():
        return loaded.confidence(options.model, made.scores)
    shares = loaded.share_of_interactions(made.scores)
    if options.model == FALLBACK:
        return shares
    return np.where(made.popular, shares, loaded.confidence(options.model, made.scores))


def _entries(
    made: Recommendations,
    cards: Mapping[int, ItemCard],
    counts: Sequence[int],
    rows: Sequence[int],
    popular: Sequence[bool],
    proposers: Sequence[int],
    numbers: Sequence[Sequence[float]],
    offset: int,
) -> list[RecommendedItem]:
    """What all lists show, one list after the other.

    Args:
        made: the lists.
        cards: what is shown of each item row.
        counts, rows, proposers, numbers: see `shown`.
        popular: of each row, whether it fills a list up.
        offset: rank of the item before the first one.
    """
    names = {bits: _names(made.sources, bits) for bits in set(proposers)}
    ranks = [rank for count in counts for rank in range(offset + 1, offset + count + 1)]
    entries = []
    for rank, fills, row, bits, score, confidence, retrieval_score, rating in zip(
        ranks, popular, rows, proposers, *numbers, strict=True
    ):
        item_id, title, brand, price = cards[row]
        model_source = FALLBACK if fills else made.ranked_by
        sources = [FALLBACK] if fills else names[bits]
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
