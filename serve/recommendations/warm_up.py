"""Recommend in every way once, before a bundle is served."""

from __future__ import annotations

import math
import time

import numpy as np

from recsys.core.errors import BundleError
from recsys.core.queries import NO_ITEM, Queries
from recsys.explain.cheap import CheapReasons
from recsys.histories.merging import merge
from recsys.pipeline.allow import Among
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import Options
from serve.recommendations.lists import lists
from serve.recommendations.whys import keys_of


def warm_up(loaded: LoadedBundle) -> None:
    """Make the first lists of a bundle: compiled loops are read from disk, or compiled, when they are first used.

    Raises:
        BundleError: what the bundle recommends is no number.
    """
    bundle = loaded.bundle
    now = time.time()
    user = int(bundle.histories.lengths.argmax()) if len(bundle.histories) else NO_ITEM
    users = [user, NO_ITEM]
    histories = merge(bundle.histories, users, [1, 0], [0, now, math.nan, 1], None, bundle.n_items)
    queries = Queries(histories, np.array(users, np.int32), np.full(2, int(now), np.int64))
    lists(loaded, queries, Options(exclude_seen=False))
    loaded.recommender.recommend(queries, Options().k, restrictions=[Among(np.ones(bundle.n_items, bool))])
    _, made = lists(loaded, queries, Options())
    reasons = CheapReasons.of_recommender(loaded.recommender, loaded.fact_base.sensitive)
    facts = loaded.cheap_facts.of(reasons, queries, made)
    keys_of(facts, made, histories, np.zeros(len(queries), np.bool_), np.zeros(1, np.float32))
    if not np.isfinite(made.scores[made.items != NO_ITEM]).all():
        raise BundleError(f"finite scores from {bundle.path}", f"others for user row {user}", "export it again")
