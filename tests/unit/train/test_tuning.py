from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from recsys.config import Config
from recsys.core.errors import ConfigError
from recsys.core.histories import Histories
from recsys.core.queries import Queries
from recsys.core.types import BoolArray
from recsys.measure.metrics import ranking_metrics
from recsys.measure.protocol import HeldOut
from recsys.prepare.prepared import PreparedDataset
from recsys.sources.base import Source
from recsys.sources.fitting import FitData
from recsys.sources.hybrid import Hybrid
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.recipes import Recipe, recipes
from recsys.train.candidate_scores import CandidateScores
from recsys.train.tuning import alpha_sweep, tune_hybrid, tune_source
from recsys.train.tuning_budget import Deadline
from tests.support.datasets import TEST, TRAIN, VALIDATION, make_dataset
from tests.support.fixed_scores import FixedScores

N_USERS, N_ITEMS = 120, 40
NONE = -np.inf
RANDOM = np.random.default_rng(2)


def make_config(**retrieval: Any) -> Config:
    return Config.model_validate(
        {
            "name": "tiny",
            "data": {"format": "amazon_2018", "interactions": ["reviews.json.gz"]},
            "evaluation": {"cutoffs": [2, 5]},
            "retrieval": {"neighbours_k": [2, 30], "bm25_b": [0.2, 0.75], "decay": [0.5, 1.0], **retrieval},
        }
    )


def grouped_dataset() -> PreparedDataset:
    """Two to nine items each, mostly of the user's tenth of the catalogue; the last two are validation and test."""
    rows = []
    for user in range(N_USERS):
        likely = np.where(np.arange(N_ITEMS) % 10 == user % 10, 12.0, 1.0)
        items = RANDOM.choice(N_ITEMS, 2 + user % 8, p=likely / likely.sum())
        splits = [TRAIN] * (len(items) - 2) + [VALIDATION, TEST]
        rows += [(user, int(item), at, None, split) for at, (item, split) in enumerate(zip(items, splits, strict=True))]
    return make_dataset(rows, N_USERS, N_ITEMS)


DATASET = grouped_dataset()
DATA = FitData(DATASET.histories((TRAIN,)), N_ITEMS)
HELD = HeldOut.of(DATASET, VALIDATION)
KNOWN = Queries(DATA.histories, np.arange(N_USERS, dtype=np.int32), np.full(N_USERS, 10, np.int64))


def target_is_unseen(held: HeldOut) -> BoolArray:
    items, indptr = held.queries.histories.items, held.queries.histories.indptr
    return np.array([held.relevant.items[row] not in items[indptr[row] : indptr[row + 1]] for row in range(len(held))])


def ndcg(retriever: Source, held: HeldOut, cutoff: int = 2) -> float:
    """Of the users whose target is unseen, seen items removed."""
    candidates = retriever.propose(held.queries, cutoff)
    figures = ranking_metrics(candidates.items, held.relevant, [cutoff])[f"ndcg@{cutoff}"]
    return float(figures[target_is_unseen(held)].mean())


def recipe(name: str, config: Config) -> Recipe:
    return recipes(config.retrieval)[name]


# Sources


def test_the_best_setting_on_validation_is_taken() -> None:
    config = make_config()
    steps: list[int] = []
    tuned = tune_source(recipe("neighbours_bm25", config), DATA, HELD, config, steps.append)
    settings = recipe("neighbours_bm25", config).grid()
    assert sum(steps) == len(settings) == 8
    figures = [ndcg(recipe("neighbours_bm25", config).fitted(DATA, setting), HELD) for setting in settings]
    assert len(set(figures)) > 4
    assert [trial["ndcg@2"] for trial in tuned.report["tried"]] == pytest.approx(figures)
    assert tuned.settings == tuned.report["chosen"] == settings[int(np.argmax(figures))]
    assert tuned.report["metric"] == "ndcg@2"
    assert tuned.report["users"] == target_is_unseen(HELD).sum() < len(HELD)
    assert ndcg(tuned.source, HELD) == pytest.approx(max(figures))
    assert isinstance(tuned.source, ItemToItem)
    assert tuned.source.decay == tuned.settings["decay"]


def test_settings_of_one_fit_are_fitted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[Mapping[str, Any]] = []

    fitted = Recipe.fitted

    def counting(self: Recipe, data: FitData, chosen: Mapping[str, Any]) -> Source:
        fits.append(chosen)
        return fitted(self, data, chosen)

    monkeypatch.setattr(Recipe, "fitted", counting)
    of = recipe("neighbours_bm25", make_config())
    tune_source(of, DATA, HELD, make_config())
    assert len(fits) == len({of.same_fit(chosen) for chosen in fits}) == 4


@pytest.mark.parametrize("trials", [1, 5, 6])
def test_a_large_grid_is_sampled_by_fits_within_the_budget(trials: int) -> None:
    config = make_config(trials=trials)
    tried = tune_source(recipe("neighbours_bm25", config), DATA, HELD, config).report["tried"]
    assert len(tried) == trials
    settings = [{key: value for key, value in trial.items() if key != "ndcg@2"} for trial in tried]
    everything = recipe("neighbours_bm25", config).grid()
    assert all(setting in everything for setting in settings)
    assert all(settings.count(setting) == 1 for setting in settings)
    assert len({recipe("neighbours_bm25", config).same_fit(setting) for setting in settings}) == -(-trials // 2), (
        "two decays to a fit"
    )


def test_the_sample_of_the_grid_is_seeded() -> None:
    config = make_config(trials=3)
    first, again = (tune_source(recipe("neighbours_bm25", config), DATA, HELD, config).report for _ in range(2))
    assert first == again
    others = [
        tune_source(recipe("neighbours_bm25", config), DATA, HELD, config.model_copy(update={"seed": seed})).report[
            "tried"
        ]
        for seed in (1, 2, 3)
    ]
    assert any(tried != first["tried"] for tried in others)


def test_beyond_the_deadline_the_first_setting_is_tried_and_the_others_are_counted() -> None:
    config = make_config()
    whole = tune_source(recipe("neighbours_bm25", config), DATA, HELD, config).report
    cut = tune_source(recipe("neighbours_bm25", config), DATA, HELD, config, deadline=Deadline(0.0)).report
    assert len(whole["tried"]) == 8
    assert whole["untried"] == {"beyond_budget": 0, "out_of_time": 0}
    assert cut["tried"] == whole["tried"][:1]
    assert cut["untried"] == {"beyond_budget": 0, "out_of_time": 7}
    few = make_config(trials=3)
    report = tune_source(recipe("neighbours_bm25", few), DATA, HELD, few, deadline=Deadline(0.0)).report
    assert report["untried"] == {"beyond_budget": 5, "out_of_time": 2}


def test_users_are_sampled() -> None:
    config = make_config(tuning_users=30, neighbours_k=[30], bm25_b=[0.2], decay=[0.5])
    report = tune_source(recipe("neighbours_bm25", config), DATA, HELD, config).report
    sample = HELD.sample(30, config.seed)
    assert report["users"] == target_is_unseen(sample).sum() <= 30
    fitted = recipe("neighbours_bm25", config).fitted(DATA, report["chosen"])
    assert report["tried"][0]["ndcg@2"] == pytest.approx(ndcg(fitted, sample))


def test_without_validation_the_first_setting_is_taken() -> None:
    tuned = tune_source(recipe("neighbours_bm25", make_config()), DATA, None, make_config())
    assert tuned.settings == tuned.report["chosen"] == {"k": 2, "k1": 1.2, "b": 0.2, "decay": 0.5}
    assert (tuned.report["users"], tuned.report["tried"]) == (0, [])
    assert isinstance(tuned.source, ItemToItem)
    assert tuned.source.neighbours.shape[1] == 2


def test_a_retriever_without_settings_is_tried_once() -> None:
    report = tune_source(recipe("popularity", make_config()), DATA, HELD, make_config()).report
    popular = recipe("popularity", make_config()).fitted(DATA, {})
    assert report["chosen"] == {}
    assert report["tried"] == [{"ndcg@2": pytest.approx(ndcg(popular, HELD))}]


# Hybrids


def guess(users: BoolArray, scale: float, noise: float) -> FixedScores:
    """Scores that put the target of some users first, among noise."""
    table = RANDOM.random((N_USERS, N_ITEMS)).astype(np.float32) * noise
    table[np.flatnonzero(users), HELD.relevant.items[users]] += 1
    return FixedScores(table * scale)


EVEN = np.arange(N_USERS) % 2 == 0
MEMBERS = {
    "two_tower": guess(EVEN, 1.0, 0.9),
    "als": guess(~EVEN, 50.0, 0.9),
    "bpr": guess(np.zeros(N_USERS, bool), 7.0, 1.0),
}


def test_members_that_know_different_users_are_combined() -> None:
    steps: list[int] = []
    weights, report = tune_hybrid(MEMBERS, HELD, make_config(), queries=KNOWN, progress=steps.append)
    assert set(weights) == set(report["shares"]) == {"two_tower", "als"}, "noise is left out"
    assert report["weights"] == weights
    assert sum(report["shares"].values()) == pytest.approx(1)
    assert 0.5 < report["shares"]["als"] / report["shares"]["two_tower"] < 2
    assert weights["two_tower"] / weights["als"] == pytest.approx(50, rel=0.6), "fifty times the scale"
    assert sum(steps) == report["tried"] > 10
    assert report["metric"] == "ndcg@2"
    assert report["users"] == target_is_unseen(HELD).sum()
    figure = ndcg(Hybrid(MEMBERS, weights), HELD)
    assert report["ndcg@2"] == pytest.approx(figure, rel=1e-6)
    assert figure > 1.3 * max(ndcg(Hybrid(MEMBERS, {name: 1}), HELD) for name in MEMBERS)


def test_the_search_ends_where_no_share_scaled_is_better() -> None:
    weights, report = tune_hybrid(MEMBERS, HELD, make_config(), queries=KNOWN)
    for name in weights:
        for factor in (0.5, 0.7, 1.4, 2.0):
            other = ndcg(Hybrid(MEMBERS, {**weights, name: weights[name] * factor}), HELD)
            assert other <= report["ndcg@2"] * 1.002 + 1e-6


def test_one_perfect_member_stands_alone() -> None:
    members = {"als": guess(np.ones(N_USERS, bool), 1.0, 0.0), "bpr": MEMBERS["bpr"]}
    weights, report = tune_hybrid(members, HELD, make_config(), queries=KNOWN)
    assert list(weights) == ["als"]
    assert report["shares"] == {"als": 1}


def test_scores_at_hand_are_not_computed_again() -> None:
    scores = CandidateScores.of({**MEMBERS, "popularity": MEMBERS["bpr"]}, HELD)
    members = {name: MEMBERS[name] for name in ("als", "two_tower")}
    unscored = {name: FixedScores(np.full((N_USERS, N_ITEMS), NONE, np.float32)) for name in members}
    assert tune_hybrid(members, HELD, make_config(), queries=KNOWN) == tune_hybrid(
        unscored, HELD, make_config(), queries=KNOWN, scores=scores
    )


def test_shares_of_the_config_are_taken_as_they_are() -> None:
    config = make_config(hybrid_weights={"als": 1.0, "two_tower": 3.0, "popularity": 5.0})
    weights, report = tune_hybrid(MEMBERS, HELD, config, queries=KNOWN)
    assert report["shares"] == {"two_tower": 0.75, "als": 0.25}
    assert report["tried"] == 0
    best = {name: MEMBERS[name].propose(HELD.queries, 1).scores[:, 0] for name in ("two_tower", "als")}
    remembered = HELD.queries.histories.lengths > 0
    expected = {name: share / np.median(best[name][remembered]) for name, share in report["shares"].items()}
    assert weights == pytest.approx(expected)
    assert report["ndcg@2"] == pytest.approx(ndcg(Hybrid(MEMBERS, weights), HELD))


@pytest.mark.parametrize("given", [{"als": 1.0, "tow_tower": 2.0}, {"popularity": 1.0}, {"als": 0.0}])
def test_shares_of_no_member_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="hybrid_weights"):
        tune_hybrid(MEMBERS, HELD, make_config(hybrid_weights=given), queries=KNOWN)


def test_without_validation_all_members_are_equally_loud() -> None:
    weights, report = tune_hybrid(MEMBERS, None, make_config(), queries=KNOWN)
    assert report["shares"] == pytest.approx(dict.fromkeys(MEMBERS, 1 / 3))
    assert (report["ndcg@2"], report["users"], report["tried"]) == (None, 0, 0)
    asked = KNOWN.select(np.flatnonzero(KNOWN.histories.lengths))
    for name, member in MEMBERS.items():
        best = member.propose(asked, 1).scores[:, 0]
        assert weights[name] * np.median(best) == pytest.approx(1 / 3)


def test_without_any_queries_there_are_weights_still() -> None:
    nobody = Queries(
        Histories.from_rows(0, *(np.zeros(0, np.int64),) * 3), np.zeros(0, np.int32), np.zeros(0, np.int64)
    )
    weights, _ = tune_hybrid(MEMBERS, None, make_config(), queries=nobody)
    assert weights == pytest.approx(dict.fromkeys(MEMBERS, 1 / 3))


def test_the_alpha_sweep_goes_from_the_two_tower_to_the_blend() -> None:
    held = HELD.select(np.flatnonzero(HELD.queries.histories.lengths))
    two_tower, blend = MEMBERS["two_tower"], MEMBERS["als"]
    sweep = alpha_sweep(two_tower, blend, held, make_config())
    assert [step["alpha"] for step in sweep] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    assert set(sweep[0]) == {"alpha", "ndcg@2", "recall@2"}
    assert sweep[0]["ndcg@2"] == pytest.approx(ndcg(two_tower, held))
    assert sweep[-1]["ndcg@2"] == pytest.approx(ndcg(blend, held))
    scales = CandidateScores.of({"two_tower": two_tower, "blend": blend}, held).scales
    middle = Hybrid({"t": two_tower, "b": blend}, {"t": 0.7 / scales[0], "b": 0.3 / scales[1]})
    assert sweep[3]["ndcg@2"] == pytest.approx(ndcg(middle, held))
    assert sweep[5]["ndcg@2"] > max(sweep[0]["ndcg@2"], sweep[-1]["ndcg@2"])
