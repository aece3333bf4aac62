from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.errors import ConfigError
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.provenance import changed_settings, provenance
from recsys.evaluation.report import render, write_report
from recsys.retrieval.popularity import Popularity
from tests.dataset_factory import TEST, TRAIN, VALIDATION, make_dataset
from tests.unit.evaluation.fakes import FakeBundle, FakePredictor, FakeTwoTower, make_config

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Checks that tags nest, and collects ids, references and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
                self.references.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text += data + " "


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    rows = []
    for user in range(30):
        items = rng.choice(20, 8, replace=False)
        for time, item in enumerate(items):
            split = TRAIN if time < 5 else VALIDATION if time < 6 else TEST
            rows.append((user, int(item), 1_400_000_000 + time, float(rng.integers(1, 6)), split))
    dataset = make_dataset(rows, 30, 20)
    dataset.manifest["split"] = {"method": "temporal", "test_from": 1_400_000_005}
    dataset.manifest["time_range"] = {"first": 1_400_000_000, "last": 1_400_000_007}
    dataset.manifest["sources"] = [
        {"path": "raw/reviews.json.gz", "lines": 250, "kept": 240, "dropped": {"not_json": 10}}
    ]
    bundle = FakeBundle(
        FakeTwoTower(rng.normal(size=(30, 20)).astype(np.float32)),
        Popularity.fit(dataset.histories((TRAIN,)).items, 20),
        FakePredictor(rng.uniform(1, 5, 20).astype(np.float32)),
        rescore_weight=0.1,
    )
    bundle.manifest = {
        "config": {"model": {"dim": 32}},
        "metrics": {
            "onnx_differences": {"query_tower": 2.5e-6},
            "training_curve": [{"epoch": e, "loss": 3 - e / 10, "validation_ndcg@10": e / 100} for e in range(1, 4)],
        },
    }
    config = make_config(cutoffs=[5, 10])
    found = evaluate(bundle, dataset, config)
    found["run"] = provenance(bundle, dataset, config, "python evaluate.py --config <b>tiny</b>.yaml")
    return found


@pytest.fixture(scope="module")
def html(results: dict[str, Any]) -> str:
    return render(results)


def test_the_page_is_whole_and_loads_nothing(html: str) -> None:
    page = Page(html)
    assert page.open == []
    assert html.lstrip().lower().startswith("<!doctype html>")
    assert not [reference for reference in page.references if not reference.startswith("#")]
    assert not {"script", "link", "iframe", "img", "object", "embed"} & set(page.tags)
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    assert {reference[1:] for reference in page.references} <= set(page.ids)


def test_every_figure_is_there_in_the_colours_of_the_page(html: str) -> None:
    # Comparison, baselines, cutoffs, slices, stages, ratings, training.
    assert html.count("<svg") == 7
    assert "#0a0b" not in html
    used = set(re.findall(r"var\((--[\w-]+)\)", html))
    defined = set(re.findall(r"(--[\w-]+):", html))
    assert used <= defined


def test_the_page_says_what_was_measured(results: dict[str, Any], html: str) -> None:
    text = " ".join(Page(html).text.split())
    system = results["ranking"]["seen_removed"]["systems"]["system"]
    assert f"{system['metrics']['ndcg@10']['mean']:.4f}" in text
    assert f"{results['ratings']['models']['ranking_head']['rmse']['mean']:.4f}" in text
    assert "Synthetic data." in text
    for warning in results["warnings"]:
        assert warning in text
    assert results["warnings"]
    assert "dropped: not json" in text
    assert "2014-05-13" in text
    assert "model.dim: 32 → 64" in text
    assert "query tower 2.5e-06" in text
    assert "python evaluate.py --config <b>tiny</b>.yaml" in text  # escaped, not markup


def test_all_figures_are_in_the_json(results: dict[str, Any], tmp_path: Path) -> None:
    report = write_report(results, tmp_path / "a" / "b")
    assert sorted(path.name for path in report.parent.iterdir()) == ["metrics.json", "report.html"]
    assert json.loads((report.parent / "metrics.json").read_text("utf8")) == results


def test_a_page_without_ratings_training_or_users(results: dict[str, Any]) -> None:
    bare = copy.deepcopy(results)
    bare["ratings"] = None
    bare["run"]["bundle"]["metrics"] = {}
    assert render(bare).count("<svg") == 5
    for protocol in bare["ranking"]:
        bare["ranking"][protocol] = {"users": 0, "systems": {}}
    bare["comparisons"] = []
    assert render(bare).count("<svg") == 0


def test_real_data_whose_times_only_order(results: dict[str, Any]) -> None:
    real = copy.deepcopy(results)
    real["run"]["synthetic"] = False
    real["run"]["dataset"]["time_range"] = {"first": 0, "last": 40 * 86_400}
    text = Page(render(real)).text
    assert "Synthetic data" not in text
    assert "order only" in text
    assert "1970" not in text


def test_an_unwritable_folder_is_a_users_error(results: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"evaluation\.report_dir"):
        write_report(results, tmp_path / "file" / "report")


def test_changed_settings_name_the_keys_that_differ() -> None:
    config = make_config()
    trained = config.model_dump(mode="json")
    assert changed_settings(trained, config) == {}
    trained["model"]["layers"] = 7
    trained["evaluation"]["cutoffs"] = [1]
    assert changed_settings(trained, config) == {"model.layers": [7, 2]}
