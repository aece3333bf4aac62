"""Fit any configured retriever by its name, over the grid of its settings (needs SciPy, scikit-learn, implicit)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsys.config import RetrievalConfig, RetrieverName
from recsys.core.histories import Histories
from recsys.core.types import Float32Array, Float64Array
from recsys.sources.base import Source
from recsys.sources.content.fit import fit_text_vectors, fit_tfidf
from recsys.sources.factors import ImplicitFactors
from recsys.sources.factors.fit import fit_als, fit_bpr
from recsys.sources.factors.implicit_weights import implicit_weights
from recsys.sources.item_to_item import ItemToItem
from recsys.sources.item_to_item.ease_fit import fit_ease
from recsys.sources.item_to_item.neighbours_fit import Weighting, fit_neighbours
from recsys.sources.item_to_item.transitions_fit import fit_transitions
from recsys.sources.popularity import Popularity

Settings = dict[str, Any]


@dataclass(frozen=True)
class FitData:
    """What retrievers are fitted on.

    Attributes:
        histories: training interactions of all users, row u is user u.
        n_items: N, size of the catalogue.
        texts: of all items, "" where there is none; empty sequence: no texts.
        text_vectors: float32 [N, D] of a text encoder, zero where there is no text; None: no encoder.
        prices: float64 [N] of the catalogue, NaN where unknown; None: no prices.
        quantities: float32 [T], units bought, beside `histories.items`, NaN where unknown; None: no quantities.
        seed: of ALS and BPR.
    """

    histories: Histories
    n_items: int
    texts: Sequence[str] = ()
    text_vectors: Float32Array | None = None
    prices: Float64Array | None = None
    quantities: Float32Array | None = None
    seed: int = 0


def grid(name: RetrieverName, config: RetrievalConfig) -> list[Settings]:
    """Every setting of a retriever that the config's lists span; those of one fit (see `same_fit`) stand together.

    Item-to-item retrievers have a "decay" among their settings, which needs no fit of its own: fit once for each
    `same_fit`, then take `retriever.with_decay(settings["decay"])`.
    """
    tried = _RECIPES[name].tried
    values = itertools.product(*(getattr(config, key) for key in tried.values()))
    return [dict(zip(tried, chosen, strict=True)) for chosen in values]


def same_fit(settings: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """A key that settings share which differ in nothing but the decay."""
    return tuple(sorted((key, value) for key, value in settings.items() if key != "decay"))


def unavailable(name: RetrieverName, data: FitData, config: RetrievalConfig) -> str | None:
    """Why a retriever cannot be fitted on these data, in words for the report; None: it can."""
    return _RECIPES[name].unavailable(data, config)


def fit_retriever(name: RetrieverName, data: FitData, settings: Mapping[str, Any], config: RetrievalConfig) -> Source:
    """Fit the retriever `name` with one setting of its `grid`; without a "decay" among them the decay is 1.

    Args:
        name: which; the retriever bears the same name.
        data: for which `unavailable` finds no reason.
        settings: one of `grid`.
        config: for what is not tuned, such as the iterations of ALS.
    """
    return _RECIPES[name].fit(data, config, **settings)


def _popularity(data: FitData, _: RetrievalConfig, half_life_days: float | None = None) -> Popularity:
    known = data.histories
    return Popularity.fit(
        known.items,
        data.n_items,
        weights=known.weights,
        timestamps=known.timestamps,
        half_life_days=half_life_days,
        name="popularity" if half_life_days is None else "recent_popularity",
    )


def _neighbours(weighting: Weighting) -> Callable[..., ItemToItem]:
    def fit(data: FitData, _: RetrievalConfig, **settings: Any) -> ItemToItem:
        return fit_neighbours(data.histories, data.n_items, weighting=weighting, **settings)

    return fit


def _transitions(data: FitData, _: RetrievalConfig, **settings: Any) -> ItemToItem:
    return fit_transitions(data.histories, data.n_items, **settings)


def _ease(data: FitData, _: RetrievalConfig, **settings: Any) -> ItemToItem:
    return fit_ease(data.histories, data.n_items, **settings)


def _als(data: FitData, config: RetrievalConfig, **settings: Any) -> ImplicitFactors:
    weighted = _weighted(data, config)
    return fit_als(weighted, data.n_items, iterations=config.als_iterations, seed=data.seed, **settings)


def _bpr(data: FitData, config: RetrievalConfig, **settings: Any) -> ImplicitFactors:
    weighted = _weighted(data, config)
    return fit_bpr(weighted, data.n_items, iterations=config.bpr_iterations, seed=data.seed, **settings)


def _weighted(data: FitData, config: RetrievalConfig) -> Histories:
    return implicit_weights(
        data.histories,
        prices=None if data.prices is None else data.prices[data.histories.items],
        quantities=data.quantities,
        spending_power=config.spending_power,
        quantity_power=config.quantity_power,
    )


def _tfidf(data: FitData, _: RetrievalConfig, **settings: Any) -> ItemToItem:
    return fit_tfidf(data.texts, **settings)


def _encoder(data: FitData, _: RetrievalConfig, **settings: Any) -> ItemToItem:
    if data.text_vectors is None:
        raise ValueError("content_encoder needs text vectors")
    return fit_text_vectors(data.text_vectors, **settings)


def _always(_: FitData, __: RetrievalConfig) -> str | None:
    return None


def _without_times(data: FitData, _: RetrievalConfig) -> str | None:
    times = data.histories.timestamps
    return None if len(times) and times.min() < times.max() else "all interactions bear the same timestamp"


def _too_many_items(data: FitData, config: RetrievalConfig) -> str | None:
    if data.n_items <= config.ease_max_items:
        return None
    return f"{data.n_items:,} items are more than retrieval.ease_max_items ({config.ease_max_items:,})"


def _without_texts(data: FitData, _: RetrievalConfig) -> str | None:
    return None if any(data.texts) else "no item has a text"


def _without_vectors(data: FitData, _: RetrievalConfig) -> str | None:
    return None if data.text_vectors is not None and data.text_vectors.any() else "no item has a text vector"


@dataclass(frozen=True)
class _Recipe:
    """How one retriever is fitted.

    Attributes:
        fit: from data, config and settings by name.
        tried: its settings, each with the key of `RetrievalConfig` that lists the values to try; the decay last.
        unavailable: see the function of that name.
    """

    fit: Callable[..., Source]
    tried: Mapping[str, str]
    unavailable: Callable[[FitData, RetrievalConfig], str | None] = _always


_K_AND_DECAY = {"k": "neighbours_k", "decay": "decay"}
_CONTENT = {"k": "content_k", "decay": "decay"}
_RECIPES: dict[RetrieverName, _Recipe] = {
    "popularity": _Recipe(_popularity, {}),
    "recent_popularity": _Recipe(_popularity, {"half_life_days": "half_life_days"}, _without_times),
    "neighbours_bm25": _Recipe(
        _neighbours("bm25"), {"k": "neighbours_k", "k1": "bm25_k1", "b": "bm25_b", "decay": "decay"}
    ),
    "neighbours_cosine": _Recipe(_neighbours("cosine"), _K_AND_DECAY),
    "neighbours_cooccurrence": _Recipe(_neighbours("cooccurrence"), _K_AND_DECAY),
    "transitions": _Recipe(
        _transitions,
        {
            "k": "transitions_k",
            "reverse": "transitions_reverse",
            "target_power": "transitions_target_power",
            "days": "transitions_days",
            "decay": "decay",
        },
    ),
    "ease": _Recipe(_ease, {"l2": "ease_l2", "decay": "decay"}, _too_many_items),
    "als": _Recipe(_als, {"factors": "als_factors", "regularization": "als_regularization", "alpha": "als_alpha"}),
    "bpr": _Recipe(
        _bpr,
        {"factors": "bpr_factors", "learning_rate": "bpr_learning_rate", "regularization": "bpr_regularization"},
    ),
    "content_tfidf": _Recipe(_tfidf, _CONTENT, _without_texts),
    "content_encoder": _Recipe(_encoder, _CONTENT, _without_vectors),
}
