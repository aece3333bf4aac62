from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from recsys.core.errors import ConfigError
from recsys.measure.evaluator import evaluate
from recsys.measure.explanations.fidelity import EXPLANATION, RANDOM, RECENCY
from recsys.measure.provenance import changed_settings, provenance
from recsys.measure.systems import BLEND, HYBRID
from recsys.outcomes import DIMENSIONS, as_json, tell_outcomes
from recsys.pipeline.ratings.statistics import RatingStatistics
from recsys.report import charts
from recsys.report.document import document
from recsys.report.report import render, write_figures, write_report
from recsys.sources.popularity.source import Popularity
from recsys.store import Store
from serve.bundles.info import BundleInfo
from serve.errors import NoReportError
from serve.operations.report import page
from tests.support.datasets import TEST, TRAIN, VALIDATION, make_dataset
from tests.support.list_logs import a_list, in_variant, named, put_list_events, seen
from tests.support.measuring import FakeBundle, FakePredictor, FakeSource, FakeTwoTower, make_config, make_manifest

pytest_plugins = "tests.support.store_fixtures"

METRICS = {
    "onnx_differences": {"query_tower": 2.5e-6},
    "training_curve": [{"epoch": e, "loss": 3 - e / 10, "validation_ndcg@10": e / 100} for e in range(1, 4)],
    "sources": {
        "popularity": {"chosen": {}, "metric": "ndcg@10", "users": 20, "tried": [{"ndcg@10": 0.011}]},
        "transitions": {
            "chosen": {"k": 100, "decay": 0.5},
            "metric": "ndcg@10",
            "users": 20,
            "tried": [{"k": 100, "decay": 0.3, "ndcg@10": 0.02}, {"k": 100, "decay": 0.5, "ndcg@10": 0.0345}],
        },
    },
    "skipped": {"ease": "too many items"},
    "hybrid": {
        "weights": {"two_tower": 0.1, "transitions": 2.0},
        "shares": {"two_tower": 0.4, "transitions": 0.6},
        "metric": "ndcg@10",
        "ndcg@10": 0.0567,
        "users": 20,
        "tried": 77,
        "blend": {
            "weights": {"transitions": 1.0},
            "shares": {"transitions": 1.0},
            "metric": "ndcg@10",
            "ndcg@10": 0.0456,
            "users": 20,
            "tried": 33,
        },
        "alpha_sweep": [{"alpha": a / 4, "ndcg@10": 0.03 + a / 100, "recall@10": 0.05} for a in range(5)],
    },
    "ranker": {
        "curve": [{"epoch": 1, "loss": 2.0, "ndcg@10": 0.05}, {"epoch": 2, "loss": 1.5, "ndcg@10": 0.06}],
        "groups": [{"group": "price", "features": ["price_distance"], "ndcg@10_drop": 0.0017}],
        "features": [{"name": "price_distance", "ndcg@10_drop": 0.0017}],
        "order": {
            "chosen": "hybrid",
            "served": "hybrid",
            "metric": "ndcg@10",
            "users": 20,
            "figures": {"transitions": 0.0345, "hybrid": 0.0567},
            "margins": [
                {"order": "hybrid", "over": "transitions", "mean": 0.0222, "low": 0.01, "high": 0.03, "taken": True}
            ],
        },
    },
}
AREAS = {
    EXPLANATION: ({"mean": 0.31, "low": 0.29, "high": 0.33}, {"mean": 0.83, "low": 0.81, "high": 0.85}),
    RECENCY: ({"mean": 0.52, "low": 0.5, "high": 0.54}, {"mean": 0.71, "low": 0.7, "high": 0.72}),
    RANDOM: ({"mean": 0.61, "low": 0.6, "high": 0.62}, {"mean": 0.62, "low": 0.6, "high": 0.64}),
}
EXPLANATIONS = {
    "not_measured": None,
    "users": 40,
    "left_out": {"without_history": 7, "with_one_item_alone": 2, "without_a_personal_item": 0},
    "fidelity": {
        "users": 31,
        "shares": [0, 0.5, 1],
        "orders": {
            name: {
                "figures": {
                    "deletion": deletion,
                    "insertion": insertion,
                    **{f"listed_without_{few}": {"mean": 0.9 / few, "low": 0, "high": 1} for few in (1, 2, 3)},
                },
                "curves": {"deletion": [1, deletion["mean"], 0], "insertion": [0, insertion["mean"], 1]},
            }
            for name, (deletion, insertion) in AREAS.items()
        },
        "differences": [
            {"order": EXPLANATION, "other": other, "metric": metric, "mean": mean, "low": -0.25, "high": -0.17}
            for other in (RECENCY, RANDOM)
            for metric, mean in (("deletion", -0.2109), ("insertion", 0.1208))
        ],
    },
    "reasons": {
        "users": 33,
        "entries": 330,
        "personal": {"mean": 0.912, "low": 0.9, "high": 0.93},
        "distinct": {"mean": 0.634, "low": 0.6, "high": 0.66},
        "kinds": {"mean": 2.31, "low": 2.2, "high": 2.4},
    },
    "agreement": {
        "users": 31,
        "entries": 287,
        "share": {"mean": 0.713, "low": 0.69, "high": 0.73},
        "chance": 0.243,
        "by_source": {"transitions": {"entries": 200, "share": 0.731, "chance": 0.244}},
    },
    "additivity": {"items": 31, "largest": 3.3e-6, "median": 4e-7},
}
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
            if item == 0 and split != TEST:
                continue  # held out of training
            rows.append((user, int(item), 1_400_000_000 + time, float(rng.integers(1, 6)), split))
    dataset = make_dataset(rows, 30, 20)
    dataset.manifest["split"] = {"method": "temporal", "test_from": 1_400_000_005}
    dataset.manifest["time_range"] = {"first": 1_400_000_000, "last": 1_400_000_007}
    dataset.manifest["sources"] = [
        {"path": "raw/reviews.json.gz", "lines": 250, "kept": 240, "dropped": {"not_json": 10}}
    ]
    dataset.manifest["cold_items"] = {"share": 0.05, "count": 1}
    dataset.items["categories"] = [[f"kind {item % 3}"] for item in range(20)]
    others = {name: FakeSource(rng.normal(size=(30, 20)).astype(np.float32)) for name in (BLEND, HYBRID, "transitions")}
    rated = dataset.histories((TRAIN,))
    bundle = FakeBundle(
        FakeTwoTower(rng.normal(size=(30, 20)).astype(np.float32)),
        Popularity.fit(rated.items, 20),
        others,
        FakePredictor(rng.uniform(1, 5, 20).astype(np.float32), RatingStatistics.fit(rated.items, rated.ratings, 20)),
        bonus=rng.normal(size=20).astype(np.float32),
    )
    bundle.manifest = make_manifest(config={"model": {"dim": 32}, "seed": 3}, **METRICS)
    config = make_config(cutoffs=[5, 10])
    run = provenance(bundle, dataset, config, "python evaluate.py --config <b>tiny</b>.yaml")
    figures = {protocol: {"system": {"ndcg@10": 0.1234}} for protocol in ("seen_removed", "nothing_removed")}
    spread = {
        "bundles": [
            {"version": f"v{seed}", "seed": seed, "changed_settings": {}, "figures": figures} for seed in (3, 4)
        ],
        "spread": {protocol: {"system": {"ndcg@10": {"mean": 0.1234, "sd": 0.0021}}} for protocol in figures},
    }
    measured = evaluate(bundle, dataset, config) | {"explanations": EXPLANATIONS}
    return document(measured, run, spread)


@pytest.fixture(scope="module")
def html(results: dict[str, Any]) -> str:
    return render(results)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take most of the time; where only the text matters, one will do for all."""
    names = ("comparison", "baselines", "cutoffs", "slices", "stages", "ratings")
    monkeypatch.setattr(charts, "draw", lambda _: dict.fromkeys(names, "<svg></svg>"))


def test_the_page_is_whole_and_loads_nothing(html: str) -> None:
    page = Page(html)
    assert page.open == []
    assert html.lstrip().lower().startswith("<!doctype html>")
    assert not [reference for reference in page.references if not reference.startswith("#")]
    assert not {"script", "link", "iframe", "img", "object", "embed"} & set(page.tags)
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    assert {reference[1:] for reference in page.references} <= set(page.ids)


def outcomes_of(store: Store, url: str, *, clicks: bool) -> dict[str, Any]:
    """Of a list a day on two days, one of them for a variant."""
    day = 86_400.0
    store.add_served(
        [a_list("r1", "u", 10.0, variants=in_variant("new-one")), a_list("r2", "v", day, history=7, scenario="home")]
    )
    put_list_events(url, [seen(n, f"r{n}", "a", n * day) for n in (1, 2)] if clicks else [])
    events = [named(1, "click", "r1", "a", 20.0), named(2, "purchase", "r1", "a", 30.0, price=1234.5)]
    store.append([*(events if clicks else []), named(3, "view", None, "a", 5.0), named(4, "click", "r9", "b", 5.0)])
    return as_json(tell_outcomes(store, 0.0, 2 * day, DIMENSIONS, now=3 * day))


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_came_of_lists_is_told(results: dict[str, Any], store: Store, store_url: str) -> None:
    found = outcomes_of(store, store_url, clicks=True)
    page = render({**results, "outcomes": found})
    assert page.count("<svg") == 16
    text = " ".join(Page(page).text.split())
    section = text[text.index("What came of lists") : text.index("Events of no list")]
    assert "All lists" in section
    assert "2 4 2 1 50.00%" in section, "lists, served, seen, clicked, of seen"
    assert "1 2 1 1 100.00% 50.00%" in section, "the day of the click, both rates"
    assert "1,234.50" in section
    assert "x/1/new-one 1 2 1 1" in section
    assert "By interactions of the user" in section
    assert "model full" in section, "what is the same of all lists is no table"
    assert "fewer than 7 days have passed" in section
    causes = text[text.index("Events of no list") :]
    assert "They name no list. view 1" in causes
    assert "The log of lists does not hold the one that they name. click 1" in causes
    json.dumps(found, allow_nan=False)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_lists_that_no_event_names_are_said_to_be_such(results: dict[str, Any], store: Store, store_url: str) -> None:
    nothing = as_json(tell_outcomes(store, 0.0, 9.0, DIMENSIONS, now=10.0))
    assert "The store has no list of that time." in " ".join(
        Page(render({**results, "outcomes": nothing})).text.split()
    )
    found = outcomes_of(store, store_url, clicks=False)
    text = " ".join(Page(render({**results, "outcomes": found})).text.split())
    assert "No event of the shop names any of these 2 lists" in text
    assert "By source" not in text[text.index("What came of lists") : text.index("Events of no list")]


def test_without_a_store_nothing_is_said_of_lists(html: str) -> None:
    assert "What came of lists" not in html


def test_every_figure_is_there_in_the_colours_of_the_page(html: str) -> None:
    # Comparison, baselines, cutoffs, slices, stages, variety, features, alpha, new users, new items, ratings,
    # calibration, explanations, and two trainings.
    assert html.count("<svg") == 15
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
    assert f"{results['candidates']['recall']['mean']:.1%}" in text
    assert f"{results['calibration']['error']:.4f}" in text
    assert f"{results['ranking']['seen_removed']['systems']['transitions']['diversity']:.3f}" in text
    assert "model.dim: 32 → 64" in text
    assert "query tower 2.5e-06" in text
    assert "python evaluate.py --config <b>tiny</b>.yaml" in text  # escaped, not markup


def test_the_first_card_says_whether_it_was_worth_it(results: dict[str, Any], html: str) -> None:
    text = " ".join(Page(html).text.split())
    said = text.index("in this shop")
    assert said < text.index("Over best baseline")
    assert said < text.index(results["warnings"][0])
    assert "Lists are put in order by the hybrid. On 20 validation users" in text


@pytest.mark.usefixtures("undrawn")
def test_the_baseline_to_beat_is_named_with_how_it_was_chosen(results: dict[str, Any], html: str) -> None:
    text = " ".join(Page(html).text.split())
    assert "The baseline to beat is Blend of baselines , of the highest NDCG@10 on validation (0.0456)" in text
    other = copy.deepcopy(results)
    other["best_baseline"] |= {"chosen_on": "test", "name": "transitions", "highest_here": "popularity"}
    text = " ".join(Page(render(other)).text.split())
    assert "Transitions , of the highest NDCG@10 on the test split itself" in text
    assert "The highest on this very split is Popularity" in text


def test_the_variety_of_lists_is_told(results: dict[str, Any], html: str) -> None:
    text = " ".join(Page(html).text.split())
    found = results["variety"]["category"]
    row = [found["systems"]["system"][name] for name in ("of_last", "all_of_last", "covered")]
    cells = " ".join(f"{cell['mean']:.1%} {cell['low']:.1%} – {cell['high']:.1%}" for cell in row)
    assert f"Categories, {found['users']} users" in text
    assert f"Whole system {cells} {found['systems']['system']['divergence']['mean']:.4f}" in text
    chosen = found["choices"]
    assert f"What {chosen['users']} of them chose {chosen['figures']['of_last']['mean']:.1%}" in text


def test_budgets_shares_seeds_and_new_items_are_told(html: str) -> None:
    text = " ".join(Page(html).text.split())
    assert "Transitions 2 20 0.0345 k 100, decay 0.5" in text
    assert "Blend of baselines 33 20 0.0456" in text
    assert "too many items" in text
    assert "Two-tower 40.0% –" in text
    assert "Whole system NDCG@10 0.1234 0.0021 0.1234 0.1234" in text
    assert "1 items have no interaction in train: 1 were held out" in text


def test_whether_explanations_are_true_is_told(html: str) -> None:
    text = " ".join(Page(html).text.split())
    assert "31 of 40 users drawn; left out: 7 without history, 2 with one item alone." in text
    assert "Most recent first 0.5200 0.5000 – 0.5400 −0.2109 −0.2500 to −0.1700 0.7100" in text
    assert "90.0% 45.0% 30.0%" in text
    assert "91.2% (95% interval 90.0% to 93.0%) of the items of a list; 330 items, 33 users" in text
    assert "an item drawn at random is in 24.3% (287 reasons, 31 users)" in text
    assert "by 3.3e-06 at most, 4.0e-07 in the median of 31 items" in text
    assert "Transitions 200 73.1% 24.4%" in text


@pytest.mark.usefixtures("undrawn")
def test_why_explanations_were_not_measured_is_told(results: dict[str, Any]) -> None:
    parts = dict.fromkeys(("fidelity", "reasons", "agreement", "additivity"))
    nothing = parts | {"left_out": {}, "users": 3}
    page = render(results | {"explanations": nothing | {"not_measured": "there is no ranker"}})
    assert "Not measured: there is no ranker." in page
    assert "Area, deletion" not in page


def test_figures_are_files_that_need_nothing_and_never_change(results: dict[str, Any], tmp_path: Path) -> None:
    paths = write_figures(results, tmp_path / "a")
    names = ["comparison", "baselines", "stages", "features", "alpha", "new_users", "new_items"]
    names += ["variety", "calibration", "explanations"]
    assert [path.name for path in paths] == [f"{name}.svg" for name in names]
    again = write_figures(copy.deepcopy(results), tmp_path / "b")
    for path, other in zip(paths, again, strict=True):
        root = ElementTree.parse(path).getroot()
        assert root.tag.endswith("svg")
        text = path.read_text("utf8")
        assert "var(" not in text
        assert "#0a0b" not in text
        assert text == other.read_text("utf8")


@pytest.mark.usefixtures("undrawn")
def test_all_figures_are_in_the_json(results: dict[str, Any], tmp_path: Path) -> None:
    report = write_report(results, tmp_path / "a" / "b")
    assert sorted(path.name for path in report.parent.iterdir()) == ["metrics.json", "report.html"]
    assert json.loads((report.parent / "metrics.json").read_text("utf8")) == results


@pytest.mark.usefixtures("undrawn")
def test_a_server_reads_off_the_page_which_bundle_it_is_of(results: dict[str, Any], tmp_path: Path) -> None:
    report = write_report(results, tmp_path)
    version = results["run"]["bundle"]["version"]
    assert page(tmp_path, BundleInfo(name="any", version=version, synthetic=True)) == report.read_bytes()
    with pytest.raises(NoReportError, match=f"is of version {version}"):
        page(tmp_path, BundleInfo(name="any", version="another", synthetic=True))


def test_what_is_not_there_is_not_shown(results: dict[str, Any]) -> None:
    bare = copy.deepcopy(results)
    for key in ("ratings", "calibration", "new_users", "cold_items", "candidates", "explanations"):
        bare[key] = None
    bare["seeds"] = None
    bare["variety"] = {}
    bare["run"]["bundle"]["metrics"] = {"ranker": None}
    page = render(bare)
    assert page.count("<svg") == 5  # comparison, baselines, cutoffs, slices, stages
    for words in (
        "Explanations",
        "Variety of a list",
        "Calibration",
        "Other seeds",
        "Tuning budgets",
        "each feature",
        "New users",
        "New items",
        "put in order by",
    ):
        assert words not in page
    for protocol in bare["ranking"]:
        bare["ranking"][protocol] = {"users": 0, "systems": {}}
    bare["comparisons"] = []
    bare["best_baseline"] = None
    page = render(bare)
    assert page.count("<svg") == 0
    assert "first-card" not in page.partition("</style>")[2]


@pytest.mark.usefixtures("undrawn")
def test_real_data_whose_times_only_order(results: dict[str, Any]) -> None:
    real = copy.deepcopy(results)
    real["run"]["synthetic"] = False
    real["run"]["dataset"]["time_range"] = {"first": 0, "last": 40 * 86_400}
    text = Page(render(real)).text
    assert "Synthetic data" not in text
    assert "order only" in text
    assert "1970" not in text


@pytest.mark.usefixtures("undrawn")
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
