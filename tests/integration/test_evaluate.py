from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import pytrec_eval

from recsys import cli
from recsys.bundle import open_bundle
from recsys.measure.protocol import HeldOut
from recsys.measure.systems import NOTHING_REMOVED, POPULARITY, SEEN_REMOVED, Systems
from recsys.prepare.prepared import PreparedDataset
from tests.support.bundles import make_bundle, make_histories
from tests.support.damage import change_array
from tests.support.datasets import TEST, TRAIN, VALIDATION, make_dataset, write_dataset

N_USERS, N_ITEMS = 80, 120


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config, a prepared dataset and a bundle over the same users and items."""
    folder = tmp_path_factory.mktemp("evaluate")
    histories = make_histories(N_USERS, N_ITEMS, seed=0)
    rows = []
    for user in range(N_USERS):
        start, stop = histories.indptr[user : user + 2]
        for at in range(start, stop):
            split = TEST if at >= stop - 2 else VALIDATION if at == stop - 3 else TRAIN
            rows.append(
                (user, int(histories.items[at]), int(histories.timestamps[at]), float(histories.ratings[at]), split)
            )
    write_dataset(make_dataset(rows, N_USERS, N_ITEMS), folder / "prepared" / "tiny")
    make_bundle(folder / "saved_model", N_ITEMS, N_USERS, seed=0)
    (folder / "config.yaml").write_text(
        f"""
name: tiny
synthetic: true
data: {{format: amazon_2018, interactions: [reviews.json.gz], prepared_dir: {folder / "prepared"}}}
bundle: {{dir: {folder / "saved_model"}}}
evaluation: {{report_dir: {folder / "reports"}, bootstrap_samples: 100, svd_epochs: [3], svdpp_epochs: [3],
  explained_users: 5}}
"""
    )
    return folder


def program(workplace: Path, *arguments: str) -> int:
    return cli.main(["evaluate", "--config", str(workplace / "config.yaml"), *arguments])


def test_metrics_agree_with_the_recommendations_scored_by_trec_eval(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workplace / "lists.parquet"
    assert program(workplace, "--recommendations", str(path)) == 0
    printed = capsys.readouterr().out
    assert "NDCG@10" in printed
    assert "synthetic" in printed
    report = workplace / "reports" / "tiny" / "report.html"
    assert str(report) in printed.replace("\n", "")
    assert "Synthetic data" in report.read_text("utf8")

    dataset = PreparedDataset.load(workplace / "prepared" / "tiny")
    test = dataset.of_splits([TEST])
    truth: dict[str, dict[str, int]] = {}
    for user, item in zip(dataset.user_ids[test["user"]], dataset.item_ids[test["item"]], strict=True):
        truth.setdefault(user, {})[item] = 1
    lists: dict[str, dict[str, float]] = {}
    for row in pd.read_parquet(path).itertuples():
        lists.setdefault(row.user_id, {})[row.item_id] = 1 / row.rank
    assert lists.keys() == truth.keys()
    measures = {
        "ndcg_cut.5,10,20,100",
        "recall.5,10,20,100",
        "P.5,10,20,100",
        "map_cut.5,10,20,100",
        "success.5,10,20,100",
    }
    scores = pytrec_eval.RelevanceEvaluator(truth, measures).evaluate(lists)
    names = {"ndcg": "ndcg_cut", "recall": "recall", "precision": "P", "map": "map_cut", "hit_rate": "success"}
    metrics = json.loads((report.parent / "metrics.json").read_text("utf8"))
    system = metrics["ranking"]["seen_removed"]["systems"]["system"]["metrics"]
    for name, theirs in names.items():
        for k in (5, 10, 20, 100):
            expected = np.mean([score[f"{theirs}_{k}"] for score in scores.values()])
            assert system[f"{name}@{k}"]["mean"] == pytest.approx(expected, abs=1e-6), name
    assert system["recall@10"]["mean"] > 0.05  # by chance 10 of 120


def test_the_same_run_gives_the_same_figures(workplace: Path) -> None:
    metrics = workplace / "reports" / "tiny" / "metrics.json"
    figures = []
    for _ in range(2):
        assert program(workplace) == 0
        figures.append(json.loads(metrics.read_text("utf8")))
        figures[-1].pop("run")
    assert figures[0] == figures[1]


def test_explanations_are_measured_unless_nobody_is_to_be_drawn(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = workplace / "reports" / "tiny"
    assert program(workplace, "--set", "evaluation.explained_users=20") == 0
    printed = capsys.readouterr().out
    found = json.loads((folder / "metrics.json").read_text("utf8"))["explanations"]
    assert found["users"] == 20
    assert found["fidelity"]["users"] == 20 - sum(found["left_out"].values())
    area = found["fidelity"]["orders"]["explanation"]["figures"]["deletion"]["mean"]
    assert f"Explanations, area of deletion: Full explanation {area:.4f}" in " ".join(printed.split())
    assert f"at random {found['agreement']['chance']:.1%}" in " ".join(printed.split())
    assert "<h2>Explanations</h2>" in (folder / "report.html").read_text("utf8")
    assert program(workplace, "--set", "evaluation.explained_users=0") == 0
    assert json.loads((folder / "metrics.json").read_text("utf8"))["explanations"] is None
    assert "Explanations, area" not in capsys.readouterr().out
    assert "<h2>Explanations</h2>" not in (folder / "report.html").read_text("utf8")


def test_the_validation_split_and_a_version_of_the_bundle_can_be_named(workplace: Path) -> None:
    version = (workplace / "saved_model" / "tiny" / "current").read_text("utf8").strip()
    bundle = workplace / "saved_model" / "tiny" / version
    assert program(workplace, "--split", "validation", "--bundle", str(bundle), "--set", "seed=5") == 0
    metrics = json.loads((workplace / "reports" / "tiny" / "metrics.json").read_text("utf8"))
    assert metrics["protocol"]["split"] == "validation"
    assert metrics["protocol"]["history"] == ["train"]
    assert metrics["run"]["bundle"]["version"] == version
    assert metrics["run"]["seed"] == 5


def test_every_retriever_of_the_bundle_is_evaluated_unless_fewer_are_named(workplace: Path) -> None:
    metrics = workplace / "reports" / "tiny" / "metrics.json"
    assert program(workplace) == 0
    ours = ["system", "two_tower_scann", "two_tower_exact"]
    with open_bundle(workplace / "saved_model" / "tiny") as bundle:
        held = [name for name in bundle.sources if name != "two_tower"]
    assert {"hybrid", "blend", "transitions", "bpr"} <= set(held)
    assert sorted(json.loads(metrics.read_text("utf8"))["systems"]) == sorted(ours + held)
    assert program(workplace, "--retrievers", "bpr,blend") == 0
    results = json.loads(metrics.read_text("utf8"))
    assert sorted(results["systems"]) == sorted([*ours, "bpr", "blend", "popularity"])
    assert [row["history"] for row in results["new_users"]["rows"]] == [0, 1, 2, 5, None]
    assert 0 < results["candidates"]["recall"]["mean"] <= 1


def test_both_protocols_are_read_off_one_list_as_if_each_had_been_asked_for(workplace: Path) -> None:
    dataset = PreparedDataset.load(workplace / "prepared" / "tiny")
    queries = HeldOut.of(dataset, TEST).queries
    known = queries.histories.lengths > 0
    assert known.any()
    assert not known.all()
    with open_bundle(workplace / "saved_model" / "tiny") as bundle:
        systems = Systems.of(bundle)
        lists = systems.rank(queries, 15)
        for name, retriever in systems.retrievers.items():
            for protocol, exclude in ((SEEN_REMOVED, True), (NOTHING_REMOVED, False)):
                asked = retriever.propose(queries, 15, exclude_seen=exclude)
                np.testing.assert_array_equal(lists[protocol][name].items[known], asked.items[known], name)
                # What any of them gives a user nothing is known of are popular items.
                popular = lists[protocol][POPULARITY].items[~known]
                np.testing.assert_array_equal(lists[protocol][name].items[~known], popular, name)


def test_bundles_of_other_seeds_and_figures_as_files(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = make_bundle(workplace / "seeds", N_ITEMS, N_USERS, seed=1)
    figures = workplace / "figures"
    assert program(workplace, "--seeds", str(other), "--figures", str(figures), "--retrievers", "bpr") == 0
    results = json.loads((workplace / "reports" / "tiny" / "metrics.json").read_text("utf8"))
    first, second = results["seeds"]["bundles"]
    assert first["figures"]["seen_removed"]["system"] != second["figures"]["seen_removed"]["system"]
    assert results["seeds"]["spread"]["seen_removed"]["two_tower_scann"]["ndcg@10"]["sd"] > 0
    assert "Other seeds" in (workplace / "reports" / "tiny" / "report.html").read_text("utf8")
    assert (figures / "comparison.svg").is_file()
    assert "Over seeds, Whole system: NDCG@10" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--set", "data.prepared_dir=nowhere"], 3, "prepare_data.py"),
        (["--bundle", "nowhere"], 5, "train.py"),
        (["--retrievers", "neighbors"], 2, "transitions"),
        (["--set", "evaluation.cutofs=[1]"], 2, "evaluation.cutofs"),
    ],
)
def test_errors_say_what_to_do(
    workplace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    assert program(workplace, *arguments) == code
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err


def test_a_bundle_of_another_catalogue_is_refused(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = make_bundle(workplace / "other", N_ITEMS + 1, N_USERS)
    assert program(workplace, "--bundle", str(other)) == 5
    assert f"{N_ITEMS + 1} items" in capsys.readouterr().err


def test_a_bundle_of_parts_that_do_not_fit_is_refused(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = open_bundle(make_bundle(workplace / "damaged", N_ITEMS, N_USERS)).path
    change_array(damaged, "histories/items.npy", lambda items: np.maximum(items, N_ITEMS))
    assert program(workplace, "--bundle", str(damaged)) == 5
    assert "histories/items.npy" in capsys.readouterr().err.replace("\n", "")
