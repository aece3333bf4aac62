"""Dashboard and alerts speak of what the server exposes, and the runbook speaks of every alert."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from serve.app import create_app
from serve.metrics import Metrics
from serve.settings import Settings
from tests.support.dockerfiles import ROOT
from tests.support.promql import OF_THE_SCRAPE, asked, grouped_by, matches, parse
from tests.support.serving import without_bundle
from tools.grafana_dashboard import DASHBOARD, dashboard

PROMETHEUS = ROOT / "deploy/prometheus"
ALERTS = [
    rule for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf8"))["groups"] for rule in group["rules"]
]
PANELS = json.loads(DASHBOARD.read_text("utf8"))["panels"]
SERIES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def exposed() -> dict[str, set[str]]:
    """Names of the series that a server exposes, with their labels."""
    found: dict[str, set[str]] = {"up": set()}  # Prometheus' own
    for collector in Metrics()._registry._collector_to_names:
        assert isinstance(collector, MetricWrapperBase)
        for ending in SERIES[collector._type]:
            labels = set(collector._labelnames) | ({"le"} if ending == "_bucket" else set())
            found[collector._name + ending] = labels
    return found


EXPOSED = exposed()


def expressions() -> Iterator[Any]:
    for rule in ALERTS:
        yield pytest.param(rule["expr"], id=rule["alert"])
    for panel in PANELS:
        for target in panel.get("targets", ()):
            yield pytest.param(target["expr"], id=f"{panel['title']}, {target['refId']}")


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_asks_for_what_there_is(expression: str) -> None:
    tree = parse(expression)
    selectors = list(asked(tree))
    assert selectors
    for selector in selectors:
        meant = [name for name in EXPOSED if matches(selector.name, name)]
        assert meant, f"no metric {selector.name}"
        for name in meant:
            assert {label for label, _ in selector.matchers} <= EXPOSED[name] | OF_THE_SCRAPE, name
    for label, names in grouped_by(tree):
        for name in names:
            known = [EXPOSED[metric] for metric in EXPOSED if matches(name, metric)]
            assert all(label in labels | OF_THE_SCRAPE for labels in known), f"{name} has no label {label}"


def test_the_check_of_expressions_finds_what_is_wrong() -> None:
    for wrong in (
        "recsys_request_total",
        'recsys_http_requests_total{code="500"}',
        "sum by (path) (recsys_http_requests_total)",
    ):
        with pytest.raises(AssertionError):
            test_an_expression_asks_for_what_there_is(wrong)
    with pytest.raises(ValueError, match="unclosed"):
        parse("sum(recsys_store_up")


def test_a_server_without_a_store_has_none_that_is_down() -> None:
    """The alert asks for 0, which the gauge is before anything sets it."""
    (rule,) = (rule for rule in ALERTS if rule["alert"] == "RecsysStoreDown")
    assert rule["expr"] == "recsys_store_up == 0"
    with without_bundle() as client:
        assert re.search(r"^recsys_store_up NaN$", client.get("/metrics").text, re.MULTILINE)


def test_what_is_taken_for_exposed_is_what_a_server_answers() -> None:
    with without_bundle() as client:
        text = client.get("/metrics").text
    answered = dict(re.findall(r"^# TYPE (recsys_\w+) (\w+)$", text, re.MULTILINE))
    expected = {name.removesuffix("_bucket") for name in EXPOSED if not name.endswith(("_sum", "_count"))} - {"up"}
    assert answered.keys() - {name for name in answered if name.endswith("_created")} == expected


@pytest.mark.parametrize("label", ["route", "status", "cause"])
def test_values_that_are_asked_for_occur(label: str) -> None:
    """A regular expression that no value matches would be a panel without a line, and an alert that never comes."""
    app = create_app(Settings(bundle=ROOT / "none", store="none"))
    routes = {path for path in (getattr(route, "path", "") for route in app.routes) if path}
    sources = "".join(path.read_text("utf8") for path in (ROOT / "serve").rglob("*.py"))
    occurring = {
        "route": routes,
        "status": {"400", "404", "422", "429", "500", "503"},
        "cause": set(re.findall(r'refused\("([a-z ]+)"\)', sources)),
    }[label]
    found = 0
    for parameter in expressions():
        for selector in asked(parse(parameter.values[0])):
            for name, value in selector.matchers:
                if name == label:
                    found += 1
                    assert any(matches(value, one) for one in occurring), f"{value}: none of {occurring}"
    assert found


def test_the_dashboard_is_the_one_that_the_tool_writes() -> None:
    assert json.loads(DASHBOARD.read_text("utf8")) == dashboard(), "run python -m tools.grafana_dashboard"


def test_panels_have_ids_and_places_of_their_own() -> None:
    ids = [panel["id"] for panel in PANELS]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        refs = [target["refId"] for target in panel.get("targets", ())]
        assert len(set(refs)) == len(refs)


def test_panels_read_the_source_that_is_provisioned() -> None:
    provisioned = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text("utf8"))
    uids = {source["uid"] for source in provisioned["datasources"]}
    named = {panel["datasource"]["uid"] for panel in PANELS if "datasource" in panel}
    named |= {target["datasource"]["uid"] for panel in PANELS for target in panel.get("targets", ())}
    assert named == uids
    assert "__inputs" not in json.loads(DASHBOARD.read_text("utf8")), "it is provisioned, not imported by hand"


def test_what_operations_lists_is_what_a_server_exposes() -> None:
    listed = set(re.findall(r"`(recsys_\w+)[`{]", (ROOT / "docs/operations.md").read_text("utf8")))
    families = {re.sub("_(bucket|sum|count)$", "", name) for name in EXPOSED} - {"up"}
    assert listed <= families
    assert families - listed == set(), "a metric without its line"


def test_alerts_say_how_soon_and_what() -> None:
    names = [rule["alert"] for rule in ALERTS]
    assert len(set(names)) == len(names)
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]
        assert rule["annotations"]["summary"].endswith("."), rule["alert"]


def test_the_runbook_has_a_heading_for_every_alert_and_for_no_other() -> None:
    headings = re.findall(r"^### (Recsys\w+)$", (ROOT / "docs/runbook.md").read_text("utf8"), re.MULTILINE)
    assert headings == [rule["alert"] for rule in ALERTS]


def test_prometheus_reads_the_rules_and_finds_the_servers_of_compose() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf8"))
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf8"))
    mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in compose["services"]["prometheus"]["volumes"]}
    for path in config["rule_files"]:
        assert (ROOT / mounted[path]).is_file()
    (job,) = config["scrape_configs"]
    assert set(re.findall(r'job="(\w+)"', (PROMETHEUS / "alerts.yml").read_text("utf8"))) == {job["job_name"]}
    (found,) = job["dns_sd_configs"]
    assert set(found["names"]) <= compose["services"].keys()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize(("what", "file"), [("check", "alerts.yml"), ("test", "alerts.test.yml")])
def test_promtool_finds_nothing(what: str, file: str) -> None:
    """Alerts come when they should, and not otherwise: alerts.test.yml has series for those that join some."""
    done = subprocess.run(
        ["promtool", what, "rules", str(PROMETHEUS / file)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_that_are_tried_out_exist() -> None:
    tried = yaml.safe_load((PROMETHEUS / "alerts.test.yml").read_text("utf8"))
    named = {one["alertname"] for test in tried["tests"] for one in test["alert_rule_test"]}
    assert named <= {rule["alert"] for rule in ALERTS}
    series = {re.split(r"\{", one["series"])[0] for test in tried["tests"] for one in test["input_series"]}
    assert series <= EXPOSED.keys()
