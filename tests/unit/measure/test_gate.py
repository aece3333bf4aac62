"""What the gate lets through, and what it refuses, with each reason."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from recsys.bundle import Bundle, open_bundle
from recsys.bundle.layout import FULL
from recsys.bundle.manifest import Calibration
from recsys.config import Config
from recsys.core.progress import Step
from recsys.core.queries import Queries
from recsys.measure.gate import gate as gates
from recsys.measure.gate import speed
from recsys.measure.gate.check import Check, GateReport, Part
from recsys.measure.gate.comparison import Answers, Comparison
from recsys.measure.gate.gate import gate
from recsys.measure.protocol import HeldOut
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from tests.support.datasets import TRAIN, make_dataset
from tests.support.retraining import make_config, write_bundle_of, write_log


@dataclasses.dataclass(frozen=True)
class Made:
    config: Config
    dataset: PreparedDataset
    good: Path
    bad: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A dataset, and two bundles of it."""
    folder = tmp_path_factory.mktemp("gate")
    write_log(folder)
    config = make_config(folder)
    dataset = PreparedDataset.load(prepare(config, Console(quiet=True)))
    good, bad = (write_bundle_of(dataset, folder / name, good=name == "good") for name in ("good", "bad"))
    return Made(config, dataset, good, bad)


def judged(made: Made, new: Path, in_use: Path, **settings: Any) -> GateReport:
    config = made.config.model_copy(update={"gate": made.config.gate.model_copy(update=settings)})
    with open_bundle(in_use) as bundle:
        return gate(new, bundle, made.dataset, config, Step.silent())


def failed(report: GateReport) -> list[str]:
    return [check.name for check in report.checks if not check.passed]


def test_the_same_bundle_again_passes_every_check(made: Made) -> None:
    report = judged(made, made.good, made.good)
    assert report.passed
    assert not report.refusals
    assert [check.name for check in report.checks] == [
        "parts",
        "index recall",
        "calibration",
        "held out",
        "quality",
        "coverage",
        "latency",
    ]
    assert (report.metric, report.parts[0].difference) == ("ndcg@10", 0)


def test_a_worse_bundle_is_refused_and_a_better_one_passes(made: Made) -> None:
    worse, better = judged(made, made.bad, made.good), judged(made, made.good, made.bad, coverage_loss=1.0)
    assert "quality" in failed(worse)
    assert better.passed
    assert worse.parts[0].difference == pytest.approx(-better.parts[0].difference)
    assert better.parts[0].low > 0


def test_few_users_decide_nothing(made: Made) -> None:
    report = judged(made, made.good, made.good, least_users=61)
    assert failed(report) == ["held out"]
    assert report.refusals == ["60 test users have something to find; 61 are needed for a verdict."]


def test_a_damaged_bundle_is_refused(made: Made, tmp_path: Path) -> None:
    shutil.copytree(made.good, tmp_path / "damaged")
    (tmp_path / "damaged/item_embeddings.npy").write_bytes(b"x")
    report = judged(made, tmp_path / "damaged", made.good)
    assert failed(report) == ["parts"]
    assert "item_embeddings.npy" in report.refusals[0]


def test_a_bundle_of_another_dataset_is_refused(made: Made) -> None:
    other = make_dataset([(0, 0, 1, None, TRAIN)], n_users=1, n_items=3)
    with open_bundle(made.good) as bundle:
        report = gate(made.good, bundle, other, made.config, Step.silent())
    assert failed(report) == ["parts"]


def test_nothing_held_out_lets_only_the_first_bundle_through(made: Made) -> None:
    interactions = made.dataset.interactions.assign(split=TRAIN)
    dataset = dataclasses.replace(made.dataset, interactions=interactions)
    assert gate(made.good, "There is none.", dataset, made.config, Step.silent()).passed
    with open_bundle(made.good) as bundle:
        report = gate(made.good, bundle, dataset, made.config, Step.silent())
    assert failed(report) == ["held out"]


def comparison(new: float, in_use: float, low: float) -> Comparison:
    return Comparison("ndcg@10", (Part("all users", 500, new, in_use, 0, 0),), low, {})


@pytest.mark.parametrize(("low", "passes"), [(-0.0199, True), (-0.02, True), (-0.0201, False)])
def test_quality_may_lose_the_tolerated_share(made: Made, low: float, passes: bool) -> None:
    """A tolerance of .1 of .2 lets the lower bound fall to -.02."""
    _, quality = gates._quality(comparison(0.19, 0.2, low), made.config)
    assert quality == Check("quality", passes, quality.says, low, pytest.approx(-0.02))
    assert f"{low:+.4f}, {'not below' if passes else 'below'} -0.0200" in quality.says


def lists_of(*lists: list[int]) -> Answers:
    items = np.array(lists, np.int32)
    return Answers(items, items, np.full(items.shape, 2.0, np.float32))


@pytest.mark.parametrize(("shown", "passes"), [(4, True), (3, False)])
def test_coverage_may_lose_the_tolerated_share(made: Made, shown: int, passes: bool) -> None:
    """A fifth of five distinct items is one."""
    check = gates._coverage(lists_of(list(range(shown))), lists_of([0, 1, 2, 3, 4]), 40, made.config)
    assert (check.passed, check.value, check.threshold) == (passes, shown, 4)


@pytest.mark.parametrize(("offset", "passes"), [(-5.0, False), (-1.5, True), (2.0, False)])
def test_confidence_must_be_about_what_comes_of_it(
    made: Made, offset: float, passes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of 60 users is shown the one choice and three others: a quarter of what is shown is chosen.

    A score of 2 at scale 0 means the chance 1 / (1 + exp(-offset)): .7%, 18% and 88%.
    """
    held = HeldOut.of(made.dataset, "test")
    others = [[item for item in range(40) if item != chosen][:3] for chosen in held.relevant.items]
    lists = lists_of(*([int(item), *rest] for item, rest in zip(held.relevant.items, others, strict=True)))
    with open_bundle(made.good) as bundle:
        monkeypatch.setitem(bundle.manifest.serving.confidence, FULL, Calibration(scale=1e-12, offset=offset))
        check = gates._calibration(bundle, lists, held, made.config)
        assert check.passed == passes, check
        monkeypatch.delitem(bundle.manifest.serving.confidence, FULL)
        assert gates._calibration(bundle, lists, held, made.config).passed


class Slow:
    """Stands in for a bundle: each list takes as long as it says, by a clock of its own."""

    def __init__(self, clock: list[float], seconds: float, asked: list[str], name: str) -> None:
        self.clock, self.seconds, self.asked, self.name = clock, seconds, asked, name

    def recommender(self) -> Slow:
        return self

    def recommend(self, queries: Queries, k: int) -> None:
        self.asked.append(self.name)
        self.clock[0] += self.seconds


def test_both_bundles_are_timed_in_turns() -> None:
    clock, asked = [0.0], []
    bundles: list[Any] = [(Slow(clock, 0.003, asked, "new"), None), (Slow(clock, 0.002, asked, "old"), None)]
    new, old = speed.time_in_turns(bundles, Queries.nobody(), 10, lists=4, clock=lambda: clock[0])
    assert (new.median, old.median) == (pytest.approx(3), pytest.approx(2))
    assert asked[:4] == ["old", "new", "new", "old"], "who is first changes"
    assert asked.count("new") == asked.count("old") == speed.WARM_UP + 4


def test_a_slow_bundle_is_refused(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = [speed.Speed(3.1, 9.0), speed.Speed(2.0, 5.0)]
    monkeypatch.setattr(gates, "time_in_turns", lambda *_: speeds)
    report = judged(made, made.good, made.good, latency_ratio=1.5)
    assert failed(report) == ["latency"]
    assert "1.55 times as long; at most 1.5 times" in report.refusals[0]
    assert judged(made, made.good, made.good, latency_ratio=1.55).passed
    assert judged(made, made.good, made.good, latency_lists=0).checks[-1].name == "coverage"


def test_an_index_that_finds_too_little_is_refused(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bundle, "two_tower", lambda _: StubTower())
    with open_bundle(made.good) as bundle:
        check = gates._index_recall(bundle, HeldOut.of(made.dataset, "test"), made.config)
    assert (check.passed, check.value, check.threshold) == (False, 0.97, 0.98)


class StubTower:
    item_embeddings = np.zeros((1, 1), np.float16)

    @property
    def index(self) -> StubTower:
        return self

    def encode(self, queries: Queries) -> np.ndarray:
        return np.zeros((len(queries), 1), np.float32)

    def measure_recall(self, embeddings: np.ndarray, vectors: np.ndarray) -> float:
        return 0.97
