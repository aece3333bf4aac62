"""Settings that follow from the data where a config does not name them.

Each is a function of the training and the validation part alone, so that the same data give the same settings.
docs/training.md has the rules in words, docs/experiments.md what they rest on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from recsys.config import AUTO, Config
from recsys.core.settings import Section
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset

ENOUGH = 20_000  # training interactions
DENSE = 30  # training interactions an item
BATCH_OF_LITTLE, LARGEST_BATCH = 32, 1024
MOST_STEPS = 200  # of an epoch
LONG_SHARE = 0.2  # of the interactions
NEW_SHARE = 0.01  # of the catalogue
EPOCHS_UNJUDGED = 30


@dataclass(frozen=True)
class DataSize:
    """What the settings follow from.

    Attributes:
        users: with two or more training interactions, from whom the towers learn.
        catalogue: items, those without an interaction among them.
        items: with a training interaction.
        interactions: of the training.
        long_share: of the training interactions, those before the latest 50 of their user.
        judged: whether validation has users with a history, who tell when to stop.
    """

    users: int
    catalogue: int
    items: int
    interactions: int
    long_share: float
    judged: bool

    @classmethod
    def of(cls, dataset: PreparedDataset, config: Config) -> Self:
        """Count them; the usual length of an input is the config's `model.max_history`."""
        train = dataset.histories((c.TRAIN,))
        held_out = dataset.histories((c.VALIDATION,))
        before = np.maximum(train.lengths - config.model.max_history, 0).sum()
        return cls(
            users=int((train.lengths > 1).sum()),
            catalogue=dataset.n_items,
            items=len(np.unique(train.items)),
            interactions=len(train.items),
            long_share=float(before / max(len(train.items), 1)),
            judged=bool(((train.lengths > 0) & (held_out.lengths > 0)).any()),
        )

    def model(self, config: Config) -> dict[str, Any]:
        """Settings of the section `model`; the config's own values are the usual ones."""
        usual = config.model
        return {
            "dim": self._dim(usual.dim),
            "item_id_init": "svd" if self._has_enough else usual.item_id_init,
            "id_dropout": usual.id_dropout if self.items < (1 - NEW_SHARE) * self.catalogue else 0.0,
            "max_history": usual.max_history * (2 if self.long_share >= LONG_SHARE else 1),
        }

    def training(self, config: Config) -> dict[str, Any]:
        """Settings of the section `training`, likewise."""
        usual = config.training
        return {
            "batch_size": self._batch_size(usual.batch_size),
            "epochs": usual.epochs if self.judged else EPOCHS_UNJUDGED,
            "retrieval_loss": config.retrieval_loss(self.catalogue),
        }

    @property
    def _has_enough(self) -> bool:
        return self.interactions >= ENOUGH

    def _dim(self, usual: int) -> int:
        if not self._has_enough:
            return usual
        return usual * (4 if self.interactions >= DENSE * self.items else 2)

    def _batch_size(self, batch: int) -> int:
        if not self._has_enough:  # an epoch of a few steps is over before the towers have learned
            return min(batch, BATCH_OF_LITTLE)
        while batch < LARGEST_BATCH and self.users > batch * MOST_STEPS:
            batch *= 2
        return batch


def data_defaults(config: Config, dataset: PreparedDataset) -> dict[str, dict[str, Any]]:
    """Section -> name -> value of the settings that follow from the data, less those that the config names."""
    size = DataSize.of(dataset, config)
    sections = {"model": size.model(config), "training": size.training(config)}
    return {
        section: {name: value for name, value in settings.items() if not _named(getattr(config, section), name)}
        for section, settings in sections.items()
    }


def with_data_defaults(config: Config, dataset: PreparedDataset) -> Config:
    """The settings with which a dataset is trained, as runs and bundles record them."""
    return with_settings(config, data_defaults(config, dataset))


def with_settings(config: Config, chosen: Mapping[str, Mapping[str, Any]]) -> Config:
    """The config with settings such as `data_defaults` gives."""
    sections = {name: getattr(config, name).model_copy(update=settings) for name, settings in chosen.items()}
    return config.model_copy(update=sections)


def _named(section: Section, name: str) -> bool:
    return name in section.model_fields_set and getattr(section, name) != AUTO
