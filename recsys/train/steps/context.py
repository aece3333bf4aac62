"""What the steps of a run hand to each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from recsys.config import Config
from recsys.core.errors import DataError
from recsys.core.histories import Histories
from recsys.core.item_changes import AVAILABLE
from recsys.core.queries import Queries
from recsys.core.types import Int64Array
from recsys.encoding import ItemEncoderParts
from recsys.measure.protocol import HeldOut
from recsys.models import TwoTower
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.ratings.predictor import RatingPredictor
from recsys.pipeline.recommender import Recommender
from recsys.prepare import columns as c
from recsys.prepare.attribute_settings import types_of
from recsys.prepare.prepared import PreparedDataset
from recsys.sources.fitting import FitData
from recsys.sources.two_tower.source import TwoTowerSource
from recsys.train.choice import fold_count, folds_of
from recsys.train.model_inputs import ModelInputs
from recsys.train.source_fits import Hybrids, TunedSources

_LONGEST_REASON = 1000  # of what a manifest takes


@dataclass(frozen=True)
class RunContext:
    """What every step may read.

    Attributes:
        config: all settings.
        dataset: the prepared dataset.
        validation: its validation queries and what followed them; None where it has none.
    """

    config: Config
    dataset: PreparedDataset
    validation: HeldOut | None

    @classmethod
    def of(cls, config: Config, dataset: PreparedDataset) -> RunContext:
        """The context of a run on `dataset`.

        Raises:
            DataError: it was prepared with other `data.repeats`, by which a server merges histories, or with other
                `data.attributes`, which a shop's rules would miss, or `data.user_attributes`.
        """
        attributes, of_users = types_of(config.data.attributes), config.data.user_attributes
        # A store may have told which items are available, without anyone having asked for that.
        got_attributes = {
            name: kind for name, kind in dataset.attributes.items() if name in attributes or name != AVAILABLE
        }
        for name, wanted, got in (
            ("repeats", config.data.repeats, dataset.repeats),
            ("attributes", attributes or "none", got_attributes or "none"),
            ("user_attributes", of_users or "none", dataset.user_attributes or "none"),
        ):
            if got != wanted:
                raise DataError(
                    f"a dataset prepared with data.{name}: {wanted}, as in the config",
                    f"{got} in {dataset.path}",
                    f"run prepare_data.py again with this config, or set data.{name} to what the dataset has",
                )
        has_validation = bool((dataset.interactions[c.SPLIT] == c.VALIDATION).any())
        return cls(config, dataset, HeldOut.of(dataset, c.VALIDATION) if has_validation else None)

    @cached_property
    def folds(self) -> Int64Array | None:
        """The fold of each user of the dataset, by which orders are judged, see `choice`; None without validation."""
        if self.validation is None:
            return None
        return folds_of(self.dataset.n_users, fold_count(len(self.validation)), self.config.seed)

    def sampled_queries(self, histories: Histories) -> Queries:
        """Seeded users with a history among `histories`, as the server would ask for them."""
        users = np.flatnonzero(histories.lengths)
        count = min(self.config.index.sample_queries, len(users))
        users = np.random.default_rng(self.config.seed).choice(users, count, replace=False)
        return Queries(histories.select(users), users.astype(np.int32), np.zeros(count, np.int64))


@dataclass(frozen=True)
class Trained:
    """A two-tower with its final weights, computing in float32, and what it was trained on."""

    model: TwoTower
    dataset: PreparedDataset
    inputs: ModelInputs


@dataclass(frozen=True)
class ServedTwoTower:
    """The two-tower as it is served: by ONNX Runtime, from item embeddings.

    Attributes:
        source: with the index.
        predictor: of ratings; None without rating task.
        index_recall: recall@100 of the index; None where it was not measured.
        onnx_differences: largest relative difference of each ONNX file from its source.
    """

    source: TwoTowerSource
    predictor: RatingPredictor | None
    index_recall: float | None
    onnx_differences: dict[str, float]


@dataclass(frozen=True)
class ExportedItemEncoder:
    """What encodes new items without TensorFlow.

    Attributes:
        parts: for the bundle; None: it encodes no new items.
        reason: why there are none.
        difference: largest relative difference of the text encoder's ONNX file from TensorFlow's.
    """

    parts: ItemEncoderParts | None
    reason: str
    difference: float

    @classmethod
    def none(cls, reason: str) -> Self:
        """Nothing, and why."""
        return cls(None, reason[:_LONGEST_REASON], 0.0)


@dataclass(frozen=True)
class FittedSources:
    """Every source beside the two-tower, fitted on train and tuned on validation.

    Attributes:
        data: what they were fitted on.
        alone: each by itself.
        hybrids: weighted sums of them, the two-tower among the members of one.
    """

    data: FitData
    alone: TunedSources
    hybrids: Hybrids


@dataclass(frozen=True)
class TrainedRanker:
    """The ranker as it is served.

    Attributes:
        ranker: with the features it reads.
        recommender: the whole pipeline that it belongs to.
        report: how its training went, for the manifest.
    """

    ranker: Ranker
    recommender: Recommender
    report: dict[str, Any]
