"""The scores of served lists beside those of the bundle's own users when it was trained."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from recsys.bundle import Bundle
from recsys.bundle.layout import FULL
from recsys.core.queries import Queries
from recsys.core.types import Float64Array
from recsys.measure.drift.distances import equal_bins, histogram, stability_index
from recsys.measure.drift.report import Measure
from recsys.measure.shadow.served import draw
from recsys.store import Served

NAME = "scores"
BINS = 10
K = 10
LEAST_LISTS = 50


def measure_scores(
    bundle: Bundle, served: Iterable[Served], lists: int, seed: int, deadline: float, bands: tuple[float, float]
) -> Measure:
    """The index of the scores of a list's personal items, which says the same of its confidences.

    Args:
        bundle: open.
        served: the log; its lists by the whole pipeline of this bundle count.
        lists: most lists of each side (seeded samples).
        seed: of both samples.
        deadline: see `draw`.
        bands: of the index.
    """
    version = bundle.version
    own = (one for one in served if one.bundle_version == version and one.model == FULL and _has_scores(one))
    drawn = draw(own, lists, seed, deadline).lists
    now = [score for one in drawn for score in _personal(one)]
    if len(drawn) < LEAST_LISTS:
        why = f"Scores are not compared: the log has {len(drawn)} scored lists of this bundle, not {LEAST_LISTS}."
        return Measure.unknown(NAME, bands, why)
    then = _of_own_users(bundle, lists, seed)
    if not len(then):
        return Measure.unknown(NAME, bands, "Scores are not compared: the bundle has no user with a history.")
    edges = equal_bins(then, BINS)
    index = stability_index(histogram(then, edges), histogram(np.array(now), edges))
    means = [float(_confidences(bundle, np.asarray(one, np.float64)).mean()) for one in (now, then)]
    return Measure.of(
        NAME,
        index,
        index,
        bands,
        lambda value: (
            f"The scores of served items have an index of {value:.3f}: mean confidence {means[0]:.4f} "
            f"({means[1]:.4f} of the bundle's own users)"
        ),
    )


def _has_scores(served: Served) -> bool:
    """Whether its items have scores of the ranker, and it is a first page that no experiment interleaved."""
    details = served.details
    return bool(_personal(served)) and (details is None or (not details.offset and not details.teams))


def _personal(served: Served) -> list[float]:
    personal = len(served.scores) if served.details is None else served.details.personal
    return [score for score in served.scores[: min(personal, K)] if np.isfinite(score)]


def _of_own_users(bundle: Bundle, lists: int, seed: int) -> Float64Array:
    """Scores of the lists of some users with a history, asked for after their last interaction."""
    users = np.flatnonzero(bundle.histories.lengths > 0)
    if len(users) > lists:
        users = np.sort(np.random.default_rng(seed).choice(users, lists, replace=False))
    histories = bundle.histories.select(users)
    if not len(users):
        return np.zeros(0)
    last = histories.timestamps[histories.indptr[1:] - 1]
    queries = Queries(histories, users.astype(np.int32), last)
    made = bundle.recommender().recommend(queries, K, restrictions=bundle.in_stock)
    scores = made.scores[(made.personal_items >= 0) & np.isfinite(made.scores)]
    return scores.astype(np.float64)


def _confidences(bundle: Bundle, scores: Float64Array) -> Float64Array:
    given = bundle.manifest.serving.confidence.get(FULL)
    scale, offset = (1.0, 0.0) if given is None else (given.scale, given.offset)
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * (scale * scores + offset)))
