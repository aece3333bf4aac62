"""train.py from a prepared dataset to a bundle: what is in it, resumption, refusals."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported

import tensorflow as tf  # isort: skip

from recsys.bundle import open_bundle
from recsys.bundle.manifest import Manifest, as_json
from recsys.config import load_config
from recsys.core.errors import BundleError
from recsys.core.progress import Step
from recsys.core.queries import Queries
from recsys.encoding import CatalogueEntry
from recsys.measure.metrics import ranking_metrics
from recsys.measure.protocol import HeldOut
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.text import encode_items
from recsys.train.run_folder import RunFolder
from recsys.train.steps.weights_before import weights_before
from recsys.train.warm_start import WARM_FILE, cold_epochs
from tests.support.bundles import HALF
from tests.support.shop import CANDIDATES, PROPOSER_CANDIDATES, PROPOSERS, Shop, open_shop
from tests.support.training import N_ITEMS, N_USERS, make_histories


@dataclass(frozen=True)
class Trained(Shop):
    """A shop after two runs, the second of which resumed the first.

    Attributes:
        first: manifest of the first bundle, made without a ranker.
    """

    first: Manifest


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    shop = open_shop(tmp_path_factory.mktemp("shop"))
    assert shop.train("--set", "ranking.epochs=0") == 0
    assert not (shop.folder / "runs/tiny/prefix").exists()
    with open_bundle(shop.bundles) as bundle:
        first = bundle.manifest
    (shop.folder / "runs/tiny/prefix/checkpoints").mkdir(parents=True)  # as if killed while the prefix run began
    assert shop.train("--resume") == 0
    return Trained(shop.folder, shop.config, first)


@pytest.fixture(scope="module")
def held(trained: Trained) -> HeldOut:
    return HeldOut.of(PreparedDataset.load(trained.folder / "prepared/tiny"), c.VALIDATION)


def ndcg(items: np.ndarray, held: HeldOut) -> float:
    return float(ranking_metrics(items, held.relevant, [10])["ndcg@10"].mean())


def test_the_bundle_recommends_what_follows(trained: Trained) -> None:
    train_histories, validation = make_histories()
    users = np.arange(N_USERS, dtype=np.int32)
    queries = Queries(train_histories, users, np.zeros(N_USERS, np.int64))
    with open_bundle(trained.bundles) as bundle:
        lists = {"two-tower": bundle.two_tower().propose(queries, 3).items}
        lists["system"] = bundle.recommender().recommend(queries, 3).items
    for name, items in lists.items():
        hits = (items == validation.items[:, None]).any(axis=1)
        assert hits.mean() > 0.6, name  # three random items of forty: .075


def test_the_manifest_says_what_was_measured(trained: Trained) -> None:
    with open_bundle(trained.bundles) as bundle:
        metrics = as_json(bundle.manifest.metrics)
        assert bundle.manifest.config["training"]["epochs"] == 20
        assert bundle.manifest.dataset.text_encoder.endswith("encoder")
        serving = as_json(bundle.manifest.serving)
        assert set(serving.pop("confidence")) >= {"full", "two_tower", "hybrid"}
        assert serving == {
            "candidates": CANDIDATES,
            "proposer_candidates": PROPOSER_CANDIDATES,
        }
    log = [json.loads(line) for line in (trained.folder / "runs/tiny/log.jsonl").read_text().splitlines()]
    assert metrics["training_curve"] == log
    assert metrics["validation_ndcg@10"] == max(record["validation_ndcg@10"] for record in log)
    assert metrics["index_recall@100"] == 1.0
    assert set(metrics["onnx_differences"]) == {"query_tower", "item_tower", "ranking_head", "text_encoder"}
    assert all(0 <= value <= 1e-4 for value in metrics["onnx_differences"].values())


def test_every_retriever_is_tuned_and_in_the_bundle(trained: Trained, held: HeldOut) -> None:
    with open_bundle(trained.bundles) as bundle:
        reports = bundle.manifest.metrics.sources
        assert list(reports) == ["popularity", "neighbours_bm25", "transitions", "als", "content_tfidf"]
        assert bundle.sources == ["two_tower", *reports, "blend", "hybrid"]
        skipped = bundle.manifest.metrics.skipped
        assert list(skipped) == ["ease"]
        assert "ease_max_items" in skipped["ease"]
        for name, report in reports.items():
            best = max(report["tried"], key=lambda trial: trial["ndcg@10"])
            assert report["chosen"] == {key: value for key, value in best.items() if key != "ndcg@10"}
            assert report["users"] == N_USERS
            candidates = bundle.source(name).propose(held.queries, 10).items
            assert best["ndcg@10"] == pytest.approx(ndcg(candidates, held), abs=1e-6), name


def test_blend_and_hybrid_are_the_best_weights_tried(trained: Trained, held: HeldOut) -> None:
    with open_bundle(trained.bundles) as bundle:
        metrics = bundle.manifest.metrics
        report = metrics.hybrid
        blend, hybrid, two_tower = (bundle.source(name) for name in ("blend", "hybrid", "two_tower"))
        figures = {part.name: ndcg(part.propose(held.queries, 10).items, held) for part in (blend, hybrid, two_tower)}
        assert bundle.manifest.hybrids == {"blend": report["blend_weights"], "hybrid": report["weights"]}
    assert "two_tower" not in report["blend_weights"]
    assert report["tried"] > 5
    assert report["ndcg@10"] == pytest.approx(figures["hybrid"], abs=1e-6)
    assert report["blend"]["ndcg@10"] == pytest.approx(figures["blend"], abs=1e-6)
    alone = [max(trial["ndcg@10"] for trial in tuned["tried"]) for tuned in metrics.sources.values()]
    assert figures["blend"] >= max(alone) - 1e-6
    assert figures["hybrid"] >= max(figures["blend"], figures["two_tower"]) - 1e-6
    sweep = {step["alpha"]: step["ndcg@10"] for step in report["alpha_sweep"]}
    assert list(sweep) == pytest.approx([step / 10 for step in range(11)])
    assert sweep[0.0] == pytest.approx(figures["two_tower"], abs=1e-6)
    assert sweep[1.0] == pytest.approx(figures["blend"], abs=1e-6)


def test_the_ranker_is_measured_as_it_is_served(trained: Trained, held: HeldOut) -> None:
    with open_bundle(trained.bundles) as bundle:
        report, described = bundle.manifest.metrics.ranker, as_json(bundle.manifest.ranker)
        recommender = bundle.recommender()
        served = recommender.recommend(held.queries, 10).items
        proposed = [recommender.primary.propose(held.queries, CANDIDATES).items]
        proposed += [bundle.source(name).propose(held.queries, PROPOSER_CANDIDATES).items for name in PROPOSERS]
    assert recommender.sources == ("two_tower", *PROPOSERS)
    assert described["proposers"] == PROPOSERS
    assert described["scorers"] == [*PROPOSERS, "als"]
    assert report["validation_ndcg@10"] == pytest.approx(ndcg(served, held), abs=1e-4)
    assert report["validation_ndcg@10"] == max(record["ndcg@10"] for record in report["curve"])
    assert report["validation_users"] == N_USERS
    # One item of each user was held out.
    found = (np.concatenate(proposed, axis=1) == held.relevant.items[:, None]).any(axis=1)
    assert report["candidate_recall"] == pytest.approx(found.mean())
    assert report["export_difference"] < 1e-4
    attributes = ["popularity", "price", "brand", "category", "history"]
    headings = ["two_tower", *PROPOSERS, "als", *attributes, "rating", "source_sum"]
    assert [entry["group"] for entry in report["groups"]] == headings
    assert [entry["name"] for entry in report["features"]] == described["features"]
    assert described["repeat_log_odds"] < -4, "nobody in this shop buys an item twice"


def test_the_order_that_is_served_is_the_one_chosen(trained: Trained, held: HeldOut) -> None:
    with open_bundle(trained.bundles) as bundle:
        order = bundle.manifest.metrics.ranker["order"]
        lists = bundle.recommender().recommend(held.queries, 10)
    assert order["served"] == order["chosen"] == lists.ranked_by
    assert order["users"] == N_USERS
    assert set(order["figures"]) == {
        "two_tower", "popularity", "neighbours_bm25", "transitions", "als", "content_tfidf", "blend", "hybrid", "ranker"
    }  # fmt: skip
    assert [margin["order"] for margin in order["margins"]] == ["blend", "hybrid", "ranker"]
    for margin in order["margins"]:
        assert margin["mean"] == pytest.approx(order["figures"][margin["order"]] - order["figures"][margin["over"]])
    taken = [margin["order"] for margin in order["margins"] if margin["taken"]]
    single = max(list(order["figures"])[:6], key=order["figures"].get)
    assert order["chosen"] == (taken or [single])[-1]


def test_the_order_may_be_named(trained: Trained, held: HeldOut) -> None:
    assert trained.train("--resume", "--set", "ranking.order=transitions") == 0
    with open_bundle(trained.bundles) as bundle:
        assert bundle.manifest.metrics.ranker["order"]["served"] == "transitions"
        assert bundle.manifest.ranker.source_sum == {"transitions": 1.0}
        lists = bundle.recommender().recommend(held.queries, PROPOSER_CANDIDATES)
        assert lists.ranked_by == "transitions"
        alone = bundle.source("transitions").propose(held.queries, PROPOSER_CANDIDATES)
        own = bundle.source("transitions").score(held.queries, lists.items)  # items of equal scores in any order
        # An item that nobody bought borrows a score from others.
        plain = (lists.items != N_ITEMS).all(axis=1) & (alone.scores > 0).all(axis=1)
        assert plain.sum() > N_USERS / 10
        np.testing.assert_allclose(own[plain], alone.scores[plain], rtol=1e-6)
        assert lists.ratings is not None


def test_without_a_ranker_the_two_tower_alone_is_served(trained: Trained, held: HeldOut) -> None:
    assert trained.first.ranker is None
    assert trained.first.metrics.ranker is None
    assert set(trained.first.metrics.sources) > set(PROPOSERS)
    with open_bundle(trained.bundles.parent / "tiny" / trained.first.version) as bundle:
        recommender = bundle.recommender()
        assert recommender.sources == ("two_tower",)
        expected = bundle.two_tower().propose(held.queries, 5).items
        np.testing.assert_array_equal(recommender.recommend(held.queries, 5).items, expected)
        # Retrieval alone is what validation measured while training, but for the scale of the text match.
        everything = bundle.two_tower().propose(held.queries, 10).items
        assert ndcg(everything, held) >= trained.first.metrics.validation_ndcg - 1e-3


def test_the_prefix_is_trained_as_long_as_the_whole(trained: Trained) -> None:
    log = (trained.folder / "runs/tiny/prefix/log.jsonl").read_text().splitlines()
    with open_bundle(trained.bundles) as bundle:
        assert len(log) == bundle.manifest.metrics.best_epoch
        lists = bundle.manifest.metrics.ranker["lists"]
    assert "validation_ndcg@10" not in json.loads(log[0]), "validation takes no part in it"
    assert N_USERS / 2 < lists <= N_USERS


def test_catalogue_and_histories_are_the_datasets(trained: Trained) -> None:
    everything = [part.select(range(N_USERS)) for part in make_histories()]
    with open_bundle(trained.bundles) as bundle:
        record = bundle.catalogue.items([4])[0]
        assert (record.item_id, record.brand, record.categories) == ("item-4", "brand 1", ("All", "category 0"))
        assert record.price == pytest.approx(14.0)
        assert bundle.catalogue.items([1])[0].brand is None
        assert record.description is None
        assert bundle.catalogue.items([0])[0].price is None
        assert bundle.catalogue.items([0])[0].categories == ()
        assert bundle.catalogue.user_rows(["user-7"]) == {"user-7": 7}
        assert bundle.histories.lengths.tolist() == (everything[0].lengths + everything[1].lengths).tolist()
        assert bundle.histories.items[bundle.histories.indptr[1:] - 1].tolist() == everything[1].items.tolist()


def test_the_saved_models_are_twins_of_the_onnx_files(trained: Trained) -> None:
    with open_bundle(trained.bundles) as bundle:
        path, retriever, embeddings = bundle.path, bundle.two_tower(), bundle.item_embeddings.astype(np.float32)
    history = make_histories()[0].select([3]).last(8)
    ours = retriever.encode(Queries(history, np.array([3], np.int32), np.zeros(1, np.int64)))
    served = tf.saved_model.load(str(path / "tf/query_tower")).signatures["serving_default"]
    theirs = served(
        history=tf.constant(embeddings[history.items][None]),
        lengths=tf.constant(history.lengths.astype(np.int32)),
        gaps=tf.constant(history.gaps()[None]),
        user=tf.constant([4]),
    )["user_embedding"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert (path / "tf/item_tower/saved_model.pb").is_file()
    assert (path / "tf/ranking_head/saved_model.pb").is_file()


@pytest.mark.parametrize("row", [4, N_ITEMS])
def test_the_item_tower_gives_an_item_its_embedding(trained: Trained, row: int) -> None:
    # The last item was never bought: its embedding comes from text and attributes alone.
    with open_bundle(trained.bundles) as bundle:
        path, embeddings = bundle.path, np.array(bundle.item_embeddings)
    served = tf.saved_model.load(str(path / "tf/item_tower")).signatures["serving_default"]
    inputs = json.loads((path / "item_inputs.json").read_text("utf8"))
    items = pd.read_parquet(trained.folder / "prepared/tiny" / c.ITEMS_FILE)
    config = load_config(trained.config)
    text = encode_items(items[c.TEXT].tolist(), config.text).embeddings[row : row + 1]
    scale, price = inputs["price_scale"], items[c.PRICE].iloc[row]
    brand = inputs["vocabulary"]["brands"].index("brand 1") + 1
    categories = [inputs["vocabulary"]["categories"].index(name) + 1 for name in ("All", "category 0")]
    vector = served(
        text=tf.constant(text),
        brand=tf.constant([brand]),
        categories=tf.constant([categories]),
        price=tf.constant([[(np.log1p(price) - scale["mean"]) / scale["std"], 1.0]], tf.float32),
        item=tf.constant([row + 1 if row < N_ITEMS else 0]),
    )["item_embedding"]
    # The learned part of an item that training never saw is that of its neighbours by text: see `ItemTower`.
    compared = slice(None) if row < N_ITEMS else slice(config.model.dim, None)
    np.testing.assert_allclose(vector[0, compared], embeddings[row, compared], rtol=2 * HALF, atol=1e-5)


def test_a_new_item_gets_the_vector_of_an_item_without_interactions(trained: Trained) -> None:
    # The last item was never bought; as a new one it is told in the words of a shop.
    (item,) = pd.read_parquet(trained.folder / "prepared/tiny" / c.ITEMS_FILE).iloc[N_ITEMS:].to_dict("records")
    fields = {
        "title": item[c.TITLE],
        "brand": item[c.BRAND],
        "categories": tuple(item[c.CATEGORIES]),
        "price": item[c.PRICE],
    }
    with open_bundle(trained.bundles) as bundle:
        encoder, embeddings = bundle.item_encoder, np.array(bundle.item_embeddings)
        assert encoder is not None
        assert bundle.manifest.no_item_encoder is None
        entry = CatalogueEntry.of(fields)
        text = encoder.text_of(entry)
        assert text.startswith(item[c.TEXT])
        new = encoder.new_items([entry], encoder.encode_texts([item[c.TEXT]]))
    np.testing.assert_allclose(new.vectors[0], embeddings[N_ITEMS], atol=1e-3 * np.abs(embeddings[N_ITEMS]).max())
    assert set(new.lenders[0]) < set(range(N_ITEMS))
    assert new.weights.sum() == pytest.approx(1, abs=1e-5)


def contents(folder: Path) -> dict[str, int]:
    """When each file below `folder` was written."""
    files = [path for path in folder.rglob("*") if path.is_file() and "tensorboard" not in path.parts]
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in files}


def test_resuming_a_finished_run_exports_the_same_weights_again(trained: Trained) -> None:
    run = trained.folder / "runs/tiny"
    with open_bundle(trained.bundles) as bundle:
        before, embeddings = bundle.manifest, np.array(bundle.item_embeddings)
    written = contents(run)
    assert any(name.startswith("prefix/checkpoints/") for name in written)
    # Neither the index nor the number of versions kept shapes the weights.
    assert trained.train("--resume", "--set", "bundle.keep=3", "index.sample_queries=50") == 0
    assert contents(run) == written, "neither fit took a step"
    with open_bundle(trained.bundles) as bundle:
        assert bundle.version != before.version
        np.testing.assert_array_equal(bundle.item_embeddings, embeddings)
        assert bundle.manifest.metrics.ranker == before.metrics.ranker


def test_resuming_with_other_settings_names_them(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    code = trained.train("--resume", "--set", "training.learning_rate=0.02", "model.dropout=0.3", "seed=4")
    message = capsys.readouterr().err
    assert code == 4
    assert "training.learning_rate: 0.01 then, 0.02 now" in message
    assert "model.dropout: 0.1 then, 0.3 now" in message
    assert "seed: 0 then, 4 now" in message
    assert "training.epochs" not in message


def test_resuming_without_a_run_or_with_another_dataset(
    trained: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained.train("--resume", "--set", f"training.run_dir={tmp_path}") == 4
    assert "without --resume" in capsys.readouterr().err
    shutil.copytree(trained.folder / "prepared/tiny", tmp_path / "tiny")
    manifest = tmp_path / "tiny" / c.MANIFEST_FILE
    manifest.write_text(manifest.read_text() + " ")
    assert trained.train("--resume", "--set", f"data.prepared_dir={tmp_path}") == 4
    assert "dataset: changed since" in capsys.readouterr().err


def test_a_run_in_use_is_left_alone(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunFolder(trained.folder / "runs/tiny")
    before = sorted(path.name for path in run.path.iterdir())
    with run.locked():
        assert trained.train() == 4
    assert "training in it" in capsys.readouterr().err
    assert sorted(path.name for path in run.path.iterdir()) == before


def test_no_prepared_dataset(trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trained.train("--set", f"data.prepared_dir={tmp_path}", f"training.run_dir={tmp_path}") == 3
    assert "prepare_data.py" in capsys.readouterr().err


def test_a_folder_that_takes_no_bundle_is_told_before_anything_is_trained(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("a file where the folder should be")
    assert trained.train("--set", f"bundle.dir={tmp_path / 'file'}", f"training.run_dir={tmp_path / 'runs'}") == 5
    assert "to write a bundle below" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_without_ratings_and_with_a_fine_tuned_encoder(tmp_path: Path) -> None:
    shop = open_shop(
        tmp_path,
        ratings=False,
        text={"trainable_layers": 1},
        training={"negatives": 16, "epochs": 2},
        retrieval={"retrievers": ["popularity", "transitions"], "trials": 1},
        ranking={"retrievers": ["transitions"], "scorers": [], "epochs": 1},
    )
    assert shop.train() == 0
    with open_bundle(shop.bundles) as bundle:
        assert bundle.rating_predictor is None
        assert set(bundle.manifest.metrics.onnx_differences) == {"query_tower", "item_tower"}
        assert bundle.item_encoder is None
        assert "fine-tuned" in str(bundle.manifest.no_item_encoder)
        assert bundle.sources == ["two_tower", "popularity", "transitions", "blend", "hybrid"]
        assert bundle.ranker is not None
        assert "predicted_rating" not in bundle.ranker.features.names
        assert len(bundle.item_embeddings) == N_ITEMS + 1
        assert np.isfinite(bundle.item_embeddings).all()
    kept = tf.train.load_checkpoint(str(shop.folder / "runs/tiny/best"))
    assert any("fine_tuned" in name or "text_layer" in name for name in kept.get_variable_to_shape_map())


def test_a_run_goes_on_with_the_weights_of_a_bundle(trained: Trained) -> None:
    """It is as good after one epoch as the run before was at its best, and says where it comes from."""
    folder = trained.folder / "warm"
    apart = f"bundle.dir={folder / 'bundles'}", f"training.run_dir={folder / 'runs'}", "ranking.epochs=0"
    start = f"training.warm_start={trained.bundles}", "training.warm_epochs=1"
    assert trained.train("--set", *apart, *start) == 0
    with open_bundle(trained.bundles) as before, open_bundle(folder / "bundles/tiny") as bundle:
        (epoch,) = bundle.manifest.metrics.training_curve
        assert epoch["validation_ndcg@10"] > 0.9 * before.manifest.metrics.validation_ndcg
        assert before.manifest.metrics.training_curve[0]["validation_ndcg@10"] < 0.5 * epoch["validation_ndcg@10"]
        notes = json.loads((bundle.path / WARM_FILE).read_text())
        assert notes == {
            "origin": f"tiny, version {before.version}",
            "cold_epochs": before.manifest.metrics.best_epoch,
        }
        assert cold_epochs(bundle) == cold_epochs(before) == before.manifest.metrics.best_epoch
    other = f"training.warm_start={folder / 'bundles/tiny'}", "training.warm_epochs=1"
    assert trained.train("--resume", "--set", *apart, *other) == 4  # the run started from other weights


def test_weights_of_another_split_are_not_taken(trained: Trained, tmp_path: Path) -> None:
    """What was train then may be held out now."""
    config = load_config(trained.config, [f"training.warm_start={trained.bundles}", "data.split.method=ratio"])
    assert weights_before(config, None, Step.silent()) is None
    nowhere = load_config(trained.config, ["training.warm_start=current", f"bundle.dir={tmp_path}"])
    assert weights_before(nowhere, None, Step.silent()) is None


def test_weights_of_another_width_are_not_taken(trained: Trained) -> None:
    """A shop may outgrow the width that follows from its data."""
    settings = [f"training.warm_start={trained.bundles}", "model.dim=64"]
    assert weights_before(load_config(trained.config, settings), None, Step.silent()) is None


def test_a_bundle_that_cannot_be_read_is_an_error_only_where_the_setting_names_it(
    trained: Trained, tmp_path: Path
) -> None:
    broken = tmp_path / "bundles/tiny"
    shutil.copytree(trained.bundles, broken)
    for file in broken.glob("*/tf/item_tower/saved_model.pb"):
        file.unlink()
    named = load_config(trained.config, [f"training.warm_start={broken}"])
    with pytest.raises(BundleError, match="item_tower"):
        weights_before(named, None, Step.silent())
    current = load_config(trained.config, ["training.warm_start=current", f"bundle.dir={tmp_path / 'bundles'}"])
    assert weights_before(current, None, Step.silent()) is None
    cold = load_config(trained.config, [])
    assert weights_before(cold, broken, Step.silent()) is None
    assert weights_before(cold, None, Step.silent()) is None
    whole = weights_before(cold, trained.bundles, Step.silent())
    assert whole is not None
    assert set(whole.known.items) >= {f"item-{n}" for n in range(N_ITEMS)}
