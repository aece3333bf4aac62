from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.bundle import Bundle, open_bundle
from recsys.config import Config
from recsys.measure.explanations.fidelity import CHEAP, EXPLANATION, RANDOM, RECENCY
from recsys.measure.explanations.measure import measure_explanations
from recsys.measure.protocol import HeldOut
from recsys.prepare.prepared import PreparedDataset
from tests.support.bundles import make_bundle, make_histories
from tests.support.datasets import TEST, TRAIN, make_dataset
from tests.support.measuring import make_config

N_USERS, N_ITEMS = 40, 120


@pytest.fixture(scope="module")
def dataset() -> PreparedDataset:
    """What the users of the bundle chose, the last of it held out."""
    histories = make_histories(N_USERS, N_ITEMS, seed=0)
    last = np.append(histories.rows[1:] != histories.rows[:-1], True)
    columns = histories.rows, histories.items, histories.timestamps
    rows = [
        (int(user), int(item), int(time), None, TEST if held else TRAIN)
        for user, item, time, held in zip(*columns, last, strict=True)
    ]
    return make_dataset(rows, N_USERS, N_ITEMS)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    with open_bundle(make_bundle(tmp_path_factory.mktemp("bundle"), N_ITEMS, N_USERS, seed=0)) as opened:
        yield opened


def settings(**evaluation: Any) -> Config:
    return make_config(cutoffs=[10], **evaluation)


def test_users_without_curves_are_counted_by_cause(bundle: Bundle, dataset: PreparedDataset) -> None:
    held = HeldOut.of(dataset, TEST)
    lengths = held.queries.histories.lengths
    found = measure_explanations(bundle, held, settings())
    assert found is not None
    assert found["not_measured"] is None
    assert found["users"] == len(held)
    assert found["left_out"] == {
        "without_history": int((lengths == 0).sum()),
        "with_one_item_alone": int((lengths == 1).sum()),
        "without_a_personal_item": 0,
    }
    assert found["left_out"]["without_history"] > 0
    assert found["left_out"]["with_one_item_alone"] > 0
    assert found["fidelity"] is not None
    assert found["fidelity"]["users"] == int((lengths > 1).sum())
    assert list(found["fidelity"]["orders"]) == [EXPLANATION, CHEAP, RECENCY, RANDOM]


def test_no_more_users_than_asked_for_and_none_where_none_are(bundle: Bundle, dataset: PreparedDataset) -> None:
    held = HeldOut.of(dataset, TEST)
    found = measure_explanations(bundle, held, settings(explained_users=9))
    assert found is not None
    assert found["users"] == 9
    assert measure_explanations(bundle, held, settings(explained_users=0)) is None


def test_the_same_seed_gives_the_same_figures(bundle: Bundle, dataset: PreparedDataset) -> None:
    held = HeldOut.of(dataset, TEST)
    first, again = (measure_explanations(bundle, held, settings(explained_users=9)) for _ in range(2))
    assert first == again


def test_leaving_out_what_matters_most_is_worse_for_the_item_than_leaving_out_anything(
    bundle: Bundle, dataset: PreparedDataset
) -> None:
    found = measure_explanations(bundle, HeldOut.of(dataset, TEST), settings())
    assert found is not None
    assert found["fidelity"] is not None
    gaps = {(row["order"], row["other"], row["metric"]): row for row in found["fidelity"]["differences"]}
    assert gaps[EXPLANATION, RANDOM, "deletion"]["high"] < 0
    assert gaps[EXPLANATION, RANDOM, "insertion"]["low"] > 0


def test_reasons_are_measured_and_contributions_add_up(bundle: Bundle, dataset: PreparedDataset) -> None:
    held = HeldOut.of(dataset, TEST)
    found = measure_explanations(bundle, held, settings())
    assert found is not None
    assert found["reasons"] is not None
    assert found["agreement"] is not None
    assert found["additivity"] is not None
    # Strangers, too, have lists of ten popular items, and no personal reason.
    assert found["reasons"]["entries"] == 10 * len(held)
    assert found["reasons"]["personal"]["mean"] <= 1 - found["left_out"]["without_history"] / len(held)
    assert found["agreement"]["chance"] < found["agreement"]["share"]["low"]
    assert found["additivity"]["items"] == int((held.queries.histories.lengths > 1).sum())
    assert 0 <= found["additivity"]["median"] <= found["additivity"]["largest"] <= 1e-4


def test_where_users_choose_again_lists_hold_items_of_the_history(bundle: Bundle, dataset: PreparedDataset) -> None:
    held = replace(HeldOut.of(dataset, TEST), repeats=True)
    found = measure_explanations(bundle, held, settings())
    assert found is not None
    assert found["fidelity"] is not None
    # With the whole history the first item of each list is the first of all that is ranked.
    for order in found["fidelity"]["orders"].values():
        assert (order["curves"]["deletion"][0], order["curves"]["insertion"][-1]) == (1, 1)


def test_a_bundle_without_a_ranker_says_so(tmp_path: Path, dataset: PreparedDataset) -> None:
    with open_bundle(make_bundle(tmp_path, N_ITEMS, N_USERS, ranker=False)) as bundle:
        found = measure_explanations(bundle, HeldOut.of(dataset, TEST), settings())
    assert found is not None
    assert "no ranker" in str(found["not_measured"])
    assert found["fidelity"] is None


def test_strangers_alone_give_no_figure(bundle: Bundle) -> None:
    dataset = make_dataset([(user, user, 1, None, TEST) for user in range(5)], N_USERS, N_ITEMS)
    found = measure_explanations(bundle, HeldOut.of(dataset, TEST), settings())
    assert found is not None
    assert found["not_measured"] is not None
    assert found["left_out"]["without_history"] == 5
