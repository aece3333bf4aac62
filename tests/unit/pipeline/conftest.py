"""A small bundle, its recommender, and a query of each of its users; the last user has no history."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.bundle import Bundle, open_bundle
from recsys.core.queries import Queries
from recsys.pipeline.recommender import Recommender
from tests.support.bundles import make_bundle

N_ITEMS, N_USERS = 120, 30


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(make_bundle(tmp_path_factory.mktemp("bundle"), N_ITEMS, N_USERS))


@pytest.fixture(scope="module")
def recommender(bundle: Bundle) -> Recommender:
    return bundle.recommender()


@pytest.fixture(scope="module")
def queries(bundle: Bundle) -> Queries:
    users = np.arange(N_USERS)
    return Queries(bundle.histories.select(users), users.astype(np.int32), np.zeros(N_USERS, int))
