"""Explain once, before a bundle is served."""

from __future__ import annotations

import logging
import time

import numpy as np

from recsys.core.queries import NO_ITEM, Queries
from recsys.explain.facts import Past, facts_of
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import DEFAULT_K

logger = logging.getLogger(__name__)


def warm_up(loaded: LoadedBundle) -> None:
    """Explain the first item of a list: compiled loops would hold recommendations up where they are compiled later.

    A bundle whose lists are sound is served, whatever there is to say of them: what goes wrong here is logged.
    """
    try:
        _explain_first_item(loaded)
    except Exception:
        logger.exception("The lists of %s cannot be explained", loaded.bundle.path)


def _explain_first_item(loaded: LoadedBundle) -> None:
    bundle = loaded.bundle
    user = int(bundle.histories.lengths.argmax()) if len(bundle.histories) else NO_ITEM
    histories = bundle.histories.select([user]).last(DEFAULT_K)
    query = Queries(histories, np.array([user], np.int32), np.array([time.time()], np.int64))
    item = max(int(loaded.recommender.recommend(query, DEFAULT_K).items[0, 0]), 0)
    facts_of(loaded.explainer.explain(query, item, DEFAULT_K), loaded.fact_base, Past.of(histories))
