"""Settings that follow from the data: each rule at its border, and what a config names stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from recsys.config import Config, load_config
from recsys.data_defaults import DataSize, data_defaults, with_data_defaults
from recsys.prepare.prepared import PreparedDataset
from tests.support.datasets import TEST, TRAIN, VALIDATION, make_dataset

USUAL = DataSize(users=10_000, catalogue=5_000, items=5_000, interactions=60_000, long_share=0.0, judged=True)


def config_of(tmp_path: Path, *overrides: str) -> Config:
    path = tmp_path / "shop.yaml"
    path.write_text("name: shop\ndata: {format: events, interactions: [events.csv]}\n", "utf8")
    return load_config(path, overrides)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_of(tmp_path)


@pytest.fixture
def shop() -> PreparedDataset:
    """Three users; the first has 60 training interactions, the third is in validation and test alone.

    Of 62 items 60 are trained; item 61 is chosen by nobody.
    """
    first = [(0, item, item, None, TRAIN) for item in range(60)]
    others = [(1, 0, 0, None, TRAIN), (2, 1, 1, None, VALIDATION), (2, 60, 2, None, TEST)]
    return make_dataset([*first, *others], 3, 62)


def test_what_is_counted(shop: PreparedDataset, config: Config) -> None:
    assert DataSize.of(shop, config) == DataSize(
        users=1, catalogue=62, items=60, interactions=61, long_share=10 / 61, judged=False
    )


def test_validation_judges_where_one_of_its_users_has_a_history(config: Config) -> None:
    shop = make_dataset([(0, 0, 0, None, TRAIN), (0, 1, 1, None, VALIDATION)], 1, 2)
    assert DataSize.of(shop, config).judged


@pytest.mark.parametrize(
    ("interactions", "users", "batch"),
    [
        (19_999, 100, 32),
        (19_999, 10_000, 32),
        (20_000, 100, 128),
        (500_000, 25_600, 128),  # 200 steps
        (500_000, 25_601, 256),
        (500_000, 51_201, 512),
        (100_000_000, 10_000_000, 1024),
    ],
)
def test_batches_are_small_where_there_is_little_and_large_where_an_epoch_would_have_many(
    config: Config, interactions: int, users: int, batch: int
) -> None:
    assert replace(USUAL, interactions=interactions, users=users).training(config)["batch_size"] == batch


@pytest.mark.parametrize(
    ("interactions", "items", "dim", "start"),
    [
        (19_999, 10, 64, "random"),
        (20_000, 5_000, 128, "svd"),
        (59_999, 2_000, 128, "svd"),
        (60_000, 2_000, 256, "svd"),  # 30 interactions an item
    ],
)
def test_the_width_follows_from_the_interactions_and_how_many_an_item_has(
    config: Config, interactions: int, items: int, dim: int, start: str
) -> None:
    settings = replace(USUAL, interactions=interactions, items=items).model(config)
    assert (settings["dim"], settings["item_id_init"]) == (dim, start)


def test_ids_are_hidden_where_the_catalogue_has_items_that_training_does_not_know(config: Config) -> None:
    assert replace(USUAL, catalogue=1_000, items=989).model(config)["id_dropout"] == 0.1
    assert replace(USUAL, catalogue=1_000, items=990).model(config)["id_dropout"] == 0


def test_long_histories_are_read_further_back(config: Config) -> None:
    assert replace(USUAL, long_share=0.19).model(config)["max_history"] == 50
    assert replace(USUAL, long_share=0.2).model(config)["max_history"] == 100


def test_nobody_tells_when_to_stop_without_validation(config: Config) -> None:
    assert replace(USUAL, judged=True).training(config)["epochs"] == 100
    assert replace(USUAL, judged=False).training(config)["epochs"] == 30


def test_large_catalogues_are_sampled(config: Config) -> None:
    assert replace(USUAL, catalogue=10_000).training(config)["retrieval_loss"] == "full"
    assert replace(USUAL, catalogue=10_001).training(config)["retrieval_loss"] == "sampled"


def test_what_a_config_names_stays(tmp_path: Path, shop: PreparedDataset) -> None:
    config = config_of(tmp_path, "training.batch_size=128", "training.epochs=3", "training.retrieval_loss=auto")
    assert "batch_size" not in data_defaults(config, shop)["training"]
    chosen = with_data_defaults(config, shop)
    assert (chosen.training.batch_size, chosen.training.epochs, chosen.training.retrieval_loss) == (128, 3, "full")
    assert chosen.model.dim == 64


def test_settings_once_chosen_are_named(config: Config, shop: PreparedDataset) -> None:
    once = with_data_defaults(config, shop)
    assert once.training.batch_size == 32
    assert with_data_defaults(once, shop) == once
    assert not any(data_defaults(once, shop).values())
