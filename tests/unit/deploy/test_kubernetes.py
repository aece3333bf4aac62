"""What the manifests promise: Kubernetes' own schemas, and what the files say of each other and of the server."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from serve.metrics import Metrics
from serve.settings import Settings
from tests.support.dockerfiles import ROOT, read_dockerfile
from tests.support.promql import asked, parse

FOLDER = ROOT / "deploy/kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf8"))
RESOURCES = [FOLDER / name for name in KUSTOMIZATION["resources"]]
VERSIONS = ("1.31", "1.34")
NOT_APPLIED = {"kustomization.yaml", "secret.example.yaml", "prometheus-adapter.yaml"}


def read(name: str) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text("utf8"))
    return manifest


POD: dict[str, Any] = read("deployment.yaml")["spec"]["template"]["spec"]
(SERVER,) = POD["containers"]
SETTINGS = dict(
    line.split("=", 1) for line in (FOLDER / "settings.env").read_text().splitlines() if line and line[0] != "#"
)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", [*RESOURCES, FOLDER / "secret.example.yaml"], ids=lambda path: path.stem)
def test_a_manifest_is_what_kubernetes_expects(path: Path, version: str) -> None:
    for manifest in yaml.safe_load_all(path.read_text("utf8")):
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_check_of_manifests_finds_what_is_wrong() -> None:
    wrong = read("deployment.yaml")
    wrong["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_every_file_is_applied_or_said_not_to_be() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")}
    assert files - NOT_APPLIED == set(KUSTOMIZATION["resources"])


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_puts_selectors_and_settings_in() -> None:
    made = subprocess.run(["kubectl", "kustomize", FOLDER], check=True, capture_output=True, text=True)
    manifests = {manifest["kind"]: manifest for manifest in yaml.safe_load_all(made.stdout)}
    for version in VERSIONS:
        for manifest in manifests.values():
            kubernetes_validate.validate(manifest, version, strict=True)
    deployment = manifests["Deployment"]["spec"]
    labels = deployment["template"]["metadata"]["labels"].items()
    selectors = (
        deployment["selector"]["matchLabels"],
        manifests["Service"]["spec"]["selector"],
        manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        manifests["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        deployment["template"]["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    )
    for selector in selectors:
        assert selector
        assert selector.items() <= labels
    (source,) = deployment["template"]["spec"]["containers"][0]["envFrom"]
    assert source["configMapRef"]["name"] == manifests["ConfigMap"]["metadata"]["name"]


def test_servers_run_with_the_least_that_they_need() -> None:
    own, container = POD["securityContext"], SERVER["securityContext"]
    assert own["runAsNonRoot"]
    assert own["seccompProfile"] == {"type": "RuntimeDefault"}
    assert f"{own['runAsUser']}:{own['runAsGroup']}" == read_dockerfile()[1]["serve"].named("USER")[-1].value
    assert container["readOnlyRootFilesystem"]
    assert not container["allowPrivilegeEscalation"]
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert not POD["automountServiceAccountToken"]
    assert not POD["enableServiceLinks"], "RECSYS_PORT would be the service's"
    assert read("namespace.yaml")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_settings_are_those_that_a_server_takes() -> None:
    settings = Settings(**{name.removeprefix("RECSYS_").lower(): value for name, value in SETTINGS.items()})
    assert not settings.open
    stopping = SERVER["lifecycle"]["preStop"]["exec"]["command"][-1]
    (waited,) = re.findall(r"sleep\((\d+)\)", stopping)
    assert int(waited) + settings.shutdown_s < POD["terminationGracePeriodSeconds"]


def test_probes_ask_what_needs_no_key() -> None:
    from serve.http.authentication import OPEN  # noqa: PLC0415  # beside what it is compared with

    for name in "startupProbe", "livenessProbe", "readinessProbe":
        asked_for = SERVER[name]["httpGet"]
        assert asked_for["path"] in OPEN
        assert asked_for["port"] == SERVER["ports"][0]["name"]
    assert SERVER["livenessProbe"]["httpGet"]["path"] == "/health", "what cannot be loaded needs no restart"
    assert SERVER["readinessProbe"]["httpGet"]["path"] == "/ready"


def test_what_is_read_and_written_is_mounted() -> None:
    mounts = {mount["mountPath"]: mount for mount in SERVER["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in POD["volumes"]}
    assert {mount["name"] for mount in mounts.values()} == volumes.keys()
    writable = {path for path, mount in mounts.items() if not mount.get("readOnly")}
    assert writable == {"/data", "/tmp"}
    for setting in "RECSYS_TOMBSTONES_COPY", "RECSYS_RULES_COPY":
        assert SETTINGS[setting].rpartition("/")[0] in writable
    for setting in "RECSYS_BUNDLE", "RECSYS_API_KEYS":
        assert SETTINGS[setting].rpartition("/")[0] in mounts.keys() - writable
    held = read("secret.example.yaml")
    assert volumes["secrets"]["secret"]["secretName"] == held["metadata"]["name"]
    assert {item["key"] for item in volumes["secrets"]["secret"]["items"]} <= held["stringData"].keys()
    assert not any(held["stringData"].values())
    (password,) = (entry["valueFrom"]["secretKeyRef"] for entry in SERVER["env"])
    assert password["name"] == held["metadata"]["name"]
    assert password["key"] in held["stringData"]


def test_servers_read_the_volume_that_retraining_writes() -> None:
    claim = read("volume.yaml")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    job = yaml.safe_load((ROOT / "examples/scheduling/cronjob.yaml").read_text("utf8"))
    retraining = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    claims = [
        {volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume}
        for pod in (POD, retraining)
    ]
    assert claims == [{claim["metadata"]["name"]}] * 2
    (folder,) = (mount["subPath"] for mount in SERVER["volumeMounts"] if mount["name"] == "work")
    assert f"/{folder}/" in SETTINGS["RECSYS_BUNDLE"], "where retraining publishes"
    assert retraining["securityContext"]["runAsUser"] == POD["securityContext"]["runAsUser"]
    assert job["metadata"]["namespace"] == read("namespace.yaml")["metadata"]["name"], "where the volume is"


def test_retraining_has_the_servers_password_of_postgresql() -> None:
    """Not in a file: with fsGroup its group may read a mounted secret, and libpq passes over such a file."""
    job = yaml.safe_load((ROOT / "examples/scheduling/cronjob.yaml").read_text("utf8"))
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    (own,) = container["env"]
    (servers,) = SERVER["env"]
    assert own["name"] == servers["name"] == "PGPASSWORD"
    assert own["valueFrom"]["secretKeyRef"].items() >= servers["valueFrom"]["secretKeyRef"].items()


def test_a_new_server_is_ready_before_an_old_one_goes_and_one_always_stays() -> None:
    deployment = read("deployment.yaml")["spec"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    scaler = read("autoscaler.yaml")["spec"]
    assert "replicas" not in deployment, "the autoscaler says how many"
    assert read("disruption-budget.yaml")["spec"]["maxUnavailable"] < scaler["minReplicas"]
    assert scaler["scaleTargetRef"]["name"] == read("deployment.yaml")["metadata"]["name"]


def test_servers_are_counted_by_a_metric_that_reaches_the_autoscaler() -> None:
    (wanted,) = (metric["pods"]["metric"]["name"] for metric in read("autoscaler.yaml")["spec"]["metrics"])
    exposed = {family.name for family in Metrics().collected()}
    assert wanted in exposed
    (rule,) = yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text("utf8"))["rules"]
    assert rule["name"]["as"] == wanted
    assert re.fullmatch(rule["name"]["matches"], wanted)
    (selector,) = asked(parse(rule["seriesQuery"]))
    assert selector.name == wanted
    assert {name for name, _ in selector.matchers} == rule["resources"]["overrides"].keys()
    filled = rule["metricsQuery"].replace("<<.Series>>", wanted).replace("<<.LabelMatchers>>", 'pod=~"a|b"')
    parse(filled.replace("<<.GroupBy>>", "pod"))
