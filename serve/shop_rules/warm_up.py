"""Lists under every kind of rule, before a bundle is served: whoever puts the first one is not to hold others up."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from recsys.core.queries import Queries
from recsys.rules.policy import CompiledRules
from recsys.rules.rule import Rule
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import DEFAULT_K

_SOME, _NONE = "item.popularity_rank <= 100", "item.popularity_rank < 0"
_OF_EVERY_KIND: tuple[dict[str, Any], ...] = (
    {"action": {"type": "hide"}, "where": _NONE},
    {"action": {"type": "boost", "by": 0.5}, "where": _SOME, "when": "user.interactions >= 0"},
    {"action": {"type": "bury"}, "where": _NONE},
    {"action": {"type": "pin", "slot": 1}, "where": _SOME},
    {"action": {"type": "promote", "share": 0.2}, "where": _SOME},
    {"action": {"type": "cap", "by": "brand", "most": 2, "window": 5}},
    {"action": {"type": "cap", "by": "category", "most": 9}},
    {"action": {"type": "upsell"}},
    {"action": {"type": "price_fit"}},
    {"action": {"type": "repurchase"}},
)
_ONE_OF_THEM: tuple[dict[str, Any], ...] = (
    {"action": {"type": "mmr", "weight": 0.3}},
    {"action": {"type": "calibrate", "weight": 0.3}},
)


def warm_up(loaded: LoadedBundle) -> None:
    """Make lists by rules of every kind: compiled loops are read from disk, or compiled, when they are first used."""
    lengths = loaded.bundle.histories.lengths
    rows = np.array([lengths.argmax(), lengths.argmin()] if len(lengths) else [], np.int32)
    histories = loaded.bundle.histories.select(rows)
    queries = Queries(histories, rows, np.full(len(rows), int(time.time()), np.int64), histories)
    for only in _ONE_OF_THEM:
        rules = [Rule.model_validate({"id": f"r{n}", **terms}) for n, terms in enumerate((*_OF_EVERY_KIND, only))]
        policy = CompiledRules.compile(rules, loaded.rule_base).bound()
        if len(queries):
            loaded.recommender.recommend(queries, DEFAULT_K, policy=policy)
