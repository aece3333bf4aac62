"""What compose.yaml promises, read from it: no engine is at hand to start it."""

from __future__ import annotations

import json
import re
import subprocess
from ipaddress import ip_network
from typing import Any

import pytest
import yaml

from serve.settings import Settings
from tests.support.dockerfiles import ROOT, read_dockerfile

TEXT = (ROOT / "compose.yaml").read_text("utf8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVER = SERVICES["server"]
PROXY = (ROOT / "deploy/nginx/recsys.conf").read_text("utf8")
_, STAGES = read_dockerfile()


def test_images_are_pinned_to_a_version() -> None:
    for name, service in SERVICES.items():
        if "build" not in service:
            assert re.search(r":v?\d+\.\d+(\.\d+)?(-\w+)?$", service["image"]), name


def test_variables_of_the_server_are_settings_that_it_takes() -> None:
    given = {name: value for name, value in SERVER["environment"].items() if name.startswith("RECSYS_")}
    filled = {
        name.removeprefix("RECSYS_").lower(): re.sub(r"\$\{BUNDLE.*?\}", "shop", value) for name, value in given.items()
    }
    settings = Settings(**filled)
    assert settings.shutdown_s < int(SERVER["stop_grace_period"].removesuffix("s"))
    assert not settings.open
    assert [str(network) for network in settings.proxies] == [
        COMPOSE["networks"]["inside"]["ipam"]["config"][0]["subnet"]
    ]
    assert ip_network(COMPOSE["networks"]["inside"]["ipam"]["config"][0]["subnet"]).is_private


def test_nothing_has_a_password_of_its_own() -> None:
    """Every secret has to be given, or Compose does not start; the example of a file for them is empty."""
    needed = set(re.findall(r"\$\{(\w+):\?", TEXT)) | {COMPOSE["secrets"]["metrics_key"]["environment"]}
    example = dict(
        line.split("=", 1)
        for line in (ROOT / "deploy/env.example").read_text().splitlines()
        if line[:1] not in ("#", "")
    )
    assert example.keys() == needed
    assert not any(example.values())
    for name in re.findall(r"\$\{(\w*(?:PASSWORD|KEY|SECRET)\w*)([^}]*)\}", TEXT):
        assert name[1].startswith(":?"), f"{name[0]} has a default"
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name:
                assert value.startswith("${"), name
    ignored = subprocess.run(["git", "check-ignore", "-q", ".env"], cwd=ROOT, check=False).returncode
    assert ignored == 0


def test_servers_run_as_the_image_means_them_to() -> None:
    assert SERVER["build"]["target"] in STAGES
    assert SERVER["build"]["additional_contexts"].keys() <= STAGES.keys()
    assert SERVER["deploy"]["replicas"] == 2
    assert SERVER["read_only"]
    assert SERVER["tmpfs"] == ["/tmp"]
    assert SERVER["cap_drop"] == ["ALL"]
    assert SERVER["volumes"] == ["./saved_model:/saved_model:ro"]
    assert "ports" not in SERVER, "two servers cannot have one port: the proxy has it"
    data = set(json.loads(STAGES["serve"].named("VOLUME")[0].value))
    written = [SERVER["environment"][name] for name in ("RECSYS_TOMBSTONES_COPY", "RECSYS_RULES_COPY")]
    assert all(any(path.startswith(f"{volume}/") for volume in data) for path in written)


def test_what_is_waited_for_has_a_health_check() -> None:
    for service in SERVICES.values():
        waited = service.get("depends_on", {})
        for name in waited if isinstance(waited, dict) else ():
            assert "healthcheck" in SERVICES[name] or STAGES["serve"].named("HEALTHCHECK"), name
    assert "pg_isready" in SERVICES["postgres"]["healthcheck"]["test"]


def test_what_is_mounted_is_there_and_cannot_be_written() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            source, _, *mode = volume.split(":")
            if source.startswith("./"):
                assert mode == ["ro"], f"{name}: {volume}"
                assert (ROOT / source).exists(), f"{name}: {volume}"
            else:
                assert source in COMPOSE["volumes"], f"{name}: {volume}"
        for secret in service.get("secrets", ()):
            assert secret in COMPOSE["secrets"]


def test_only_this_machine_reaches_what_is_published() -> None:
    for service in SERVICES.values():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), port


def test_secrets_are_read_where_they_are_put() -> None:
    for name in SERVER["secrets"]:
        assert f"/run/secrets/{name}" in SERVER["environment"].values()
    scraped = (ROOT / "deploy/prometheus/prometheus.yml").read_text()
    for name in SERVICES["prometheus"]["secrets"]:
        assert f"/run/secrets/{name}" in scraped


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"server (\w+):\d+ resolve", "server"),
        (r"server \w+:(\d+) resolve", STAGES["serve"].pairs("ENV")["RECSYS_PORT"]),
        (r"listen (\d+);", SERVICES["proxy"]["ports"][0].rpartition(":")[2]),
    ],
)
def test_the_proxy_asks_the_servers_where_they_listen(pattern: str, expected: str) -> None:
    assert re.findall(pattern, PROXY) == [expected]


def test_the_proxy_says_whose_request_it_is_and_keeps_connections_shorter_than_the_server() -> None:
    assert "X-Forwarded-For $remote_addr" in PROXY, "what a client writes there itself is replaced"
    assert "proxy_add_x_forwarded_for" not in PROXY
    (kept,) = re.findall(r"keepalive_timeout (\d+)s", PROXY)
    assert int(kept) < Settings.model_fields["idle_timeout_s"].default
    (body,) = re.findall(r"client_max_body_size (\d+)m", PROXY)
    assert int(body) << 20 >= Settings.model_fields["max_body_bytes"].default
    assert PROXY.count("{") == PROXY.count("}")
