from __future__ import annotations

import numpy as np
import pytest

from recsys.evaluation.baselines import fit_popularity, grid_size, tune_neighbours
from recsys.evaluation.metrics import ranking_metrics
from recsys.evaluation.protocol import HeldOut
from recsys.retrieval.neighbours_fit import fit_neighbours
from tests.bundle_factory import make_histories
from tests.dataset_factory import TEST, TRAIN, VALIDATION, make_dataset
from tests.unit.evaluation.fakes import make_config

HISTORIES = make_histories(120, 40, seed=3)


def _interactions(with_validation: bool) -> list[tuple[int, int, int, None, str]]:
    rows = []
    for user, (start, stop) in enumerate(zip(HISTORIES.indptr, HISTORIES.indptr[1:], strict=False)):
        for at in range(start, stop):
            back = stop - at
            split = TEST if back == 1 else VALIDATION if back == 2 and with_validation else TRAIN
            rows.append((user, int(HISTORIES.items[at]), int(at), None, split))
    return rows


DATASET = make_dataset(_interactions(with_validation=True), 120, 40)
GRID = {"neighbours_k": [2, 30], "neighbours_b": [0.2, 0.75], "neighbours_decay": [0.5, 1.0]}


def test_the_best_setting_on_validation_is_taken() -> None:
    config = make_config(**GRID).evaluation
    steps: list[int] = []
    tuned = tune_neighbours(DATASET, config, seed=0, progress=steps.append)
    assert sum(steps) == grid_size(config) == 8
    held = HeldOut.of(DATASET, VALIDATION)
    figures = {}
    for trial in tuned.report["tried"]:
        parameters = {key: trial[key] for key in ("k", "k1", "b", "decay")}
        found = fit_neighbours(DATASET.histories((TRAIN,)), 40, **parameters).retrieve(held.queries, 2)
        figure = ranking_metrics(found.items, held.relevant, [2])["ndcg@2"].mean()
        assert trial["ndcg@2"] == pytest.approx(figure)
        figures[tuple(parameters.values())] = figure
    assert len(set(figures.values())) > 1
    assert figures[tuple(tuned.report["chosen"].values())] == max(figures.values())
    assert tuned.retriever.decay == tuned.report["chosen"]["decay"]
    assert tuned.retriever.neighbours.shape[1] == tuned.report["chosen"]["k"]


def test_tuning_never_sees_the_test_split() -> None:
    rows = [row if row[4] != TEST else (row[0], (row[1] + 7) % 40, *row[2:]) for row in _interactions(True)]
    other = make_dataset(rows, 120, 40)
    config = make_config(**GRID).evaluation
    ours, theirs = (tune_neighbours(dataset, config, seed=0) for dataset in (DATASET, other))
    assert ours.report == theirs.report
    np.testing.assert_array_equal(ours.retriever.similarities, theirs.retriever.similarities)


def test_without_validation_the_first_setting_is_taken() -> None:
    dataset = make_dataset(_interactions(with_validation=False), 120, 40)
    tuned = tune_neighbours(dataset, make_config(**GRID).evaluation, seed=0)
    assert tuned.report["users"] == 0
    assert tuned.report["chosen"] == {"k": 2, "k1": 1.2, "b": 0.2, "decay": 0.5}


def test_popularity_counts_train_alone() -> None:
    rows = [(0, 1, 1, None, TRAIN), (1, 1, 1, None, TRAIN), (0, 2, 2, None, VALIDATION), (0, 3, 3, None, TEST)]
    assert fit_popularity(make_dataset(rows, 2, 4)).popularity.tolist() == [0, 2, 0, 0]
