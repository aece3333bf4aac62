"""Versions that experiments name stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.bundle.versions import Versions
from recsys.experiments.experiment import Experiment, Overrides, Variant
from recsys.retrain.experiments import in_experiments
from recsys.retrain.steps import Run
from recsys.store import Store, StoreUnavailable
from tests.support.retraining import make_config, retrain, write_log

VERSIONS = ["20261129T010000.000000Z-aaaaaaaa", "20261130T010000.000000Z-bbbbbbbb", "20261201T010000.000000Z-cccccccc"]


def put(store: Store, key: str, status: str, version: str) -> None:
    variants = Variant(name="old"), Variant(name="new", overrides=Overrides(bundle=version))
    experiment = Experiment(key=key, status=status, variants=variants)
    store.experiments.put(key, experiment.model_dump_json(), who=None, timestamp=1.0, most=10)


def test_versions_of_experiments_that_are_not_stopped_are_named(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "store.sqlite")) as store:
        store.upgrade()
        for key, status, version in zip("abc", ("running", "draft", "stopped"), VERSIONS, strict=True):
            put(store, key, status, version)
        assert in_experiments(store, VERSIONS) == set(VERSIONS[:2])
        assert in_experiments(store, VERSIONS[1:]) == {VERSIONS[1]}


def test_without_a_store_there_are_none() -> None:
    assert in_experiments(None, VERSIONS) == set()


def test_a_store_that_is_down_costs_no_version_and_stops_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events were read before it went; nothing is compared with its lists, and any version may be needed."""
    write_log(tmp_path)
    config = make_config(tmp_path, bundle={"dir": str(tmp_path / "bundles"), "keep": 2})
    reports = [retrain(config)]

    def down(*_: object) -> None:
        raise StoreUnavailable("an answer", "none", "start it")

    monkeypatch.setattr(Run, "_opened_store", down)
    reports += [retrain(config) for _ in range(2)]
    assert [report.state for report in reports] == ["published"] * 3
    assert reports[-1].shadow is not None
    assert reports[-1].shadow["state"] == "no store"
    assert Versions(config.bundle_path).names == [report.version for report in reports]
    monkeypatch.undo()
    retrain(config)
    assert len(Versions(config.bundle_path).names) == 2
