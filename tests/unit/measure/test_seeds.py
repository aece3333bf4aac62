from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.core.errors import BundleError
from recsys.measure import seeds
from recsys.measure.evaluator import evaluate
from recsys.measure.provenance import provenance
from recsys.measure.results import Results
from recsys.measure.seeds import evaluate_seeds, spread
from recsys.measure.systems import ANN, NOTHING_REMOVED, SEEN_REMOVED, SYSTEM
from recsys.sources.popularity.source import Popularity
from tests.support.datasets import TEST, TRAIN, make_dataset
from tests.support.measuring import FakeBundle, FakeTwoTower, make_config, make_manifest, wishes

DATASET = make_dataset(
    [(0, 0, 1, None, TRAIN), (0, 1, 2, None, TEST), (1, 0, 1, None, TRAIN), (1, 2, 2, None, TEST)], 2, 5
)
CONFIG = make_config(cutoffs=[1, 3])
POPULAR = Popularity(np.array([2, 0, 0, 0, 0], np.float32))


def bundle(version: str, seed: int, *rankings: list[int], **options: Any) -> FakeBundle:
    manifest = make_manifest(config={"seed": seed, "model": {"dim": 64}})
    return FakeBundle(FakeTwoTower(wishes(5, *rankings)), POPULAR, version=version, manifest=manifest, **options)


BUNDLES = {
    "first": bundle("v1", 1, [0, 1], [0, 2]),  # both users get what they want, once item 0 is dropped
    "second": bundle("v2", 2, [1], [3]),  # one does, with and without it
    # Nobody but for the ranker, which prefers item 2.
    "third": bundle("v3", 3, [3], [3], bonus=np.array([0, 0, 9, 0, 0], np.float32)),
}


RUN = provenance(BUNDLES["first"], DATASET, CONFIG, "")


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> Results:
    monkeypatch.setattr(seeds, "open_bundle", lambda path: BUNDLES[path.name])
    return evaluate(BUNDLES["first"], DATASET, CONFIG)


def test_every_value_with_mean_and_deviation(results: Results) -> None:
    found = evaluate_seeds(results, RUN, [Path("second"), Path("third")], DATASET, CONFIG)
    assert [(entry["version"], entry["seed"]) for entry in found["bundles"]] == [("v1", 1), ("v2", 2), ("v3", 3)]

    def values(protocol: str, system: str) -> list[float]:
        return [entry["figures"][protocol][system]["recall@1"] for entry in found["bundles"]]

    assert values(SEEN_REMOVED, ANN) == [1, 0.5, 0]
    assert values(NOTHING_REMOVED, ANN) == [0, 0.5, 0]
    assert values(SEEN_REMOVED, SYSTEM) == [1, 0.5, 0.5]
    assert found["spread"][SEEN_REMOVED][ANN]["recall@1"] == {"mean": 0.5, "sd": 0.5}
    # Of 1, 1/2 and 1/2 about 2/3: squares 1/9, 1/36 and 1/36 over n - 1 = 2.
    assert found["spread"][SEEN_REMOVED][SYSTEM]["recall@1"]["sd"] == pytest.approx(np.sqrt(1 / 12))


def test_the_first_bundle_measured_alone_has_the_figures_of_the_report(results: Results) -> None:
    found = evaluate_seeds(results, RUN, [Path("second")], DATASET, CONFIG)
    held = seeds.HeldOut.of(DATASET, TEST)
    assert found["bundles"][0]["figures"] == seeds.bundle_figures(BUNDLES["first"], held, CONFIG)


def test_a_bundle_named_twice_is_refused(results: Results) -> None:
    with pytest.raises(BundleError, match="twice"):
        evaluate_seeds(results, RUN, [Path("second"), Path("second")], DATASET, CONFIG)
    with pytest.raises(BundleError, match="twice"):
        evaluate_seeds(results, RUN, [Path("first")], DATASET, CONFIG)


def test_a_bundle_of_another_catalogue_is_refused(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    other = FakeBundle(FakeTwoTower(wishes(4, [0])), Popularity(np.ones(4, np.float32)), version="v9")
    monkeypatch.setitem(BUNDLES, "other", other)
    with pytest.raises(BundleError, match="4 items"):
        evaluate_seeds(results, RUN, [Path("other")], DATASET, CONFIG)


def test_no_spread_without_figures_of_every_bundle() -> None:
    tables = [{"p": {"s": {"ndcg@1": value}}} for value in (0.5, None)]
    assert spread(tables) == {"p": {"s": {"ndcg@1": None}}}
    assert spread(tables[:1]) == {"p": {"s": {"ndcg@1": None}}}
