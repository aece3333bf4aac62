"""Evidence without contributions, until those are there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recsys.bundle.layout import FULL
from recsys.core.queries import Queries
from recsys.explain.evidence import Evidence, Rank, Stage
from recsys.explain.fact import Fact, Kind
from recsys.pipeline.allow import ExcludeSeen, Rule
from serve.bundles.loaded import LoadedBundle


def explain(
    loaded: LoadedBundle,
    query: Queries,
    item: int,
    k: int,
    *,
    model: str,
    exclude_seen: ExcludeSeen,
    rules: Mapping[str, Rule],
    reference: int | None,
    depth: str,
) -> Evidence:
    """How far the item came."""
    recommender = loaded.recommender
    forbidden = tuple(
        name for name, rule in rules.items() if not rule.allows(query, np.array([[item]], np.int32))[0, 0]
    )
    if model == FULL:
        trace = recommender.trace(query, k, exclude_seen=exclude_seen, rules=tuple(rules.values()))
        lists, scores = trace.lists, trace.scores(item)
        column = int(trace.columns(item)[0])
    else:
        lists = recommender.recommend_by(
            loaded.source(model), query, k, exclude_seen=exclude_seen, rules=tuple(rules.values())
        )
        column, scores = -1, np.full(1, np.nan)
    listed = lists.items[0].tolist()
    if item in listed:
        place = listed.index(item)
        stage = Stage.LISTED if place < lists.personal[0] else Stage.FILLED
        rank = Rank(stage, place + 1, float(lists.scores[0, place]))
    elif forbidden:
        rank = Rank(Stage.FORBIDDEN, None, float("nan"), forbidden_by=forbidden)
    elif column >= 0:
        rank = Rank(Stage.RANKED, column + 1, float(scores[0]))
    else:
        rank = Rank(Stage.UNPROPOSED, None, float("nan"))
    return Evidence(item, model, k, rank, None, (), (), (), None, {})


def facts_of(evidence: Evidence) -> tuple[Fact, ...]:
    """That it is popular, if it is."""
    if evidence.rank.stage is not Stage.FILLED or evidence.rank.rank is None:
        return ()
    return (Fact("f1", Kind.POPULARITY, evidence.rank.rank, "rank"),)
