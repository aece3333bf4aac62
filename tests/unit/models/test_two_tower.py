"""Behaviour of the towers, the heads and the losses of a step, on a catalogue of a dozen items."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from recsys.config import Config, parse_config
from recsys.core.profiles import ProfileAttribute, Profiles, ProfileVocabulary
from recsys.models import ItemFeatures, TwoTower
from recsys.models.exported import exported_models
from recsys.models.item_tower import text_components
from recsys.models.layers import StepDropout
from recsys.pipeline.ratings.statistics import FEATURES

N_ITEMS, TEXT_DIM, N_USERS = 12, 10, 6
UNTRAINED = 11


def _config(**sections: dict[str, Any]) -> Config:
    tree = {"name": "tiny", "data": {"format": "events", "interactions": ["none.csv"]}}
    model = {"dim": 8, "layers": 1, "heads": 2, "max_history": 6, "text_match_dim": 4, "rating_hidden": [4]}
    return parse_config(
        tree | {"model": model | sections.get("model", {}), "training": sections.get("training", {})}, "test"
    )


def _features() -> ItemFeatures:
    rng = np.random.default_rng(1)
    return ItemFeatures(
        text=rng.normal(size=(N_ITEMS, TEXT_DIM)).astype(np.float32),
        brand=(np.arange(N_ITEMS) % 4).astype(np.int32),
        categories=rng.integers(0, 3, size=(N_ITEMS, 2)).astype(np.int32),
        price=np.stack([rng.normal(size=N_ITEMS), np.ones(N_ITEMS)], axis=1).astype(np.float32),
        n_brands=4,
        n_categories=3,
    )


def _model(**sections: dict[str, Any]) -> TwoTower:
    tf.keras.utils.set_random_seed(7)
    counts = np.arange(1, N_ITEMS + 1)
    counts[UNTRAINED] = 0
    model = TwoTower(_features(), counts, N_USERS, _config(**sections), rating_mean=4.0)
    model.build_variables()
    return model


def _batch() -> dict[str, tf.Tensor]:
    history = np.array([[0, 1, 2], [3, 4, -1]], np.int32)
    targets = np.array([[1, 2, 5], [4, 1, -1]], np.int32)
    ratings = np.array([[5.0, np.nan, 3.0], [np.nan, 4.0, np.nan]], np.float32)
    return {
        "user": tf.constant([1, 2], tf.int32),
        "history": tf.constant(history),
        "gaps": tf.zeros([2, 3]),
        "targets": tf.constant(targets),
        "ratings": tf.constant(ratings),
        "rating_features": tf.zeros([2, 3, len(FEATURES)]),
    }


@pytest.fixture(scope="module")
def model() -> TwoTower:
    return _model()


def _history(model: TwoTower, rows: list[int]) -> tf.Tensor:
    return model.item_tower(tf.constant(rows, tf.int32))[None]


def test_a_position_does_not_see_later_events(model: TwoTower) -> None:
    user, gaps = tf.zeros([1], tf.int32), tf.zeros([1, 4])
    one = model.user_tower(_history(model, [0, 1, 2, 3]), gaps, user)
    other = model.user_tower(_history(model, [0, 1, 8, 9]), gaps, user)
    np.testing.assert_allclose(one[:, :2], other[:, :2], atol=1e-6)
    assert np.abs(one[:, 2:] - other[:, 2:]).max() > 1e-3


def test_padding_changes_no_user_vector(model: TwoTower) -> None:
    vectors = _history(model, [4, 5])
    padded = tf.concat([vectors, tf.zeros([1, 3, model.output_dim])], axis=1)
    lengths, user = tf.constant([2]), tf.zeros([1], tf.int32)
    short = model.user_vectors(vectors, lengths, tf.zeros([1, 2]), user)
    long = model.user_vectors(padded, lengths, tf.zeros([1, 5]), user)
    np.testing.assert_allclose(short, long, atol=1e-6)


def test_the_match_part_is_a_recency_weighted_mean_of_the_historys_text(model: TwoTower) -> None:
    rows, dim = [2, 7, 3], 8
    text = _history(model, rows)[0, :, dim:].numpy()
    np.testing.assert_allclose(np.linalg.norm(text, axis=1), 1.0, rtol=1e-5)
    decay = 1 / (1 + np.exp(0.4))  # the initial value
    weights = np.array([decay**2, decay, 1.0])
    expected = 2.7 * (weights @ text) / weights.sum()
    user = model.user_vectors(_history(model, rows), tf.constant([3]), tf.zeros([1, 3]), tf.zeros([1], tf.int32))
    np.testing.assert_allclose(user[0, dim:], expected, rtol=1e-4)


def test_scaling_the_match_part_leaves_the_learned_part() -> None:
    model = _model()
    arguments = (_history(model, [2, 7]), tf.constant([2]), tf.zeros([1, 2]), tf.zeros([1], tf.int32))
    before = model.user_vectors(*arguments)
    scale, decay = model.user_tower.match
    model.user_tower.set_match(2.0 * scale, decay)
    after = model.user_vectors(*arguments)
    np.testing.assert_allclose(after[:, :8], before[:, :8], rtol=1e-6)
    np.testing.assert_allclose(after[:, 8:], 2.0 * before[:, 8:], rtol=1e-5)


def test_attributes_given_by_hand_give_the_towers_own_vector(model: TwoTower) -> None:
    features, row = _features(), 5
    by_hand = model.item_tower.from_features(
        tf.constant(features.text[[row]]),
        tf.constant(features.brand[[row]]),
        tf.constant(features.categories[[row]]),
        tf.constant(features.price[[row]]),
        tf.constant([row + 1]),
    )
    np.testing.assert_allclose(by_hand, model.item_tower(tf.constant([row])), atol=1e-6)


def test_an_item_without_training_interactions_is_an_unseen_item() -> None:
    model, rows = _model(), tf.constant([UNTRAINED, 0])
    before = model.item_tower(rows).numpy()
    table = next(v for v in model.trainable_variables if "item_id" in v.name)
    assert table.shape[0] == N_ITEMS + 1
    table.assign_add(tf.concat([tf.zeros([1, 8]), tf.ones([N_ITEMS, 8])], axis=0))
    after = model.item_tower(rows).numpy()
    np.testing.assert_allclose(after[0], before[0], atol=1e-6)
    np.testing.assert_allclose(after[1, :8], before[1, :8] + 1, atol=1e-5)


def test_id_dropout_hides_ids_in_training_only() -> None:
    model, rows = _model(model={"id_dropout": 0.999, "text_match": False}), tf.range(N_ITEMS)
    table = next(v for v in model.trainable_variables if "item_id" in v.name)
    table.assign(tf.concat([tf.zeros([1, 8]), tf.fill([N_ITEMS, 8], 100.0)], axis=0))
    assert np.abs(model.item_tower(rows, training=True)).max() < 50 < np.abs(model.item_tower(rows)).max()


def test_unknown_brand_category_and_price_leave_text_and_id(model: TwoTower) -> None:
    text = tf.constant(_features().text[:1])
    arguments = {"categories": tf.zeros([1, 2], tf.int32), "price": tf.zeros([1, 2]), "item": tf.constant([0])}
    unknown = model.item_tower.from_features(text, tf.constant([0]), **arguments)
    known = model.item_tower.from_features(text, tf.constant([2]), **arguments)
    assert np.abs(unknown - known)[:, :8].max() > 1e-4
    np.testing.assert_allclose(unknown[:, 8:], known[:, 8:])


def test_text_components_are_orthonormal_and_keep_the_most_variance() -> None:
    rng = np.random.default_rng(0)
    text = (rng.normal(size=(200, 6)) * [5, 3, 1, 0.1, 0.1, 0.1]).astype(np.float32)
    mean, components = text_components(text, 3)
    np.testing.assert_allclose(components.T @ components, np.eye(3), atol=1e-5)
    unit = text / np.linalg.norm(text, axis=1, keepdims=True)
    np.testing.assert_allclose(mean, unit.mean(axis=0), atol=1e-6)
    singular = np.linalg.svd(unit - unit.mean(axis=0), compute_uv=False)
    np.testing.assert_allclose(np.linalg.norm((unit - mean) @ components, axis=0), singular[:3], rtol=1e-3)


def test_dropout_repeats_at_a_step_and_differs_between_steps() -> None:
    step = tf.Variable(3, dtype=tf.int64)
    drop, ones = StepDropout(0.25, step, 0, "a"), tf.ones([4000])
    first, again = drop(ones, training=True), drop(ones, training=True)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(np.mean(first.numpy() == 0), 0.25, atol=0.03)
    step.assign(4)
    assert np.mean(first.numpy() != drop(ones, training=True).numpy()) > 0.2
    step.assign(3)
    np.testing.assert_array_equal(first, drop(ones, training=True))
    assert np.mean(first.numpy() != StepDropout(0.25, step, 0, "b")(ones, training=True).numpy()) > 0.2
    np.testing.assert_array_equal(drop(ones, training=False), ones)


def test_the_rating_head_starts_as_the_bias_model(model: TwoTower) -> None:
    features = np.zeros((1, 2, len(FEATURES)), np.float32)
    features[0, :, FEATURES.index("item_bias")] = [0.5, -1.0]
    features[0, :, FEATURES.index("taste")] = 0.25
    vectors = model.item_vectors()
    rating = _exported(_model())["ranking_head"](vectors[:1], tf.zeros([1, 2, 4]), tf.constant(features))["rating"]
    np.testing.assert_allclose(rating, [[4.75, 3.25]], atol=1e-6)


def test_the_rating_head_starts_where_it_is_told() -> None:
    start = np.arange(1.0, len(FEATURES) + 1, dtype=np.float32)
    model = TwoTower(_features(), np.ones(N_ITEMS), N_USERS, _config(), rating_mean=3.0, rating_start=start)
    vectors, features = model.item_vectors(), np.full((1, 1, len(FEATURES)), 0.1, np.float32)
    head = _exported(model)["ranking_head"]
    rating = head(vectors[:1], tf.zeros([1, 1, 4]), tf.constant(features))["rating"]
    np.testing.assert_allclose(rating, [[3.0 + 0.1 * start.sum()]], rtol=1e-5)


def test_missing_ratings_are_left_out_of_the_rating_loss(model: TwoTower) -> None:
    _, losses = model.compute_losses(_batch())
    # The head still predicts the mean, 4: the rated targets are 5, 3 and 4.
    np.testing.assert_allclose(losses["rating"], (1 + 1 + 0) / 3, rtol=1e-5)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(_batch(), training=True)
    for gradient in tape.gradient(loss, model.trainable_variables):
        if gradient is not None:
            assert np.isfinite(tf.convert_to_tensor(gradient)).all()


def test_without_ratings_there_is_no_rating_task() -> None:
    model = TwoTower(_features(), np.ones(N_ITEMS), N_USERS, _config(), rating_mean=None)
    _, losses = model.compute_losses(_batch())
    assert set(losses) == {"retrieval"}
    assert set(_exported(model)) == {"query_tower", "item_tower"}


def _exported(model: TwoTower) -> dict[str, Any]:
    model.build_variables()
    return {exported.signature.name: exported.function for exported in exported_models(model)}


def _queries_and_targets(model: TwoTower) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    batch, vectors = _batch(), model.item_vectors().numpy()
    history = np.where(batch["history"].numpy()[..., None] >= 0, vectors[batch["history"]], 0)
    users = model.user_tower(tf.constant(history), batch["gaps"], batch["user"]).numpy()
    targets = batch["targets"].numpy()
    return users[targets >= 0], targets[targets >= 0], vectors


def test_full_loss_is_a_softmax_over_all_items_of_the_training(model: TwoTower) -> None:
    queries, targets, vectors = _queries_and_targets(model)
    logits = queries @ vectors.T
    logits[:, UNTRAINED] = -np.inf  # a new item is not a rejected one
    log_partition = np.log(np.exp(logits).sum(axis=1))
    expected = np.mean(log_partition - logits[np.arange(len(targets)), targets])
    np.testing.assert_allclose(model.compute_losses(_batch())[1]["retrieval"], expected, rtol=1e-4)


def test_sampled_loss_is_the_full_one_where_the_sample_is_the_catalogue(model: TwoTower) -> None:
    sampled = _model(training={"retrieval_loss": "sampled", "negatives": N_ITEMS})
    for variable, value in zip(sampled.variables, model.variables, strict=True):
        variable.assign(value)
    losses, gradients = [], []
    for each in (sampled, model):
        with tf.GradientTape() as tape:
            loss = each.compute_losses(_batch())[1]["retrieval"]
        losses.append(loss.numpy())
        gradients.append(
            [tf.convert_to_tensor(g) for g in tape.gradient(loss, each.trainable_variables) if g is not None]
        )
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    for ours, full in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, full, atol=1e-5)


def test_sampled_loss_weighs_what_is_drawn_and_leaves_out_a_target_that_is() -> None:
    model = _model(training={"retrieval_loss": "sampled", "negatives": 4, "temperature": 0.5})
    queries, targets, vectors = _queries_and_targets(model)
    assert model._negatives is not None
    drawn, sizes = model._negatives.draw(model.step).numpy(), np.exp(model._negatives.log_weights)
    assert set(drawn) & set(targets)
    expected = []
    for query, target in zip(queries, targets, strict=True):
        scores = np.exp(vectors @ query / 0.5)
        others = sum(size * scores[item] for item, size in zip(drawn, sizes, strict=True) if item != target)
        expected.append(np.log((scores[target] + others) / scores[target]))
    np.testing.assert_allclose(model.compute_losses(_batch())[1]["retrieval"], np.mean(expected), rtol=1e-4)


def test_a_sampled_step_sees_other_items_than_the_one_before_and_the_same_after_a_resumption() -> None:
    model = _model(training={"retrieval_loss": "sampled", "negatives": 4})
    first = model.compute_losses(_batch())[1]["retrieval"].numpy()
    model.step.assign_add(1)
    second = model.compute_losses(_batch())[1]["retrieval"].numpy()
    assert first != second
    resumed = _model(training={"retrieval_loss": "sampled", "negatives": 4})
    resumed.step.assign(1)
    assert resumed.compute_losses(_batch())[1]["retrieval"].numpy() == second


def test_which_loss_is_chosen_is_said() -> None:
    assert "all 11 items" in _model().retrieval_says
    assert (
        "4 items a step, drawn from 11" in _model(training={"retrieval_loss": "sampled", "negatives": 4}).retrieval_says
    )


@pytest.mark.parametrize("loss", ["sampled", "full"])
def test_training_learns_what_follows_what(loss: str) -> None:
    model = _model(model={"dropout": 0.0, "id_dropout": 0.0}, training={"retrieval_loss": loss, "negatives": 4})
    cycle = np.arange(10)
    history = np.stack([np.roll(cycle, -s)[:5] for s in range(10)]).astype(np.int32)
    batch = {
        "user": tf.zeros([10], tf.int32),
        "history": tf.constant(history),
        "gaps": tf.zeros([10, 5]),
        "targets": tf.constant((history + 1) % 10),
        "ratings": tf.fill([10, 5], np.nan),
        "rating_features": tf.zeros([10, 5, len(FEATURES)]),
    }
    optimizer = tf.keras.optimizers.legacy.Adam(0.02)
    train_step = _train_step(model, optimizer)
    for step in range(150):
        model.step.assign(step)
        train_step(batch)
    vectors = model.item_vectors()
    users = model.user_vectors(tf.gather(vectors, history), tf.fill([10], 5), batch["gaps"], batch["user"])
    best = np.argmax(users @ tf.transpose(vectors), axis=1)
    np.testing.assert_array_equal(best, (history[:, -1] + 1) % 10)


def _train_step(model: TwoTower, optimizer: Any) -> Callable[[dict[str, tf.Tensor]], None]:
    @tf.function
    def train_step(batch: dict[str, tf.Tensor]) -> None:
        with tf.GradientTape() as tape:
            loss = model.compute_loss(batch, training=True)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    return train_step


def test_user_ids_shift_the_user_vector_and_unknown_users_share_one() -> None:
    model = _model(model={"use_user_id": True})
    history, lengths, gaps = _history(model, [1, 2]), tf.constant([2]), tf.zeros([1, 2])
    known, unknown = (model.user_vectors(history, lengths, gaps, tf.constant([user])) for user in (3, 0))
    assert np.abs(known - unknown).max() > 1e-4


@pytest.mark.parametrize("position", ["time_gap", "both"])
def test_time_gaps_change_the_user_vector(position: str) -> None:
    model = _model(model={"position": position})
    history, lengths, user = _history(model, [1, 2]), tf.constant([2]), tf.constant([0])
    soon = model.user_vectors(history, lengths, tf.constant([[0.0, 0.1]]), user)
    late = model.user_vectors(history, lengths, tf.constant([[0.0, 5.0]]), user)
    assert np.abs(soon - late).max() > 1e-4


def test_a_fine_tuned_text_layer_receives_gradients() -> None:
    text_layer = tf.keras.layers.Embedding(N_ITEMS, TEXT_DIM)
    model = TwoTower(_features(), np.ones(N_ITEMS), N_USERS, _config(), rating_mean=None, text_layer=text_layer)
    model.build_variables()
    with tf.GradientTape() as tape:
        loss = model.compute_loss(_batch(), training=True)
    assert np.abs(tf.convert_to_tensor(tape.gradient(loss, text_layer.trainable_variables)[0])).max() > 0


@pytest.mark.parametrize("history", [[], [3], [0, 4, 7]])
def test_set_to_popularity_scores_by_counts_and_text_match_alone(history: list[int]) -> None:
    model = _model(model={"use_user_id": True})
    model.set_to_popularity()
    items = model.item_vectors().numpy()
    rows = np.array([[*history, 0]], np.int32)[:, : max(len(history), 1)]
    vectors = items[rows] * (len(history) > 0)
    lengths = tf.constant([len(history)], tf.int32)
    user = model.user_vectors(vectors, lengths, tf.zeros(rows.shape), tf.constant([2], tf.int32)).numpy()[0]
    dim = model.output_dim - model.item_tower.match_dim
    counts = np.arange(1, N_ITEMS + 1)
    known = np.arange(N_ITEMS) != UNTRAINED
    np.testing.assert_allclose((items @ np.append(user[:dim], np.zeros(4)))[known], np.log1p(counts)[known], rtol=1e-5)
    scale, decay = model.user_tower.match
    weights = decay ** np.arange(len(history))[::-1]
    match = np.zeros(4) if not history else scale * weights @ items[history, dim:] / weights.sum()
    np.testing.assert_allclose(user[dim:], match, atol=1e-5)


def _profiles() -> Profiles:
    """Of member (unknown, false, true) and age (unknown, any), for each of the users."""
    attributes = [ProfileAttribute(name="member", kind="bool"), ProfileAttribute(name="age", kind="number")]
    rows = np.array([[2, 4], [1, 4], [0, 3], [0, 3], [0, 3], [2, 3]], np.int32)
    return Profiles(ProfileVocabulary(attributes=attributes), rows)


def test_a_profile_adds_the_vectors_of_its_values() -> None:
    model = TwoTower(_features(), np.ones(N_ITEMS), N_USERS, _config(), rating_mean=None, profiles=_profiles())
    model.build_variables()
    history = tf.repeat(_history(model, [4, 5]), 3, axis=0)
    # Users 0 and 1, and one whom the model does not know.
    arguments = history, tf.constant([2, 2, 2]), tf.zeros([3, 2]), tf.constant([1, 2, 0], tf.int32)
    vectors = model.user_tower.profile_vectors
    added = np.stack([vectors[2] + vectors[4], vectors[1] + vectors[4], vectors[0] + vectors[3]])
    with_profiles = model.user_vectors(*arguments).numpy()
    without = model.user_vectors(*arguments, profiles=False).numpy()
    np.testing.assert_allclose(with_profiles[:, :8] - without[:, :8], added, atol=1e-6)
    np.testing.assert_array_equal(with_profiles[:, 8:], without[:, 8:])


def test_the_exported_query_tower_knows_no_profiles() -> None:
    model = TwoTower(_features(), np.ones(N_ITEMS), N_USERS, _config(), rating_mean=None, profiles=_profiles())
    model.build_variables()
    graph = exported_models(model)[0].function.get_concrete_function().graph
    shapes = [operation.outputs[0].shape.as_list() for operation in graph.get_operations() if operation.outputs]
    assert [N_USERS + 1, 2] not in shapes
