"""A two-tower that starts from the weights of another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle.layout import TF_FOLDER
from recsys.core.tower_io import FIRST_ID_ROW
from recsys.encoding.vocabulary import ItemVocabulary
from recsys.models import TwoTower
from recsys.models.exported import exported_models
from recsys.train.saved_model_export import export_saved_model
from recsys.train.warm_start import BRANDS, CATEGORIES, ITEMS, Known, TrainedWeights, warm_start
from tests.support.training import N_ITEMS, N_USERS, make_config, make_histories, make_model

KNOWN = Known(
    items=[f"i{n}" for n in range(N_ITEMS)],
    users=[f"u{n}" for n in range(N_USERS)],
    vocabulary=ItemVocabulary(("b1", "b2"), ("c1", "c2", "c3")),
    text_weights_sha256="abc",
)


def model_of_random_weights(seed: int) -> TwoTower:
    """A model whose every weight is another than that of a model of another seed."""
    model = make_model(make_config(), make_histories()[0])
    random = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        variable.assign(random.normal(size=variable.shape))
    return model


@pytest.fixture(scope="module")
def trained() -> TrainedWeights:
    return TrainedWeights.of_model("yesterday", model_of_random_weights(1), KNOWN, 7)


def test_the_same_shop_takes_over_everything_but_the_rating_head(trained: TrainedWeights) -> None:
    model = model_of_random_weights(2)
    before = {one.name: one.numpy() for one in model.trainable_variables}
    taken = warm_start(model, KNOWN, trained)
    for variable in model.trainable_variables:
        expected = before if variable.name.startswith("rating_head/") else trained.values
        np.testing.assert_array_equal(variable.numpy(), expected[variable.name], variable.name)
    assert all(name.startswith("rating_head/") for name in taken.anew)
    assert taken.rows == {ITEMS: (N_ITEMS, N_ITEMS), BRANDS: (2, 2), CATEGORIES: (3, 3)}


def test_rows_go_where_their_names_are(trained: TrainedWeights) -> None:
    """Other rows for the same items, of which one is new, and a brand that moved."""
    random = np.random.default_rng(5)
    items = [f"i{n}" for n in random.permutation(N_ITEMS)]
    items[3] = "new"
    known = replace(KNOWN, items=items, vocabulary=ItemVocabulary(("b2", "b9"), ("c3", "c2", "c1")))
    model = model_of_random_weights(2)
    before = {one.name: one.numpy() for one in model.trainable_variables}
    taken = warm_start(model, known, trained)
    after = {one.name: one.numpy() for one in model.trainable_variables}
    for row, item in enumerate(items):
        place = FIRST_ID_ROW + row
        if item == "new":
            np.testing.assert_array_equal(after[ITEMS][place], before[ITEMS][place])
        else:
            np.testing.assert_array_equal(after[ITEMS][place], trained.values[ITEMS][FIRST_ID_ROW + int(item[1:])])
    np.testing.assert_array_equal(after[ITEMS][:FIRST_ID_ROW], trained.values[ITEMS][:FIRST_ID_ROW])
    np.testing.assert_array_equal(after[BRANDS][1], trained.values[BRANDS][2])  # b2
    np.testing.assert_array_equal(after[BRANDS][2], before[BRANDS][2])  # b9 is new
    np.testing.assert_array_equal(after[CATEGORIES][1:], trained.values[CATEGORIES][[3, 2, 1]])
    assert taken.rows == {ITEMS: (N_ITEMS - 1, N_ITEMS), BRANDS: (1, 2), CATEGORIES: (3, 3)}
    assert f"{N_ITEMS - 1} of {N_ITEMS} items" in taken.says()


def test_what_does_not_fit_begins_anew(trained: TrainedWeights) -> None:
    """Another text encoder, another shape, and a variable that the other does not have."""
    positions = trained.values["positions:0"]
    values = {**trained.values, "positions:0": positions[:-1]}
    del values["match_log_scale:0"]
    model = model_of_random_weights(2)
    before = {one.name: one.numpy() for one in model.trainable_variables}
    taken = warm_start(model, replace(KNOWN, text_weights_sha256="other"), replace(trained, values=values))
    anew = {"positions:0", "match_log_scale:0", "item_tower/text/kernel:0", "item_tower/text/bias:0"}
    assert {name for name in taken.anew if not name.startswith("rating_head/")} == anew
    for variable in model.trainable_variables:
        if variable.name in anew:
            np.testing.assert_array_equal(variable.numpy(), before[variable.name])
    assert "begin anew (item_tower, " in taken.says()
    assert "positions" in taken.says()


def test_the_functions_of_a_bundle_hold_the_weights_of_both_towers(tmp_path: Path, trained: TrainedWeights) -> None:
    """By the names that the model has: else nothing would be taken over from any bundle."""
    model = model_of_random_weights(1)
    for exported in exported_models(model):
        export_saved_model(exported.function, tmp_path / TF_FOLDER / exported.signature.name)
    read = TrainedWeights.tower_values(tmp_path)
    expected = {one.name for one in model.trainable_variables if not one.name.startswith("rating_head/")}
    assert set(read) == expected
    for name in expected:
        np.testing.assert_array_equal(read[name], trained.values[name])
