"""What benchmarks/live_items.py measures, and on which data."""

import argparse
from pathlib import Path

import numpy as np
import pytest

from benchmarks.live_items import Asked, compare, latency
from benchmarks.without_new_items import write_without_new
from recsys.bundle import open_bundle
from recsys.bundle.overlay import LiveBundle
from recsys.measure.protocol import HeldOut
from recsys.prepare.prepared import PreparedDataset
from tests.support.bundles import make_bundle
from tests.support.datasets import TEST, TRAIN, VALIDATION, make_dataset, write_dataset
from tests.support.live import of_whole, whole_and_part


def test_items_of_the_test_split_alone_are_left_out(tmp_path: Path) -> None:
    interactions = [(0, 0, 1, None, TRAIN), (0, 1, 2, None, TEST), (1, 2, 1, None, VALIDATION), (1, 3, 2, None, TEST)]
    again = [(2, 3, 1, None, TRAIN), (2, 5, 4, None, TEST)]
    whole = make_dataset([*interactions, *again], 3, 6)
    whole.manifest["config"]["name"] = "tiny"
    write_dataset(whole, tmp_path / "whole")
    assert write_without_new(tmp_path / "whole", tmp_path / "part") == 2
    part = PreparedDataset.load(tmp_path / "part")
    assert part.item_ids.tolist() == ["item0", "item2", "item3", "item4"], "what nobody ever chose stays"
    assert part.items.index.tolist() == [0, 1, 2, 3]
    kept = part.interactions[["user", "item", "split"]].values.tolist()
    assert kept == [[0, 0, TRAIN], [1, 1, VALIDATION], [1, 2, TEST], [2, 2, TRAIN]]
    assert (part.name, part.n_users) == ("part", 3)
    assert part.manifest["counts"]["items"] == 4


def test_recall_is_the_share_of_users_who_find_what_they_chose(tmp_path: Path) -> None:
    """Live and held by the bundle are the same items: the two-tower finds the same of both."""
    whole, part = whole_and_part(tmp_path)
    with whole, part:
        live = LiveBundle(part, *of_whole(whole))
        chosen = [(user, 200 + user % 24, 9, None, TEST) for user in range(20)]
        dataset = make_dataset([*((user, user, 1, None, TRAIN) for user in range(20)), *chosen], 20, whole.n_items)
        asked = Asked(HeldOut.of(dataset, TEST), dataset.item_ids)
        recalls = asked.recalls(live)
        np.testing.assert_array_equal(recalls, asked.recalls(whole))
        best = whole.two_tower().propose(asked.held.queries, 10).items
        assert recalls.tolist() == [float(200 + user % 24 in best[user]) for user in range(20)]
        assert 0 < recalls.mean() < 1


def test_both_are_asked_first_as_often(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []

    def ask(what: str) -> bytes:
        asked.append(what)
        return b""

    ratio = compare(lambda user: ask(f"plain {user}"), ask, ["a", "b"], 2)
    assert ratio > 0
    assert asked[2:] == ["a", "plain a", "plain b", "b", "plain a", "a", "b", "plain b"]
    assert "in 2 rounds" in capsys.readouterr().out


def test_a_bundle_is_measured_with_live_items(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_bundle(tmp_path)
    open_bundle(path).close()
    latency(argparse.Namespace(bundle=path, items=20, users=5, rounds=2, seed=0))
    assert "to make the first overlay" in capsys.readouterr().out
