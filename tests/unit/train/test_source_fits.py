"""Fitting the retrievers beside the two-tower: what is skipped, what is fitted again, and what becomes of them."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from recsys.config import Config, parse_config
from recsys.core.queries import Queries
from recsys.measure.protocol import HeldOut
from recsys.prepare.schema import Repeats
from recsys.sources.fitting import FitData
from recsys.sources.hybrid import Hybrid
from recsys.sources.item_to_item.transitions_fit import fit_transitions
from recsys.train import source_fits
from recsys.train.kept_results import KeptResults
from recsys.train.source_fits import fit_again, fit_data, make_hybrids, tune_sources
from tests.support.datasets import TRAIN, VALIDATION, make_dataset
from tests.support.fixed_scores import FixedScores
from tests.support.training import N_ITEMS, N_USERS, make_histories

NAMES = ["popularity", "recent_popularity", "transitions", "ease"]


def config_of(**retrieval: Any) -> Config:
    settings = {
        "retrievers": NAMES,
        "decay": [0.3, 1.0],
        "transitions_reverse": [0.0, 1.0],
        "transitions_target_power": [0.3],
        "ease_max_items": 10,
        **retrieval,
    }
    data = {"format": "events", "interactions": ["unused"]}
    ranking = {"retrievers": ["transitions"], "scorers": []}
    return parse_config({"name": "tiny", "data": data, "retrieval": settings, "ranking": ranking}, "test")


@pytest.fixture(scope="module")
def data() -> FitData:
    return FitData(make_histories()[0], N_ITEMS)


@pytest.fixture(scope="module")
def held() -> HeldOut:
    """Every second user takes item n + 1 after item n, as all did in training; the others now take item n + 20."""
    rows = []
    for split, part in zip((TRAIN, VALIDATION), make_histories(), strict=True):
        users = np.repeat(np.arange(N_USERS), part.lengths)
        items = part.items if split == TRAIN else (part.items + np.where(users % 2, 19, 0)) % N_ITEMS
        rows += [(*row, None, split) for row in zip(users, items, part.timestamps, strict=True)]
    return HeldOut.of(make_dataset(rows, N_USERS, N_ITEMS), VALIDATION)


def printed(run: Any) -> tuple[Any, str]:
    """What `run` gives and what it prints on the console it is called with."""
    text = io.StringIO()
    return run(Console(file=text, width=200)), text.getvalue()


def test_each_is_tuned_or_skipped_and_says_so(data: FitData, held: HeldOut) -> None:
    fitted, text = printed(lambda console: tune_sources(data, held, config_of(), console))
    assert list(fitted.tuned) == ["popularity", "recent_popularity", "transitions"]
    assert list(fitted.skipped) == ["ease"]
    assert fitted.sources["transitions"] is fitted.tuned["transitions"].source
    # In this shop the next item follows the last one: the way back and the items before say nothing.
    settings = fitted.tuned["transitions"].settings
    assert (settings["reverse"], settings["decay"]) == (0.0, 0.3)
    lines = text.splitlines()
    assert len(lines) == 4
    assert lines[0].endswith("150 validation users, 1 tried"), "popularity has nothing to choose"
    assert "4 tried; " in lines[2]
    assert "reverse 0, " in lines[2]
    assert lines[3] == f"No ease: {fitted.skipped['ease']}"


def test_what_a_fit_measured_of_itself_is_said_and_recorded(data: FitData, held: HeldOut) -> None:
    vectors = np.random.default_rng(0).normal(size=(N_ITEMS, 8)).astype(np.float32)
    of_texts, log = replace(data, text_vectors=vectors), io.StringIO()
    names = {"retrievers": ["popularity", "transitions", "content_encoder"]}

    def report(exact_items: int) -> dict[str, Any]:
        config = config_of(**names, content_exact_items=exact_items)
        return tune_sources(of_texts, held, config, Console(file=log, width=200)).tuned["content_encoder"].report

    assert "measured" not in report(N_ITEMS)
    assert "recall" not in log.getvalue()
    assert report(N_ITEMS - 1)["measured"] == {"recall@100": 1.0}
    assert "2 tried, recall@100 1.0000" in log.getvalue()


def test_without_validation_the_first_settings_are_taken_untried(data: FitData) -> None:
    fitted, text = printed(lambda console: tune_sources(data, None, config_of(), console))
    assert fitted.tuned["transitions"].report["tried"] == []
    assert text.count("untried") == 3


def test_a_run_that_goes_on_tunes_what_it_has_not_tuned(
    data: FitData, held: HeldOut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.json"
    whole = tune_sources(data, held, config_of(), Console(quiet=True), kept=KeptResults(path, {"data": 1}))
    left = json.loads(path.read_text())
    del left["results"]["transitions"]  # as if the run had been killed while this one was tuned
    path.write_text(json.dumps(left))
    tuned = []
    original = source_fits.tune_source
    monkeypatch.setattr(
        source_fits, "tune_source", lambda recipe, *rest: tuned.append(recipe.name) or original(recipe, *rest)
    )
    again, text = printed(
        lambda console: tune_sources(data, held, config_of(), console, kept=KeptResults(path, {"data": 1}))
    )
    assert tuned == ["transitions"]
    assert text.count("; chosen before") == 2
    for name, before in whole.tuned.items():
        assert (again.tuned[name].settings, again.tuned[name].report) == (before.settings, before.report)
        np.testing.assert_array_equal(again.sources[name].score(held.queries), before.source.score(held.queries))
    tune_sources(data, held, config_of(), Console(quiet=True), kept=KeptResults(path, {"data": 2}))
    assert tuned == ["transitions", *whole.tuned], "of other data nothing is taken over"


def test_fitted_again_means_the_same_settings_on_other_data(data: FitData, held: HeldOut) -> None:
    config = config_of()
    fitted = tune_sources(data, held, config, Console(quiet=True))
    prefix = replace(data, histories=data.histories.select(np.arange(50)))
    again = fit_again(["transitions"], prefix, fitted, config)["transitions"]
    expected = fit_transitions(prefix.histories, N_ITEMS, **fitted.tuned["transitions"].settings)
    np.testing.assert_array_equal(again.neighbours, expected.neighbours)
    np.testing.assert_array_equal(again.similarities, expected.similarities)
    assert again.decay == expected.decay
    assert (again.similarities != fitted.sources["transitions"].similarities).any()


@pytest.fixture(scope="module")
def two_tower(held: HeldOut) -> FixedScores:
    """Knows what the others take, and nothing of every second user."""
    table = np.random.default_rng(0).random((N_USERS, N_ITEMS)).astype(np.float32)
    table[held.users[1::2], held.relevant.items[1::2]] += 2
    return FixedScores(table, "two_tower")


def hybrids_of(
    data: FitData, held: HeldOut | None, two_tower: FixedScores, config: Config
) -> tuple[dict[str, Hybrid], dict[str, Any], str]:
    fitted = tune_sources(data, held, config, Console(quiet=True))
    known = Queries(data.histories, np.arange(N_USERS, dtype=np.int32), np.zeros(N_USERS, np.int64))
    hybrids, text = printed(lambda console: make_hybrids(two_tower, fitted.sources, held, known, config, console))
    assert hybrids.of_others == []
    return hybrids.sources, hybrids.report, text


def test_the_hybrid_adds_the_two_tower_to_the_best_blend(data: FitData, held: HeldOut, two_tower: FixedScores) -> None:
    hybrids, report, text = hybrids_of(data, held, two_tower, config_of())
    assert list(hybrids) == ["blend", "hybrid"]
    assert hybrids["blend"].weights == report["blend_weights"]
    assert hybrids["hybrid"].weights == report["weights"]
    assert "two_tower" in hybrids["hybrid"].weights
    assert set(hybrids["hybrid"].weights) <= {"two_tower", *hybrids["blend"].weights}
    assert report["ndcg@10"] > report["blend"]["ndcg@10"]
    assert len(report["alpha_sweep"]) == 11
    assert [line.split(":")[0] for line in text.splitlines()] == ["blend", "hybrid"]


def test_the_weights_of_a_fold_are_those_of_the_others_alone(
    data: FitData, held: HeldOut, two_tower: FixedScores
) -> None:
    fitted = tune_sources(data, held, config_of(), Console(quiet=True)).sources
    known = Queries(data.histories, np.arange(N_USERS, dtype=np.int32), np.zeros(N_USERS, np.int64))
    folds = np.arange(N_USERS) // 2 % 2
    quiet = Console(quiet=True)
    hybrids = make_hybrids(two_tower, fitted, held, known, config_of(), quiet, folds=folds)
    assert len(hybrids.of_others) == 2
    for fold, weights in enumerate(hybrids.of_others):
        alone = held.select(np.flatnonzero(folds[held.users] != fold))
        expected = make_hybrids(two_tower, fitted, alone, known, config_of(), quiet).sources
        for name, source in expected.items():
            assert list(weights[name]) == list(source.weights)
            # Scales are those of all users, so that shares of the grid are other weights, though close ones.
            ratios = np.array(list(weights[name].values())) / np.array(list(source.weights.values()))
            np.testing.assert_allclose(ratios / ratios[0], 1, rtol=0.5)


def test_shares_of_the_config_are_those_of_the_blend(data: FitData, held: HeldOut, two_tower: FixedScores) -> None:
    config = config_of(hybrid_weights={"popularity": 1.0, "transitions": 3.0})
    hybrids, report, _ = hybrids_of(data, held, two_tower, config)
    assert report["blend"]["shares"] == {"popularity": 0.25, "transitions": 0.75}
    assert set(hybrids["blend"].weights) == {"popularity", "transitions"}
    assert "two_tower" in hybrids["hybrid"].weights, "its part is still tuned"


def test_without_validation_all_members_are_equally_loud(data: FitData, two_tower: FixedScores) -> None:
    hybrids, report, text = hybrids_of(data, None, two_tower, config_of())
    assert set(hybrids["hybrid"].weights) == {"two_tower", "popularity", "recent_popularity", "transitions"}
    assert list(report["shares"].values()) == [0.25] * 4
    assert report["alpha_sweep"] == []
    assert text.count("untried") == 2


@pytest.mark.parametrize("repeats", ["latest", "count", "all"])
def test_sources_are_fitted_on_quantities_beside_their_interactions(repeats: Repeats) -> None:
    rows = [(1, 0, 5, None, TRAIN), (0, 2, 1, None, TRAIN), (0, 1, 2, None, TRAIN), (0, 2, 3, None, TRAIN)]
    dataset = make_dataset([*rows, (0, 0, 9, None, VALIDATION)], 2, 3, repeats=repeats)
    dataset = replace(dataset, interactions=dataset.interactions.assign(count=1))
    assert fit_data(dataset, SimpleNamespace(embeddings=None), config_of()).quantities is None
    # By user and time: item 2, 1, 2 and the held-out one of user 0, then that of user 1.
    bought = dataset.interactions.assign(quantity=np.array([3, np.nan, 4, 7, 6], np.float32))
    data = fit_data(replace(dataset, interactions=bought), SimpleNamespace(embeddings=None), config_of())
    assert data.histories.items.tolist() == ([1, 2, 0] if repeats == "count" else [2, 1, 2, 0])
    assert data.quantities is not None
    expected = [np.nan, 4, 6] if repeats == "count" else [3, np.nan, 4, 6]
    np.testing.assert_array_equal(data.quantities, np.array(expected, np.float32))


@pytest.mark.parametrize("trials", [2, 24])
def test_as_many_settings_are_tried_as_were_counted(data: FitData, held: HeldOut, tmp_path: Path, trials: int) -> None:
    config = config_of(trials=trials)
    tried: list[int] = []
    kept = KeptResults(tmp_path / "kept.json", {})
    counted = source_fits.count_settings(data, config, kept)
    tuned = tune_sources(data, held, config, Console(quiet=True), tried.append, kept)
    assert counted == sum(tried) == sum(len(each.report["tried"]) for each in tuned.tuned.values())
    assert source_fits.count_settings(data, config, kept) == 0, "they are chosen already"
