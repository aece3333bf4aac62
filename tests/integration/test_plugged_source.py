"""A source from outside of the repository, from training to a served list."""

from __future__ import annotations

from pathlib import Path

import pytest

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported
from recsys.bundle import open_bundle
from tests.support.serving import get, running
from tests.support.shop import open_shop
from tests.support.toy_source import NextItem
from tests.support.training import make_histories

PATH = "tests.support.toy_source.NextItem"


@pytest.mark.slow
def test_a_source_from_outside_is_trained_with_the_others_and_served(tmp_path: Path) -> None:
    shop = open_shop(
        tmp_path,
        training={"epochs": 2},
        retrieval={
            "retrievers": ["popularity", "transitions"],
            "trials": 3,
            "plugins": {"toy": {"class": PATH, "steps": [5, 1, 9], "reward": 3.0}},
        },
        ranking={"retrievers": ["transitions", "toy"], "scorers": [], "epochs": 1},
    )
    assert shop.train() == 0
    with open_bundle(shop.bundles) as bundle:
        source = bundle.source("toy")
        assert isinstance(source, NextItem)
        assert (source.step, source.reward) == (1, 3.0), "chosen on validation: what follows is the next item"
        assert bundle.manifest.sources["toy"] == PATH
        assert bundle.manifest.metrics.sources["toy"]["chosen"] == {"step": 1}
        assert bundle.recommender().sources == ("two_tower", "transitions", "toy")
    train, validation = make_histories()
    with running(bundle=shop.bundles, store="none") as (client, _):
        for user in range(3):
            history = [*train.select([user]).items, *validation.select([user]).items]
            following = int(history[-1] + 1) % bundle.n_items
            listed = {entry["item_id"]: entry for entry in get(client, f"user-{user}", k=20)["items"]}
            assert "toy" in listed[f"item-{following}"]["sources"]
            assert sum("toy" in entry["sources"] for entry in listed.values()) == 1
        models = {model["name"]: model for model in client.get("/models").json()["models"]}
        assert models["toy"]["proposes"]
        assert get(client, "user-0", k=1, model="toy")["items"][0]["source"] == "toy"
