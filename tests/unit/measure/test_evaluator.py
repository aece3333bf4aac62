from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.core.errors import BundleError, ConfigError
from recsys.measure import protocol
from recsys.measure.evaluator import evaluate
from recsys.measure.systems import ANN, BLEND, EXACT, HYBRID, POPULARITY, SYSTEM
from recsys.prepare.prepared import PreparedDataset
from recsys.report.caveats import warnings
from recsys.sources.popularity.source import Popularity
from tests.support.datasets import TEST, TRAIN, VALIDATION, make_dataset, write_dataset
from tests.support.disks import full_disk
from tests.support.measuring import FakeBundle, FakeSource, FakeTwoTower, make_config, make_manifest, wishes

N_ITEMS = 8
DATASET = make_dataset(
    [
        (0, 0, 1, None, TRAIN),
        (0, 1, 2, None, TRAIN),
        (0, 2, 3, None, VALIDATION),
        (0, 3, 4, None, TEST),
        (1, 0, 1, None, TRAIN),
        (1, 4, 5, None, TEST),
        (1, 5, 6, None, TEST),
        (2, 0, 7, None, TEST),
        (3, 0, 1, None, TRAIN),
        (3, 6, 2, None, TRAIN),
    ],
    n_users=4,
    n_items=N_ITEMS,
)
# User 0 ranks 0 2 3 1 4 5 6 7 and knows 0 1 2: the target 3 is first of what is left, third of all.
# User 1 ranks 4 0 7 5 1 2 3 6 and knows 0: of the targets 4 and 5 the first two places hold one.
# User 2 knows nothing: every system answers with item 0, the most popular one and the target.
WISHES = wishes(N_ITEMS, [0, 2, 3, 1], [4, 0, 7, 5], [0], [0])
POPULAR = Popularity(np.array([3, 1, 0, 0, 0, 0, 1, 0], np.float32))
IDEAL_2 = 1 + 1 / math.log2(3)


def run(lost: tuple[int, ...] = (), **options: Any) -> dict[str, Any]:
    return evaluate(FakeBundle(FakeTwoTower(WISHES, lost), POPULAR, **options), DATASET, make_config())


def mean(results: dict[str, Any], system: str, metric: str, removed: str = "seen_removed") -> float:
    return results["ranking"][removed]["systems"][system]["metrics"][metric]["mean"]


def test_figures_by_hand() -> None:
    results = run()
    assert results["ranking"]["seen_removed"]["users"] == 3
    fallback = 1
    for system in (EXACT, ANN, SYSTEM):
        assert mean(results, system, "recall@2") == pytest.approx((1 + 0.5 + fallback) / 3)
        assert mean(results, system, "recall@5") == pytest.approx((1 + 1 + fallback) / 3)
        assert mean(results, system, "ndcg@2") == pytest.approx((1 + 1 / IDEAL_2 + fallback) / 3)
        # Nothing removed: the target of user 0 is third, those of user 1 first and fourth.
        assert mean(results, system, "recall@2", "nothing_removed") == pytest.approx((0 + 0.5 + fallback) / 3)
        fourth = (1 + 1 / math.log2(5)) / IDEAL_2
        assert mean(results, system, "ndcg@5", "nothing_removed") == pytest.approx((0.5 + fourth + fallback) / 3)
    assert mean(results, POPULARITY, "recall@2", "nothing_removed") == pytest.approx(1 / 3)
    assert results["ann"]["recall"] == 1
    assert results["ann"]["changed"] == {"top_2_share": 0, "users_with_any_change": 0}


def test_the_figures_do_not_depend_on_the_size_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(lost=(4,))
    monkeypatch.setattr(protocol, "block_users", lambda _: 1)
    assert run(lost=(4,)) == whole


def test_what_approximate_search_loses() -> None:
    results = run(lost=(3,))
    # Users 0 and 1 find seven of eight items; user 2 asks for nothing.
    assert results["ann"]["recall"] == pytest.approx(7 / 8)
    # Exact lists 3 4 and 4 7; without item 3 they are 4 5 and 4 7.
    assert results["ann"]["changed"] == {"top_2_share": pytest.approx(0.25), "users_with_any_change": 0.5}
    assert mean(results, EXACT, "recall@2") == pytest.approx((1 + 0.5 + 1) / 3)
    assert mean(results, ANN, "recall@2") == pytest.approx(1.5 / 3)
    assert mean(results, SYSTEM, "recall@2") == pytest.approx(1.5 / 3)
    assert any("12.5%" in warning for warning in warnings(results))
    row = next(r for r in results["comparisons"] if (r["system"], r["other"], r["metric"]) == (ANN, EXACT, "recall@2"))
    assert row["mean"] == pytest.approx(-1 / 3)
    assert row["low"] <= row["mean"] <= row["high"] <= 0


def test_what_the_ranker_changes() -> None:
    results = run(bonus=np.array([0, 0, 0, 0, 0, 0, 0, 50], np.float32))
    # Lists 3 4 and 4 7 become 7 3 and 7 4.
    assert results["ranker"]["changed"] == {"top_2_share": pytest.approx(0.25), "users_with_any_change": 1}
    assert mean(results, SYSTEM, "ndcg@2") == pytest.approx((1 / math.log2(3) + 1 / math.log2(3) / IDEAL_2 + 1) / 3)
    assert mean(results, ANN, "ndcg@2") == pytest.approx((1 + 1 / IDEAL_2 + 1) / 3)


def test_candidates_bound_what_the_ranker_can_reach() -> None:
    results = run(lost=(3,))
    # User 0 wants the lost item, user 1 gets both; nothing is proposed to user 2, who has no history.
    assert results["candidates"]["users"] == 2
    assert results["candidates"]["recall"]["mean"] == pytest.approx(1 / 2)
    # Unseen items: 8 - 3 - the lost one, 8 - 1 - the lost one.
    assert results["candidates"]["mean_count"] == pytest.approx((4 + 6) / 2)


def test_every_retriever_of_the_bundle_is_compared_under_both_protocols() -> None:
    # The first user wants item 3, the second 4 and 5.
    good = FakeSource(wishes(N_ITEMS, [0, 3], [0, 4, 5], [1], [1]))
    bad = FakeSource(wishes(N_ITEMS, [7, 6], [7, 6], [1], [1]))
    results = run(others={"transitions": good, "als": bad})
    assert list(results["systems"]) == [SYSTEM, ANN, EXACT, POPULARITY, "transitions", "als"]
    assert mean(results, "transitions", "recall@2") == pytest.approx((1 + 1 + 1) / 3)
    # Nothing removed: item 0, seen by both, is first.
    assert mean(results, "transitions", "recall@2", "nothing_removed") == pytest.approx((1 + 0.5 + 1) / 3)
    assert mean(results, "als", "recall@2") == pytest.approx(1 / 3), "popular items for the stranger alone"


def test_chosen_retrievers_and_unknown_ones() -> None:
    others = {name: FakeSource(WISHES) for name in ("transitions", BLEND, HYBRID)}
    bundle = FakeBundle(FakeTwoTower(WISHES), POPULAR, others)
    results = evaluate(bundle, DATASET, make_config(), retrievers=[BLEND])
    assert list(results["systems"]) == [SYSTEM, ANN, EXACT, BLEND, POPULARITY]
    with pytest.raises(ConfigError, match="transitions"):
        evaluate(bundle, DATASET, make_config(), retrievers=["neighbors"])


def test_the_baseline_to_beat_is_chosen_on_validation() -> None:
    others = {
        "transitions": FakeSource(wishes(N_ITEMS, [3], [4, 5], [1], [1])),
        "als": FakeSource(wishes(N_ITEMS, [7], [7], [1], [1])),
        HYBRID: FakeSource(WISHES),
    }
    tuned = {
        POPULARITY: {"chosen": {}, "metric": "ndcg@2", "tried": [{"ndcg@2": 0.01}]},
        "transitions": {"chosen": {}, "metric": "ndcg@2", "tried": [{"ndcg@2": 0.03}, {"ndcg@2": 0.05}]},
        "als": {"chosen": {}, "metric": "ndcg@2", "tried": [{"ndcg@2": 0.04}, {"ndcg@2": 0.06}]},
    }
    best = run(others=others, manifest=make_manifest(sources=tuned))["best_baseline"]
    assert best["name"] == best["single"] == "als"
    assert best["chosen_on"] == VALIDATION
    assert best["figures"] == {POPULARITY: 0.01, "transitions": 0.05, "als": 0.06}
    assert best["highest_here"] == "transitions"
    # Without a figure of every baseline those of the split choose.
    del tuned["als"]
    best = run(others=others, manifest=make_manifest(sources=tuned))["best_baseline"]
    assert (best["name"], best["chosen_on"]) == ("transitions", TEST)


def test_the_blend_is_a_baseline_and_the_hybrid_none() -> None:
    others = {HYBRID: FakeSource(WISHES), BLEND: FakeSource(WISHES)}
    manifest = make_manifest(
        sources={POPULARITY: {"metric": "ndcg@2", "tried": [{"ndcg@2": 0.01}]}},
        hybrid={"ndcg@2": 0.09, "tried": 7, "blend": {"ndcg@2": 0.08, "tried": 5}},
    )
    best = run(others=others, manifest=manifest)["best_baseline"]
    assert (best["name"], best["single"]) == (BLEND, POPULARITY)
    assert best["figures"] == {POPULARITY: 0.01, BLEND: 0.08}


def test_slices_by_hand() -> None:
    slices = run()["slices"]
    by_history = {part["label"]: part for part in slices["history_length"]}
    assert {label: part["users"] for label, part in by_history.items()} == {"0": 1, "1-2": 1, "3-5": 1}
    assert by_history["0"]["systems"][EXACT]["recall@2"]["mean"] == 1
    assert by_history["0"]["systems"][SYSTEM]["recall@2"]["mean"] == 1
    assert by_history["1-2"]["systems"][SYSTEM]["recall@2"]["mean"] == 0.5
    by_item = {part["label"]: part for part in slices["item_popularity"]}
    # Train counts: item 0 three, items 1 and 6 one, the other five none.
    assert {label: (part["items"], part["users"]) for label, part in by_item.items()} == {
        "cold": (5, 2),
        "1": (2, 0),
        "2-3": (1, 1),
    }
    # The same slices as cold and other items, with the ratio of their figures.
    found = run()["cold_items"]
    assert found["items"] == 5
    assert found["users"] == {"cold": 2, "warm": 1}
    assert found["systems"][ANN]["cold"]["recall@2"]["mean"] == pytest.approx((1 + 0.5) / 2)
    assert found["systems"][SYSTEM]["ratio"]["recall@2"]["mean"] == pytest.approx(0.75)
    assert found["systems"][ANN]["ratio"]["recall@2"]["mean"] == pytest.approx(0.75)
    assert "among_themselves" not in found
    assert by_item["cold"]["systems"][SYSTEM]["recall@2"]["mean"] == pytest.approx((1 + 0.5) / 2)
    assert by_item["1"]["systems"] == {}
    assert by_item["2-3"]["systems"][POPULARITY]["recall@2"]["mean"] == 1


def test_coverage_and_popularity_lift_by_hand() -> None:
    system = run()["ranking"]["seen_removed"]["systems"][SYSTEM]
    # Lists of two: 3 4, 4 7, and of the fallback 0 and 1 or 6: five different items.
    assert system["coverage"]["2"] == 5 / 8
    # Mean train counts of the lists: 0, 0, (3 + 1) / 2; of the histories: (3 + 1 + 0) / 3, 3, none.
    assert system["popularity_lift"]["histories"] == pytest.approx(0 / ((4 / 3 + 3) / 2) - 1)
    # Of the targets: 0, 0, 3.
    assert system["popularity_lift"]["targets"] == pytest.approx((2 / 3) / (3 / 3) - 1)


def test_diversity_is_that_of_the_categories_and_brands_of_a_list() -> None:
    dataset = make_dataset(
        list(DATASET.interactions[["user", "item", "timestamp", "rating", "split"]].itertuples(index=False)), 4, N_ITEMS
    )
    dataset.items["categories"] = [["a"], ["a"], [], ["a", "b"], ["a", "c", "d"], [], [], ["e"]]
    bundle = FakeBundle(FakeTwoTower(WISHES), POPULAR)
    results = evaluate(bundle, dataset, make_config())
    # Lists 3 4 (one of four attributes in common), 4 7 (none) and, of popular items, 0 1 (the same).
    assert results["ranking"]["seen_removed"]["systems"][ANN]["diversity"] == pytest.approx((3 / 4 + 1 + 0) / 3)
    assert results["diversity_known_share"] == 5 / 8


def test_choices_already_in_the_history_count_only_where_nothing_is_removed() -> None:
    dataset = make_dataset(
        [
            (0, 0, 1, None, TRAIN),
            (0, 0, 2, None, TEST),
            (1, 0, 1, None, TRAIN),
            (1, 0, 2, None, TEST),
            (1, 1, 3, None, TEST),
        ],
        n_users=2,
        n_items=3,
    )
    bundle = FakeBundle(FakeTwoTower(wishes(3, [0, 1], [0, 1])), Popularity(np.array([2, 0, 0], np.float32)))
    results = evaluate(bundle, dataset, make_config())
    assert results["repeated_targets"] == 2
    assert results["ranking"]["seen_removed"]["users"] == 1
    assert mean(results, SYSTEM, "recall@2") == 1
    assert results["ranking"]["nothing_removed"]["users"] == 2
    assert mean(results, SYSTEM, "recall@2", "nothing_removed") == 1


def test_without_any_user_to_count_there_are_no_figures_and_no_crash() -> None:
    dataset = make_dataset([(0, 0, 1, None, TRAIN), (0, 0, 2, None, TEST)], n_users=1, n_items=2)
    bundle = FakeBundle(FakeTwoTower(wishes(2, [0])), Popularity(np.array([1, 0], np.float32)))
    results = evaluate(bundle, dataset, make_config())
    assert results["ranking"]["seen_removed"] == {"users": 0, "systems": {}}
    assert results["comparisons"] == []


def test_a_system_worse_than_its_baselines_is_called_so() -> None:
    # Everyone wants the most popular item, the two-tower ranks it last.
    rows = [(u, 0, 9, None, TEST) for u in range(30)] + [(u, 1 + u % 3, 1, None, TRAIN) for u in range(30)]
    rows += [(u, 0, 2, None, TRAIN) for u in range(30, 60)]
    dataset = make_dataset(rows, n_users=60, n_items=8)
    backwards = np.tile(np.arange(8, dtype=np.float32), (60, 1))
    train = dataset.histories((TRAIN,))
    bundle = FakeBundle(FakeTwoTower(backwards), Popularity.fit(train.items, 8))
    results = evaluate(bundle, dataset, make_config())
    assert any("does not beat Popularity" in warning for warning in warnings(results))


def test_validation_is_asked_with_train_alone() -> None:
    results = evaluate(FakeBundle(FakeTwoTower(WISHES), POPULAR), DATASET, make_config(), split=VALIDATION)
    assert results["protocol"]["history"] == [TRAIN]
    assert results["protocol"]["users"] == 1
    # User 0 ranks 0 2 3 1 and knows 0 and 1: the validation item 2 is first.
    assert mean(results, EXACT, "ndcg@2") == 1


def test_a_bundle_of_another_catalogue_is_refused() -> None:
    bundle = FakeBundle(FakeTwoTower(wishes(5, [0])), Popularity(np.ones(5, np.float32)))
    with pytest.raises(BundleError, match="5 items"):
        evaluate(bundle, DATASET, make_config())


def test_a_bundle_of_another_preparation_is_refused(tmp_path: Path) -> None:
    write_dataset(DATASET, tmp_path / "tiny")
    dataset = PreparedDataset.load(tmp_path / "tiny")
    digest = hashlib.sha256((tmp_path / "tiny" / "manifest.json").read_bytes()).hexdigest()
    bundle = FakeBundle(FakeTwoTower(WISHES), POPULAR, manifest=make_manifest(manifest_sha256=digest))
    assert evaluate(bundle, dataset, make_config())["protocol"]["users"] == 3
    (tmp_path / "tiny" / "manifest.json").write_text("{}")
    with pytest.raises(BundleError, match="another preparation"):
        evaluate(bundle, dataset, make_config())


def test_recommendations_are_the_served_lists(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lists.parquet"
    bundle = FakeBundle(FakeTwoTower(WISHES, lost=(3,)), POPULAR)
    evaluate(bundle, DATASET, make_config(), recommendations=path)
    frame = pd.read_parquet(path)
    assert frame.columns.tolist() == ["user_id", "item_id", "rank", "score"]
    lists = {user: group.sort_values("rank") for user, group in frame.groupby("user_id")}
    assert lists["user0"]["item_id"].tolist() == ["item4", "item5", "item6", "item7"]  # 3 is lost, 0 1 2 are seen
    assert lists["user0"]["rank"].tolist() == [1, 2, 3, 4]
    assert lists["user1"]["item_id"].tolist()[:3] == ["item4", "item7", "item5"]
    assert lists["user2"]["item_id"].iloc[0] == "item0"
    assert set(lists) == {"user0", "user1", "user2"}
    for group in lists.values():
        assert (np.diff(group["score"]) <= 0).all()
    assert [file.name for file in path.parent.iterdir()] == ["lists.parquet"]


def test_an_interrupted_run_leaves_no_recommendations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    bundle = FakeBundle(FakeTwoTower(WISHES), POPULAR)
    monkeypatch.setattr("recsys.measure.systems.Systems.rank", interrupt)
    with pytest.raises(KeyboardInterrupt):
        evaluate(bundle, DATASET, make_config(), recommendations=tmp_path / "lists.parquet")
    assert list(tmp_path.iterdir()) == []


def test_recommendations_that_cannot_be_written_are_a_users_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    bundle = FakeBundle(FakeTwoTower(WISHES), POPULAR)
    with pytest.raises(ConfigError, match="--recommendations"):
        evaluate(bundle, DATASET, make_config(), recommendations=tmp_path / "file" / "lists.parquet")
    with full_disk(100), pytest.raises(ConfigError, match=r"too large(.|\n)*free space"):
        evaluate(bundle, DATASET, make_config(), recommendations=tmp_path / "lists.parquet")
    assert {path.name for path in tmp_path.iterdir()} == {"file"}
