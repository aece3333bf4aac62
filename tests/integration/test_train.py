"""train.py from a prepared dataset to a bundle: what is in it, resumption, refusals."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported

import tensorflow as tf  # isort: skip

import train
from recsys import cli
from recsys.bundle import open_bundle
from recsys.config import load_config
from recsys.dataset import columns as c
from recsys.dataset.prepared import SCHEMA_VERSION, PreparedDataset
from recsys.evaluation.metrics import ranking_metrics
from recsys.evaluation.protocol import HeldOut
from recsys.retrieval.base import Queries
from recsys.text import encode_items
from recsys.training.run import RunFolder
from tests.unit.text.conftest import WORDS, write_encoder
from tests.unit.training.tiny import N_ITEMS, N_USERS, make_histories


def write_dataset(folder: Path, *, ratings: bool = True) -> None:
    """The toy shop of the training tests as a prepared dataset; its last item was never bought."""
    rng = np.random.default_rng(0)
    frames = []
    for split, part in zip((c.TRAIN, c.VALIDATION), make_histories(), strict=True):
        users = np.repeat(np.arange(N_USERS), part.lengths)
        frames.append(
            pd.DataFrame(
                {
                    c.USER: users.astype(np.int32),
                    c.ITEM: part.items,
                    c.TIMESTAMP: part.timestamps,
                    c.RATING: part.ratings if ratings else np.float32("nan"),
                    c.WEIGHT: part.weights,
                    c.SPLIT: split,
                }
            )
        )
    interactions = pd.concat(frames).sort_values([c.USER, c.TIMESTAMP], kind="stable")
    words = [" ".join(rng.choice(WORDS, 4)) for _ in range(N_ITEMS + 1)]
    items = pd.DataFrame(
        {
            c.ITEM: np.arange(N_ITEMS + 1, dtype=np.int32),
            c.ITEM_ID: [f"item-{n}" for n in range(N_ITEMS + 1)],
            c.TITLE: words,
            c.TEXT: words,
            c.BRAND: ["" if n % 5 == 1 else f"brand {n % 3}" for n in range(N_ITEMS + 1)],
            c.CATEGORIES: [[] if n % 7 == 0 else ["All", f"category {n % 4}"] for n in range(N_ITEMS + 1)],
            c.PRICE: [np.nan if n % 6 == 0 else 10.0 + n for n in range(N_ITEMS + 1)],
            c.DESCRIPTION: [""] * (N_ITEMS + 1),
            c.IMAGE: [""] * (N_ITEMS + 1),
        }
    )
    folder.mkdir(parents=True)
    interactions.to_parquet(folder / c.INTERACTIONS_FILE, index=False)
    items.to_parquet(folder / c.ITEMS_FILE, index=False)
    users = pd.DataFrame({c.USER: np.arange(N_USERS), c.USER_ID: [f"user-{n}" for n in range(N_USERS)]})
    users.to_parquet(folder / c.USERS_FILE, index=False)
    (folder / c.MANIFEST_FILE).write_text(json.dumps({"schema_version": SCHEMA_VERSION, "name": folder.name}))


@dataclass(frozen=True)
class Shop:
    """A folder with a prepared dataset, a text encoder and a config file."""

    folder: Path
    config: Path

    def train(self, *arguments: str) -> int:
        return cli.run(train.main, ["--config", str(self.config), *arguments])

    @property
    def bundles(self) -> Path:
        return self.folder / "bundles/tiny"


def open_shop(folder: Path, *, ratings: bool = True, **sections: dict[str, Any]) -> Shop:
    write_dataset(folder / "prepared/tiny", ratings=ratings)
    encoder = write_encoder(folder / "encoder", "bert", safetensors=True)
    settings = {
        "name": "tiny",
        "data": {"format": "events", "interactions": ["unused"], "prepared_dir": str(folder / "prepared")},
        "text": {
            "encoder": [str(encoder)],
            "cache_dir": str(folder / "cache"),
            "max_tokens": 16,
            "precision": "float32",
        },
        "model": {"dim": 16, "layers": 1, "max_history": 8, "dropout": 0.1, "text_match_dim": 4, "rating_hidden": [8]},
        "training": {"run_dir": str(folder / "runs"), "batch_size": 32, "learning_rate": 0.01, "epochs": 20},
        "bundle": {"dir": str(folder / "bundles")},
        "evaluation": {"neighbours_k": [20], "neighbours_b": [0.2], "neighbours_decay": [0.6]},
    }
    for name, section in sections.items():
        settings[name] = settings.get(name, {}) | section
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    return Shop(folder, folder / "config.yaml")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = open_shop(tmp_path_factory.mktemp("shop"))
    assert shop.train() == 0
    return shop


def test_the_bundle_recommends_what_follows(trained: Shop) -> None:
    train_histories, validation = make_histories()
    users = np.arange(N_USERS, dtype=np.int32)
    queries = Queries(train_histories, users, np.zeros(N_USERS, np.int64))
    with open_bundle(trained.bundles) as bundle:
        found = bundle.recommender(rescore_weight=0.0).recommend(queries, 3)
    hits = (found.items == validation.items[:, None]).any(axis=1)
    assert hits.mean() > 0.6  # three random items of forty: .075


def test_the_manifest_says_what_was_measured(trained: Shop) -> None:
    with open_bundle(trained.bundles) as bundle:
        metrics, serving = bundle.manifest["metrics"], bundle.manifest["serving"]
        assert bundle.manifest["config"]["training"]["epochs"] == 20
        assert bundle.manifest["dataset"]["text_encoder"].endswith("encoder")
    log = [json.loads(line) for line in (trained.folder / "runs/tiny/log.jsonl").read_text().splitlines()]
    assert metrics["training_curve"] == log
    assert metrics["validation_ndcg@10"] == max(record["validation_ndcg@10"] for record in log)
    assert metrics["index_recall@100"] == 1.0
    assert set(metrics["onnx_differences"]) == {"query_tower", "item_tower", "ranking_head"}
    assert all(0 <= value <= 1e-4 for value in metrics["onnx_differences"].values())
    best = max(metrics["rescoring"].values())
    assert metrics["rescoring"][str(serving["rescore_weight"])] == best
    if metrics["rescoring"]["0.0"] == best:
        assert serving["rescore_weight"] == 0.0
    # Retrieval alone is what validation measured while training.
    assert metrics["rescoring"]["0.0"] == pytest.approx(metrics["validation_ndcg@10"], abs=1e-3)


def test_the_weight_of_the_rating_is_the_best_for_the_recommender(trained: Shop) -> None:
    held = HeldOut.of(PreparedDataset.load(trained.folder / "prepared/tiny"), c.VALIDATION)
    with open_bundle(trained.bundles) as bundle:
        tried = bundle.manifest["metrics"]["rescoring"]
        assert [float(weight) for weight in tried] == [0.0, 0.05, 0.1, 0.2, 0.5]
        for weight, value in tried.items():
            found = bundle.recommender(rescore_weight=float(weight)).recommend(held.queries, 10)
            ndcg = ranking_metrics(found.items, held.relevant, [10])["ndcg@10"].mean()
            assert value == pytest.approx(float(ndcg), abs=1e-6), weight


def test_catalogue_and_histories_are_the_datasets(trained: Shop) -> None:
    everything = [part.select(range(N_USERS)) for part in make_histories()]
    with open_bundle(trained.bundles) as bundle:
        record = bundle.catalogue.items([4])[0]
        assert (record.item_id, record.brand, record.categories) == ("item-4", "brand 1", ("All", "category 0"))
        assert record.price == pytest.approx(14.0)
        assert bundle.catalogue.items([1])[0].brand is None
        assert record.description is None
        assert bundle.catalogue.items([0])[0].price is None
        assert bundle.catalogue.items([0])[0].categories == ()
        assert bundle.catalogue.user_row("user-7") == 7
        assert bundle.histories.lengths.tolist() == (everything[0].lengths + everything[1].lengths).tolist()
        assert bundle.histories.items[bundle.histories.indptr[1:] - 1].tolist() == everything[1].items.tolist()


def test_the_saved_models_are_twins_of_the_onnx_files(trained: Shop) -> None:
    with open_bundle(trained.bundles) as bundle:
        path, retriever, embeddings = bundle.path, bundle.two_tower(), np.array(bundle.item_embeddings)
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


def test_the_item_tower_gives_an_unseen_item_its_embedding(trained: Shop) -> None:
    # The last item was never bought: its embedding comes from text and attributes alone.
    with open_bundle(trained.bundles) as bundle:
        path, embeddings = bundle.path, np.array(bundle.item_embeddings)
    served = tf.saved_model.load(str(path / "tf/item_tower")).signatures["serving_default"]
    inputs = json.loads((path / "item_inputs.json").read_text("utf8"))
    items = pd.read_parquet(trained.folder / "prepared/tiny" / c.ITEMS_FILE)
    config = load_config(trained.config)
    text = encode_items(items[c.TEXT].tolist()[-1:], config.text).embeddings
    scale, price = inputs["price_scale"], items[c.PRICE].iloc[-1]
    brand = inputs["vocabulary"]["brands"].index("brand 1") + 1
    categories = [inputs["vocabulary"]["categories"].index(name) + 1 for name in ("All", "category 0")]
    vector = served(
        text=tf.constant(text),
        brand=tf.constant([brand]),
        categories=tf.constant([categories]),
        price=tf.constant([[(np.log1p(price) - scale["mean"]) / scale["std"], 1.0]], tf.float32),
        item=tf.constant([0]),
    )["item_embedding"]
    np.testing.assert_allclose(vector[0], embeddings[-1], rtol=1e-4, atol=1e-5)


def test_resuming_a_finished_run_exports_the_same_weights_again(trained: Shop) -> None:
    with open_bundle(trained.bundles) as bundle:
        before, embeddings = bundle.version, np.array(bundle.item_embeddings)
    # Neither the index nor the number of versions kept shapes the weights.
    assert trained.train("--resume", "--set", "bundle.keep=2", "index.sample_queries=50") == 0
    with open_bundle(trained.bundles) as bundle:
        assert bundle.version != before
        np.testing.assert_array_equal(bundle.item_embeddings, embeddings)


def test_resuming_with_other_settings_names_them(trained: Shop, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_a_run_in_use_is_left_alone(trained: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunFolder(trained.folder / "runs/tiny")
    before = sorted(path.name for path in run.path.iterdir())
    with run.locked():
        assert trained.train() == 4
    assert "training in it" in capsys.readouterr().err
    assert sorted(path.name for path in run.path.iterdir()) == before


def test_no_prepared_dataset(trained: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trained.train("--set", f"data.prepared_dir={tmp_path}", f"training.run_dir={tmp_path}") == 3
    assert "prepare_data.py" in capsys.readouterr().err


def test_without_ratings_and_with_a_fine_tuned_encoder(tmp_path: Path) -> None:
    shop = open_shop(
        tmp_path,
        ratings=False,
        text={"trainable_layers": 1},
        training={"retrieval_loss": "mixed", "uniform_negatives": 16, "epochs": 2},
    )
    assert shop.train() == 0
    with open_bundle(shop.bundles) as bundle:
        assert bundle.rating_predictor is None
        assert set(bundle.manifest["metrics"]["onnx_differences"]) == {"query_tower", "item_tower"}
        assert bundle.manifest["serving"]["rescore_weight"] == 0.0
        assert len(bundle.item_embeddings) == N_ITEMS + 1
        assert np.isfinite(bundle.item_embeddings).all()
    kept = tf.train.load_checkpoint(str(shop.folder / "runs/tiny/best"))
    assert any("fine_tuned" in name or "text_layer" in name for name in kept.get_variable_to_shape_map())
