"""Live items for tests, over the bundles of `tests.support.bundles`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from recsys.bundle import Bundle, ItemRecord, open_bundle
from recsys.bundle.overlay import LiveBundle, new_among
from recsys.core.item_changes import CATALOGUE_FIELDS, ItemChange
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import Float32Array, Int32Array
from recsys.pipeline.features import FeatureInput
from recsys.pipeline.finalists import ScoredCandidates
from recsys.sources.new_items import NewItems
from tests.support.bundles import DAY, START, make_bundle, make_embeddings

N, M = 200, 24


def described(record: ItemRecord, **others: object) -> ItemChange:
    """All that the catalogue says of an item, as a change."""
    fields = {name: value for name, value in asdict(record).items() if name in CATALOGUE_FIELDS and value is not None}
    return ItemChange(record.item_id, {**fields, **others})


def whole_and_part(folder: Path) -> tuple[Bundle, Bundle]:
    """A bundle of N + M items of which nobody has chosen the last M, and the same without these."""
    whole = make_bundle(folder, N + M, name="whole", chosen=N)
    return open_bundle(whole), open_bundle(make_bundle(folder, N, name="part"))


def of_whole(whole: Bundle) -> tuple[list[ItemChange], NewItems]:
    """The last M items of a bundle as live items: what its catalogue says, its vectors, and who lends to them."""
    assert whole.ranker is not None
    loans, rows = whole.ranker.scorer.loans, np.arange(N, N + M)
    number = loans.borrower_index[rows]
    assert (number >= 0).all()
    new = NewItems(whole.item_embeddings[rows], loans.lenders[number], loans.weights[number])
    return [described(record) for record in whole.catalogue.items(rows)], new


def new_items(bundle: Bundle, changes: Iterable[ItemChange], seed: int = 0) -> NewItems:
    """Some vectors and lenders for the new items among changes: the same for the same id."""
    dim, ids = bundle.item_embeddings.shape[1], [change.item_id for change in new_among(bundle.catalogue, changes)]
    numbers = [seed + sum(item_id.encode()) for item_id in ids]
    vectors = [make_embeddings(1, dim, number)[0] for number in numbers]
    lenders = [[number % 50, 60] for number in numbers]
    if not vectors:
        return NewItems.none(dim)
    weights = np.full((len(vectors), 2), 0.5, np.float32)
    return NewItems(np.array(vectors, np.float16), np.array(lenders, np.int32), weights)


def overlay(bundle: Bundle, changes: Sequence[ItemChange], before: LiveBundle | None = None) -> LiveBundle:
    return LiveBundle(bundle, changes, new_items(bundle, changes), before)


def everyone(bundle: Bundle, *added: int) -> Queries:
    """All users of a bundle, those with further items at the end of their histories."""
    histories, n_users = bundle.histories, len(bundle.histories)
    if added:
        rows = np.concatenate([histories.rows, np.repeat(np.arange(n_users), len(added))])
        items = np.concatenate([histories.items, np.tile(np.array(added, np.int32), n_users)])
        times = np.concatenate([histories.timestamps, START + 400 * DAY + np.arange(n_users * len(added))])
        histories = type(histories).from_rows(n_users, rows, items, times)
    return Queries(histories, np.arange(n_users, dtype=np.int32), np.full(n_users, START + 500 * DAY))


def lists_of(bundle: Bundle, queries: Queries, k: int = 20) -> Int32Array:
    """The lists of the full pipeline [B, k], of what is in stock."""
    return bundle.recommender().recommend(queries, k, restrictions=bundle.in_stock).items


def share_in_common(some: Int32Array, others: Int32Array) -> float:
    """Mean share of the items of a list that the other list of the same row holds."""
    pairs = zip(some.tolist(), others.tolist(), strict=True)
    shares = [len({*one} & {*other} - {NO_ITEM}) / max(len({*one} - {NO_ITEM}), 1) for one, other in pairs]
    return float(np.mean(shares))


def features_of(bundle: Bundle, queries: Queries, items: Int32Array) -> dict[str, Float32Array]:
    """The features [B, C] of items, of candidates of which the sources say nothing."""
    assert bundle.ranker is not None
    features, scorer = bundle.ranker.features, bundle.ranker.scorer
    nothing = np.zeros((len(scorer.names), *items.shape), np.float32)
    given = FeatureInput(
        queries.histories,
        bundle.two_tower().encode(queries),
        ScoredCandidates(scorer.names, items, nothing, nothing[0]),
        nothing[: len(scorer.scorers)],
    )
    computed = features.compute(given)
    return {name: computed[..., features.column(name)] for name in features.names}
