"""What a user did with an item: only what weight, rating or an event tell without doubt."""

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from recsys.bundle import Bundle, open_bundle
from recsys.core.histories import Histories
from recsys.explain.actions import Actions, nothing_known
from tests.support.bundles import make_bundle

NAN = math.nan
LOG = {"view": 1.0, "click": 2.0, "add_to_cart": 3.0, "purchase": 5.0}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(make_bundle(tmp_path_factory.mktemp("actions"), n_items=30, n_users=6, ranker=False))


def actions_of(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, weights: list[float], **data: Any) -> Actions:
    manifest = msgspec.structs.replace(bundle.manifest, config={"data": data})
    monkeypatch.setattr(bundle, "manifest", manifest)
    monkeypatch.setattr(bundle, "histories", history(weights, [NAN] * len(weights)))
    return Actions.of(bundle)


def history(weights: list[float], ratings: list[float]) -> Histories:
    count = len(weights)
    return Histories.from_rows(
        1, np.zeros(count, int), np.arange(count), np.arange(count), np.array(ratings), np.array(weights)
    )


def test_a_log_tells_types_by_their_weight(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    actions = actions_of(bundle, monkeypatch, [1, 5], format="events", event_weights=LOG)
    told = actions.of_history(history([1, 2, 3, 5, 5, 4], [NAN, NAN, NAN, NAN, 2.0, NAN]))
    assert told == ("view", "click", "add_to_cart", "purchase", "rating", None)


def test_two_types_of_one_weight_are_not_told_apart(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = {"view": 1.0, "wish": 0.1, "share": 0.1}
    actions = actions_of(bundle, monkeypatch, [1, 0.1], format="store", event_weights=weights)
    assert actions.of_history(history([1, 0.1], [NAN, NAN])) == ("view", None)
    assert actions.of_history(history([1, 0.1], [NAN, NAN]), {1: "wish", 0: "share"}) == ("view", "wish")


def test_live_events_of_the_usual_types_weigh_what_they_always_do(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A history does not say whether 5 is a "transaction" of the log or a "purchase" that the server was told of."""
    weights = {"view": 1.0, "transaction": 5.0, "wish": 4.0}
    actions = actions_of(bundle, monkeypatch, [1, 5], format="events", event_weights=weights)
    assert actions.of_history(history([1, 5, 4, 2], [NAN] * 4)) == ("view", None, "wish", "click")
    assert actions.of_history(history([5], [NAN]), {0: "purchase"}) == ("purchase",)


def test_a_rating_of_a_log_may_have_no_value(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = {**LOG, "rating": 5.0}
    actions = actions_of(bundle, monkeypatch, [1, 5], format="events", event_weights=weights)
    assert actions.of_history(history([5, 5, 3], [NAN, 4.0, NAN])) == (None, "rating", "add_to_cart")


def test_a_log_that_may_have_had_no_types_tells_nothing(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its events all weigh what the first type weighs."""
    alike = actions_of(bundle, monkeypatch, [1, 1], format="events", event_weights=LOG)
    assert alike.of_history(history([1, 5], [NAN, NAN])) == (None, "purchase")
    bought = actions_of(bundle, monkeypatch, [5, 5], format="events", event_weights=LOG)
    assert bought.of_history(history([5], [NAN])) == ("purchase",)


def test_reviews_beside_a_log_weigh_one_too(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = [{"path": "reviews.json", "format": "amazon"}]
    actions = actions_of(bundle, monkeypatch, [1, 5], format="events", interactions=mixed, event_weights=LOG)
    assert actions.of_history(history([1, 5], [NAN, NAN])) == (None, "purchase")


def test_reviews_are_ratings_and_nothing_else_is_known(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    actions = actions_of(bundle, monkeypatch, [1, 1], format="amazon", event_weights=LOG)
    assert actions.of_history(history([1, 1], [4.0, NAN])) == ("rating", None)
    assert actions.of_history(history([1, 1], [4.0, NAN]), {0: "view", 1: "view"}) == ("rating", "view")


def test_nothing_is_known_of_a_session() -> None:
    assert nothing_known(history([1, 1], [4.0, NAN])) == (None, None)


def test_the_bundles_of_tests_hold_ratings(tmp_path: Path) -> None:
    bundle = open_bundle(make_bundle(tmp_path, n_items=30, n_users=6, ranker=False))
    told = Actions.of(bundle).of_history(bundle.histories.select([0]))
    assert set(told) == {"rating"}
