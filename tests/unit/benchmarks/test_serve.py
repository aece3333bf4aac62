"""What benchmarks/serve.py measures."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from benchmarks.floor import FLOOR, create_benchmark_app
from benchmarks.serve_process import LIVE_EVENTS, fill_store
from benchmarks.serve_profile import Profiler, profile
from benchmarks.serve_table import Row
from benchmarks.shop_rules import mixed_rules
from recsys.bundle import open_bundle
from recsys.rules.base import RuleBase
from recsys.rules.policy import CompiledRules
from recsys.rules.rule import Rule
from recsys.store import Store
from tests.support.bundles import make_bundle
from tests.support.waiting import START_TIMEOUT_S, eventually

ROOT = Path(__file__).parents[3]
ARRANGING = {"boost", "bury", "pin", "promote", "cap", "mmr", "calibrate", "upsell", "price_fit"}


@pytest.fixture(scope="module")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"))


@pytest.fixture(scope="module")
def store(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('store')}/store.sqlite"
    with open_bundle(bundle_path) as bundle:
        fill_store(url, bundle)
    return url


def test_twenty_rules_of_every_kind_act_on_a_bundle(bundle_path: Path) -> None:
    with open_bundle(bundle_path) as bundle:
        rules = [Rule.model_validate(rule) for rule in mixed_rules(bundle, 20)]
        compiled = CompiledRules.compile(rules, RuleBase.of(bundle))
    assert not compiled.faults
    assert len(compiled.rules) == 20
    assert compiled.bound() is None
    assert {rule.action.type for rule in rules} == {*ARRANGING, "hide", "require"}
    assert len({rule.id for rule in rules}) == 20


def test_every_other_user_has_events(store: str) -> None:
    with Store.open(store) as opened:
        events = opened.events_of(["user0", "user1", "user48"], limit=100)
    assert [len(events.get(user, [])) for user in ("user0", "user1", "user48")] == [LIVE_EVENTS, 0, LIVE_EVENTS]


def test_the_floor_is_a_constant_answer_of_the_size_of_a_real_one(
    bundle_path: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_BUNDLE", str(bundle_path))
    monkeypatch.setenv("RECSYS_STORE", store)
    with TestClient(create_benchmark_app()) as client:
        eventually(lambda: client.get("/ready").status_code == 200, START_TIMEOUT_S)
        floor, again = client.get(FLOOR), client.get(FLOOR)
        sizes = [len(client.get(f"/recommendations/user{n}").content) for n in range(20)]
    assert floor.status_code == 200
    assert floor.content == again.content
    assert len(floor.json()["items"]) == 10
    assert len(floor.content) == pytest.approx(np.mean(sizes), rel=0.1)


def test_a_profile_shows_every_stage_within_the_one_around_it(bundle_path: Path, store: str) -> None:
    spent = profile(bundle_path, store, batch=4, seconds=0.5)
    names = {path[-1] for path in spent}
    assert {"store", "query tower", "ANN search", "proposers", "scores of all", "features", "ranker", "JSON"} <= names
    for path, value in spent.items():
        inner = sum(spent[other] for other in spent if other[:-1] == path)
        assert inner <= value * 1.01 + 0.001, path


def test_a_profiler_adds_up_what_runs_inside_a_span() -> None:
    profiler = Profiler()

    def work() -> None:
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass

    twice = profiler.timed(work, "inner")
    with profiler.span("outer"):
        twice()
        twice()
        work()
    assert list(profiler.seconds) == [("outer",), ("outer", "inner")]
    assert 0.04 <= profiler.seconds["outer", "inner"] < profiler.seconds["outer",]
    assert profiler.seconds["outer",] >= 0.06


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("a", 10, 4, 0.4, ("≥", 0.35)), True),
        (Row("a", 10, 3, 0.3, ("≥", 0.35)), False),
        (Row("a", None, 250, None, ("≤", 250)), True),
        (Row("a", None, 251, None, ("≤", 250)), False),
        (Row("a", 10, 3, 0.3), None),
    ],
)
def test_a_goal_speaks_of_the_ratio_where_there_is_one(row: Row, met: bool | None) -> None:
    assert row.met is met


@pytest.mark.slow
def test_the_script_measures_everything(bundle_path: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = ["benchmarks/serve.py", "--bundle", bundle_path, "--rounds", "1", "--seconds", "1", "--json", figures]
    run = subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, check=False, capture_output=True, text=True)
    assert run.returncode in (0, 1), run.stderr
    result = json.loads(figures.read_text("utf8"))
    assert result["items"] == 200
    assert run.returncode == int(any(row["met"] is False for row in result["table"]))
    assert "answers/s, closed loop" in run.stdout
    for row in result["table"]:
        assert row["value"] > 0, row
        if row["ratio"] is not None:
            assert row["ratio"] == pytest.approx(row["value"] / row["reference"])


@pytest.mark.slow
def test_the_script_loads_several_workers(bundle_path: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = ["benchmarks/serve.py", "--bundle", bundle_path, "--rounds", "1", "--seconds", "1", "--workers", "2"]
    command += ["--json", figures]
    run = subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, check=False, capture_output=True, text=True)
    assert run.returncode in (0, 1), run.stderr
    result = json.loads(figures.read_text("utf8"))
    assert len(result["memory_mb"]["worker"]) == 2
    assert {"answers/s, closed loop", "99th percentile at half load, ms"} <= {row["measure"] for row in result["table"]}
    for name in ("floor", "recommendations", "floor, half load", "recommendations, half load"):
        assert result["rounds"][name][0]["answers"] > 0
        assert result["rounds"][name][0]["cpu_ms"] > 0
