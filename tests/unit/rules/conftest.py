"""A small shop: a bundle, its recommender, and a query of each of its users; the last user has no history."""

from __future__ import annotations

import pytest

from recsys.bundle import open_bundle
from tests.support.bundles import make_bundle
from tests.support.rule_sets import SmallShop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> SmallShop:
    return SmallShop.of(open_bundle(make_bundle(tmp_path_factory.mktemp("bundle"), 120, 30)))
