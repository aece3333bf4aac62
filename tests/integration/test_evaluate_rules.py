"""`evaluate.py --rules`: what rules cost and bring, on a small bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys import cli
from recsys.bundle import open_bundle
from recsys.measure.protocol import HeldOut
from recsys.prepare.prepared import PreparedDataset
from tests.support.bundles import make_bundle, make_histories
from tests.support.datasets import TEST, TRAIN, make_dataset, write_dataset

N_USERS, N_ITEMS = 60, 120
RULES = """
rules:
- {id: hide-group, action: {type: hide}, where: item.category == "Group 3"}
- {id: cap-group, action: {type: cap, by: category, most: 2}}
- {id: idle, enabled: false, action: {type: mmr, weight: 0.9}}
- {id: elsewhere, scenario: cart, action: {type: mmr, weight: 0.9}}
- {id: asks, when: context.country == "DE", action: {type: mmr, weight: 0.9}}
- {id: nothing, action: {type: calibrate, weight: 0}}
- {id: over, valid_to: "2001-01-01T00:00:00Z", action: {type: calibrate, weight: 0.5}}
"""


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config, a prepared dataset and a bundle over the same users and items."""
    folder = tmp_path_factory.mktemp("rules")
    histories = make_histories(N_USERS, N_ITEMS, seed=0)
    rows = []
    for user in range(N_USERS):
        start, stop = histories.indptr[user : user + 2]
        for at in range(start, stop):
            split = TEST if at >= stop - 2 else TRAIN
            rows.append((user, int(histories.items[at]), int(histories.timestamps[at]), None, split))
    bundle = make_bundle(folder / "saved_model", N_ITEMS, N_USERS, seed=0)
    dataset = make_dataset(rows, N_USERS, N_ITEMS)
    with open_bundle(bundle) as opened:
        records = opened.catalogue.items(range(N_ITEMS))
    dataset.items["categories"] = [list(record.categories) for record in records]
    dataset.items["price"] = np.array([np.nan if record.price is None else record.price for record in records])
    dataset.items["brand"] = [record.brand for record in records]
    write_dataset(dataset, folder / "prepared" / "tiny")
    (folder / "config.yaml").write_text(
        f"""
name: tiny
synthetic: true
data: {{format: amazon_2018, interactions: [reviews.json.gz], prepared_dir: {folder / "prepared"}}}
bundle: {{dir: {folder / "saved_model"}}}
evaluation: {{report_dir: {folder / "reports"}, bootstrap_samples: 50, explained_users: 0, cutoffs: [10]}}
"""
    )
    return folder


def measured(workplace: Path, rules: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and the figures of the report."""
    (workplace / "rules.yaml").write_text(rules, "utf8")
    code = cli.main(
        [
            *("evaluate", "--config", str(workplace / "config.yaml"), "--retrievers", "popularity"),
            *("--rules", str(workplace / "rules.yaml"), *arguments),
        ]
    )
    metrics = workplace / "reports" / "tiny" / "metrics.json"
    return code, json.loads(metrics.read_text("utf8"))["rules"] if metrics.is_file() else {}


@pytest.fixture(scope="module")
def found(workplace: Path) -> dict[str, Any]:
    code, rules = measured(workplace, RULES)
    assert code == 0
    return rules


def test_every_rule_alone_and_all_together(found: dict[str, Any], workplace: Path) -> None:
    assert found["scenario"] is None
    assert [rule["id"] for rule in found["rules"]] == [
        *("hide-group", "cap-group", "idle", "elsewhere", "asks", "nothing", "over")
    ]
    rules = {rule["id"]: rule for rule in found["rules"]}
    # The same users and lists as an independent run of the recommender.
    dataset = PreparedDataset.load(workplace / "prepared" / "tiny")
    held = HeldOut.of(dataset, TEST)
    assert found["users"] == len(held)
    with open_bundle(workplace / "saved_model" / "tiny") as bundle:
        lists = bundle.recommender().recommend(held.queries, 10).items
    assert found["none"]["coverage"] == len(set(lists[lists >= 0].tolist())) / N_ITEMS
    has_hidden = (lists % 10 == 3).any(axis=1)
    assert 0 < has_hidden.mean() < 1
    assert rules["hide-group"]["lists_changed"] == pytest.approx(has_hidden.mean())
    most = np.array([np.bincount(own[own >= 0] % 10, minlength=10).max() for own in lists])
    assert rules["cap-group"]["lists_changed"] == pytest.approx((most > 2).mean())
    assert rules["cap-group"]["differences"]["diversity"]["low"] > 0
    assert found["all"]["lists_changed"] >= rules["cap-group"]["lists_changed"]
    # A rule that is over is judged as if it were not.
    assert rules["over"]["lists_changed"] > 0
    assert rules["over"]["differences"]["divergence"]["high"] < 0


def test_rules_that_do_nothing_differ_by_nothing_and_say_why(found: dict[str, Any]) -> None:
    rules = {rule["id"]: rule for rule in found["rules"]}
    assert rules["idle"]["note"] == "off"
    assert rules["elsewhere"]["note"] == "for the scenario cart alone"
    assert "context" in rules["asks"]["note"]
    for name in ("idle", "elsewhere", "asks", "nothing"):
        assert rules[name]["lists_changed"] == 0
        assert rules[name]["figures"] == found["none"]["figures"]
        assert {tuple(gap.values()) for gap in rules[name]["differences"].values()} == {(0, 0, 0)}


def test_knobs_from_nothing_upwards(found: dict[str, Any]) -> None:
    knobs = {curve["knob"]: curve["points"] for curve in found["curves"]}
    assert list(knobs) == ["price_fit.weight", "upsell.factor", "mmr.weight", "calibrate.weight"]
    for points in knobs.values():
        assert points[0]["value"] == 0
        assert points[0]["lists_changed"] == 0
        assert points[0]["figures"] == found["none"]["figures"]
        assert {tuple(gap.values()) for gap in points[0]["differences"].values()} == {(0, 0, 0)}
    assert knobs["price_fit.weight"][-1]["differences"]["price"]["high"] < 0
    assert knobs["upsell.factor"][-1]["differences"]["price"]["low"] > 0
    assert knobs["calibrate.weight"][-1]["differences"]["covered"]["low"] > 0
    assert knobs["mmr.weight"][-1]["lists_changed"] > 0.5


def test_the_report_and_the_terminal_tell_it(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, again = measured(workplace, RULES, "--scenario", "cart", "--set", "evaluation.rule_users=20")
    assert code == 0
    assert (again["users"], again["scenario"]) == (20, "cart")
    assert next(rule for rule in again["rules"] if rule["id"] == "elsewhere")["lists_changed"] > 0
    printed = capsys.readouterr().out
    gap = next(rule for rule in again["rules"] if rule["id"] == "hide-group")["differences"]["ndcg"]
    assert f"hide-group: {gap['mean']:+.4f}" in printed
    page = (workplace / "reports" / "tiny" / "report.html").read_text("utf8")
    assert "What rules cost and bring" in page
    assert "Lists of 10 for 20 users in the scenario cart" in page
    assert "asks the context of a request" in page
    assert "Change of NDCG@10" in page  # the figures of the knobs
    assert "calibrate, weight" in page
    gap = again["all"]["differences"]["diversity"]
    assert f"{gap['low']:+.4f} to {gap['high']:+.4f}".replace("-", "−") in page


def test_without_rules_nothing_is_said_of_them(workplace: Path) -> None:
    assert cli.main(["evaluate", "--config", str(workplace / "config.yaml"), "--retrievers", "popularity"]) == 0
    folder = workplace / "reports" / "tiny"
    assert json.loads((folder / "metrics.json").read_text("utf8"))["rules"] is None
    assert "What rules cost and bring" not in (folder / "report.html").read_text("utf8")


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("rules: [{id: a, action: {type: hide}, where: item.colour == 'red'}]", "a: where"),
        ("rules: [{id: a, action: {type: cap, by: colour, most: 1}}]", "a: action.by"),
        ("rules: [{id: a, action: {type: hide}}]", "needs where"),
        ("rules: 3", "no list"),
    ],
)
def test_a_rule_that_cannot_be_followed_ends_the_evaluation(
    workplace: Path, capsys: pytest.CaptureFixture[str], rules: str, words: str
) -> None:
    code, _ = measured(workplace, rules)
    assert code == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Rank the catalogue" not in captured.out
    assert "Traceback" not in captured.err


def test_a_file_that_is_not_there(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "--config", str(workplace / "config.yaml"), "--rules", "nowhere.yaml"]) == 2
    assert "nowhere.yaml" in capsys.readouterr().err


def test_a_rule_that_empties_lists_takes_no_user_from_others(workplace: Path) -> None:
    """Nobody's list has a price then; the other rule's figures stay those of all users."""
    keep = "{id: keep, action: {type: cap, by: category, most: 2}}"
    code, both = measured(workplace, f"rules: [{keep}, {{id: empty, action: {{type: hide}}, where: 'true'}}]")
    assert code == 0
    code, one = measured(workplace, f"rules: [{keep}]", "--set", "evaluation.rule_knobs=false")
    assert code == 0
    assert one["curves"] == []
    assert "Knobs" not in (workplace / "reports" / "tiny" / "report.html").read_text("utf8")
    emptied = both["rules"][1]
    assert emptied["figures"]["filled"]["mean"] == emptied["coverage"] == 0
    assert emptied["figures"]["ndcg"]["mean"] == emptied["figures"]["revenue"]["mean"] == 0
    assert "price" not in emptied["figures"]
    for ours, alone in ((both["rules"][0], one["rules"][0]), (both["none"], one["none"])):
        for name, figure in ours["figures"].items():
            assert figure == pytest.approx(alone["figures"][name]), name
        assert ours["figures"].keys() == alone["figures"].keys()
