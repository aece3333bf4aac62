"""What a list holds does not depend on the lists that it is made together with, whatever rules these are under."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.pipeline.policy import Policy
from recsys.pipeline.recommendations import Recommendations
from recsys.rules.buy_again import BuyAgain
from tests.support.rule_sets import SCENARIOS, SmallShop, random_rules

CONTEXTS = ({}, {"country": "DE"}, {"country": "FR", "basket": 70.0})


@pytest.mark.parametrize("model", [None, "two_tower", "popularity"])
@pytest.mark.parametrize("buying_again", [False, True])
def test_each_list_is_as_it_is_alone(shop: SmallShop, model: str | None, buying_again: bool) -> None:
    for seed in range(60):
        random = np.random.default_rng(seed)
        compiled = shop.compiled(*random_rules(random).written)
        bound = compiled.bound(SCENARIOS[random.integers(3)], CONTEXTS[random.integers(3)])
        policy: Policy | None = BuyAgain.of(shop.base, bound) if buying_again else bound
        users, k = random.permutation(30)[:6], int(random.choice([3, 10, 25, 100]))
        together = made(shop, model, users, k, policy)
        for row, user in enumerate(users.tolist()):
            alone, case = made(shop, model, np.array([user]), k, policy), f"seed {seed}, user {user}"
            assert together.items[row].tolist() == alone.items[0].tolist(), case
            np.testing.assert_array_equal(together.scores[row], alone.scores[0], case)
            if together.moves is not None and alone.moves is not None and alone.moves.rules:
                np.testing.assert_array_equal(together.moves.ranks_before[row], alone.moves.ranks_before[0], case)
                np.testing.assert_array_equal(together.moves.moved_by[row], alone.moves.moved_by[0], case)
                np.testing.assert_array_equal(together.moves.shortened_by[row], alone.moves.shortened_by[0], case)


def made(shop: SmallShop, model: str | None, users: np.ndarray, k: int, policy: Policy | None) -> Recommendations:
    queries = shop.queries.select(users)
    if model is None:
        return shop.recommender.recommend(queries, k, policy=policy)
    return shop.recommender.recommend(queries, k, policy=policy, by=shop.bundle.source(model))
