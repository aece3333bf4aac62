"""Versions that experiments name stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.experiments.experiment import Experiment, Overrides, Variant
from recsys.retrain.experiments import in_experiments
from recsys.store import Store, StoreUnavailable

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


def test_without_a_store_there_are_none_and_of_one_that_is_down_nobody_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert in_experiments(None, VERSIONS) == set()

    def down() -> None:
        raise StoreUnavailable("an answer", "none", "start it")

    with Store.open(str(tmp_path / "store.sqlite")) as store:
        monkeypatch.setattr(store.experiments, "read", down)
        assert in_experiments(store, VERSIONS) == set(VERSIONS)
