"""The best recall of a generated shop, measured on what the product prepares of its files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.shops.files import FORMATS, write_shop
from benchmarks.shops.oracle import HeldChoices, expected, first_of, write_oracle
from benchmarks.shops.parameters import ShopParameters
from recsys.config import load_config
from recsys.measure.metrics import Relevant, ranking_metrics
from recsys.measure.protocol import HeldOut, train_counts
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset

PARAMETERS = ShopParameters(users=1500, items=400, events=15_000, fewest_events=4)


def make(folder: Path, kind: str, nature: str = "mixed") -> PreparedDataset:
    """Write a shop and prepare it as its config says."""
    path = write_shop(folder, PARAMETERS.of_nature(nature), kind, {"model": {"dim": 16}}, said=lambda _: None)
    config = load_config(path)
    assert config.model.dim == 16
    prepare(config)
    return PreparedDataset.load(config.prepared_path)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_product_reads_every_format_as_it_was_drawn(tmp_path: Path, kind: str) -> None:
    dataset = make(tmp_path / "shop", kind)
    held = HeldChoices.of(tmp_path / "shop", dataset)
    known = held.true_situations()
    counts = np.diff(known.indptr)
    # What is prepared of a user's history is what the user chose, but for items that the filter took.
    indptr, items, _ = held.seen
    for row in range(0, len(held.users), 50):
        drawn = known.items[known.indptr[row] : known.indptr[row + 1]]
        assert items[indptr[row] : indptr[row + 1]].tolist() == drawn[held.shelf.kept[drawn]].tolist()
    assert counts.min() >= 2
    assert dataset.manifest["sources"][1]["kept"] == PARAMETERS.items


@pytest.mark.slow
@pytest.mark.parametrize("nature", ["mixed", "sequence", "text", "repeat"])
def test_nobody_who_counts_beats_who_knows(tmp_path: Path, nature: str) -> None:
    folder = tmp_path / "shop"
    dataset = make(folder, "parquet", nature)
    figures = write_oracle(folder, dataset.path)
    assert json.loads((folder / "oracle.json").read_text()) == figures
    knowing, inferring = figures["knowing"], figures["inferring"]
    noise = 3 * np.sqrt(0.25 / figures["users"])
    assert knowing["first recall@10"] == pytest.approx(knowing["expected recall@10"], abs=noise)
    assert knowing["recall@10"] > inferring["recall@10"] - noise
    held = HeldOut.of(dataset, "test")
    for scores in (popularity(dataset, held), transitions(dataset, held)):
        counted = ranking_metrics(top(scores, held), held.wanted, [10])
        assert inferring["recall@10"] > np.nanmean(counted["recall@10"])
        assert inferring["ndcg@10"] > np.nanmean(counted["ndcg@10"])


def test_first_choices_and_what_is_expected_of_them() -> None:
    first = first_of(Relevant(np.array([0, 2, 2, 3]), np.array([7, 5, 9], np.int32)))
    assert first.indptr.tolist() == [0, 1, 1, 2]
    assert first.items.tolist() == [7, 9]
    figures = expected(np.array([[0.5, 0.25, 0.0], [0.1, 0.05, 0.05]]))
    assert figures["expected recall@10"] == pytest.approx((0.75 + 0.2) / 2)
    # 1 / log2(3) = .63093 at the second rank, .5 at the third.
    assert figures["expected ndcg@10"] == pytest.approx((0.5 + 0.157732 + 0.1 + 0.031546 + 0.025) / 2, abs=1e-5)


def popularity(dataset: PreparedDataset, held: HeldOut) -> np.ndarray:
    return np.broadcast_to(train_counts(dataset).astype(float), (len(held), dataset.n_items)).copy()


def transitions(dataset: PreparedDataset, held: HeldOut) -> np.ndarray:
    """How often an item followed the last one, with popularity for ties."""
    train = dataset.histories(("train", "validation"))
    follows = np.zeros((dataset.n_items, dataset.n_items))
    same = np.diff(train.rows) == 0
    np.add.at(follows, (train.items[:-1][same], train.items[1:][same]), 1.0)
    histories = held.queries.histories
    counts = train_counts(dataset)
    return follows[histories.items[histories.indptr[1:] - 1]] + counts / counts.max() / 100


def top(scores: np.ndarray, held: HeldOut) -> np.ndarray:
    """The ten best items, without those of the history unless users choose again."""
    histories = held.queries.histories
    if not held.repeats:
        scores[histories.rows, histories.items] = -np.inf
    return np.argsort(-scores, axis=1)[:, :10]
