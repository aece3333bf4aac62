"""Recommendations from a bundle: what the server does, without HTTP."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np

from recsys.bundle import Bundle, ItemRecord, open_bundle
from recsys.errors import RecsysError
from recsys.ranking.recommender import Recommendations, Recommender
from recsys.retrieval.base import NO_ITEM, Queries
from serve.schemas import BundleInfo, RecommendationResponse, RecommendedItem
from serve.settings import Settings

logger = logging.getLogger(__name__)

UNKNOWN_USER = "unknown user"
NO_HISTORY = "no interactions of this user are known"


class NotReadyError(Exception):
    """No bundle is loaded (yet); the message says why."""


@dataclass(frozen=True)
class RecommendationRequest:
    """What is asked for one user."""

    user_id: str
    k: int
    exclude_seen: bool


@dataclass(frozen=True)
class Loaded:
    """One bundle, open and warm. A request reads it once, so that an answer never mixes two bundles."""

    bundle: Bundle
    recommender: Recommender
    info: BundleInfo

    @classmethod
    def open(cls, settings: Settings) -> Loaded:
        """Open the bundle of `settings` and warm it up, so that the first user waits for no set-up.

        Raises:
            BundleError: see `recsys.bundle.open_bundle`.
        """
        bundle = open_bundle(settings.bundle, verify=settings.verify, threads=settings.onnx_threads)
        synthetic = bool(bundle.manifest["config"].get("synthetic", False))
        info = BundleInfo(name=bundle.name, version=bundle.version, synthetic=synthetic)
        loaded = cls(bundle, bundle.recommender(candidates=settings.candidates), info)
        loaded._warm_up()
        return loaded

    def _warm_up(self) -> None:
        lengths = self.bundle.histories.lengths
        user_ids = self.bundle.catalogue.user_ids([int(lengths.argmax())] if len(lengths) else [])
        self.recommend([RecommendationRequest(user_id, k=10, exclude_seen=True) for user_id in user_ids])

    def recommend(self, requests: Sequence[RecommendationRequest]) -> list[RecommendationResponse]:
        """Answer every request, in order; those with the same parameters are scored together."""
        answers: dict[int, RecommendationResponse] = {}
        groups: dict[tuple[int, bool], list[int]] = {}
        for index, request in enumerate(requests):
            groups.setdefault((request.k, request.exclude_seen), []).append(index)
        for (k, exclude_seen), members in groups.items():
            user_ids = [requests[index].user_id for index in members]
            answers.update(zip(members, self._recommend(user_ids, k, exclude_seen), strict=True))
        return [answers[index] for index in range(len(requests))]

    def _recommend(self, user_ids: Sequence[str], k: int, exclude_seen: bool) -> list[RecommendationResponse]:
        rows = [self.bundle.catalogue.user_row(user_id) for user_id in user_ids]
        users = np.array([NO_ITEM if row is None else row for row in rows], np.int32)
        queries = Queries(
            histories=self.bundle.histories.select(users),
            users=users,
            now=np.full(len(users), int(time.time()), np.int64),
        )
        result = self.recommender.recommend(queries, k, exclude_seen=exclude_seen)
        items = self._items(result)
        return [
            RecommendationResponse(
                user_id=user_id,
                model_source=self.recommender.popularity.name if fallback else self.recommender.retriever.name,
                fallback_used=fallback,
                fallback_reason=_fallback_reason(row) if fallback else None,
                bundle=self.info,
                items=items[b],
            )
            for b, (user_id, row, fallback) in enumerate(zip(user_ids, rows, result.fallback.tolist(), strict=True))
        ]

    def _items(self, result: Recommendations) -> list[list[RecommendedItem]]:
        """The list of each query, with what the catalogue knows of its items."""
        records = iter(self.bundle.catalogue.items(result.items[result.items != NO_ITEM].tolist()))
        ratings = np.full(result.items.shape, np.nan) if result.ratings is None else result.ratings
        columns = (result.items, result.scores, result.retrieval_scores, ratings, result.sources)
        names = self.recommender.sources
        lists = []
        for query in zip(*(column.tolist() for column in columns), strict=True):
            ranked = enumerate(zip(*query, strict=True), start=1)
            lists.append(
                [
                    _item(rank, next(records), score, retrieval_score, rating, list(compress(names, proposed)))
                    for rank, (row, score, retrieval_score, rating, proposed) in ranked
                    if row != NO_ITEM
                ]
            )
        return lists


class RecommendationService:
    """Owns the bundle being served. `load` may run while requests are answered; they see the old or the new one."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._loaded: Loaded | None = None
        self._not_ready = "the bundle is being loaded"

    def load(self) -> None:
        """Load the bundle of the settings; if that fails, `loaded` says why from then on."""
        started = time.perf_counter()
        try:
            self._loaded = Loaded.open(self.settings)
        except Exception as error:  # whatever it is, /ready has to say so
            self._not_ready = str(error)
            logger.error("No bundle to serve. %s", error, exc_info=not isinstance(error, RecsysError))
            return
        info = self._loaded.info
        logger.info("Serving %s, version %s, loaded in %.1f s", info.name, info.version, time.perf_counter() - started)

    @property
    def loaded(self) -> Loaded:
        """The bundle to answer from.

        Raises:
            NotReadyError: none is loaded.
        """
        if self._loaded is None:
            raise NotReadyError(self._not_ready)
        return self._loaded

    def recommend(self, requests: Sequence[RecommendationRequest]) -> list[RecommendationResponse]:
        """One answer a request, in order, all from the same bundle.

        Raises:
            NotReadyError: none is loaded.
        """
        return self.loaded.recommend(requests)


def _fallback_reason(user_row: int | None) -> str:
    return UNKNOWN_USER if user_row is None else NO_HISTORY


def _item(
    rank: int, record: ItemRecord, score: float, retrieval_score: float, rating: float, sources: list[str]
) -> RecommendedItem:
    return RecommendedItem(
        rank=rank,
        item_id=record.item_id,
        title=record.title,
        brand=record.brand,
        price=record.price,
        score=score,
        retrieval_score=retrieval_score,
        predicted_rating=None if math.isnan(rating) else rating,
        sources=sources,
    )
