"""The prefix of train: what the ranker's training lists may know, and what follows, which labels them.

Sources score what they were fitted on far too well. So the ranker learns from sources, a two-tower among them,
that were fitted on a prefix of train, and from the choices that follow the prefix: as at serving time, the features
of a candidate know nothing of whether it will be chosen. Validation and test take no part.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from recsys.config import Config
from recsys.core.types import BoolArray
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset


def prefix_of(dataset: PreparedDataset, config: Config) -> PreparedDataset:
    """The dataset cut back to train, whose prefix is its train split and whose rest is its test split.

    leave_one_out: each user's last train item follows, if there is one before it. temporal: so does the last
    `ranking.prefix_share` of train by time, at one moment for all. ratio: the same share of each user's train items.
    """
    train = dataset.of_splits([c.TRAIN]).copy()
    follows = _following(train, config)
    train[c.SPLIT] = np.where(follows, c.TEST, c.TRAIN)
    return replace(dataset, interactions=train.reset_index(drop=True))


def _following(train: pd.DataFrame, config: Config) -> BoolArray:
    """Which interactions of train follow the prefix: bool [T]."""
    method, share = config.data.split.method, config.ranking.prefix_share
    if method == "temporal":
        times = train[c.TIMESTAMP].to_numpy()
        if not len(times):
            return np.zeros(0, bool)
        return np.asarray(times > np.quantile(times, 1 - share, method="lower"))
    users = train.groupby(c.USER, sort=False)
    position = users.cumcount().to_numpy()
    size = users[c.USER].transform("size").to_numpy()
    count = 1 if method == "leave_one_out" else np.maximum(np.round(size * share), 1)
    return np.asarray(position >= np.maximum(size - count, 1))
