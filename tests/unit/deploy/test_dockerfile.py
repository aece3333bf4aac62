"""What the Dockerfile promises, read from it: hadolint's rules, and those of our own."""

from __future__ import annotations

import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest

from serve.settings import Settings
from tests.support.dockerfiles import ROOT, read_dockerfile

ARGUMENTS, STAGES = read_dockerfile()
IMAGES = ("serve", "train")


def test_hadolint_finds_nothing() -> None:
    program = Path(sysconfig.get_path("scripts")) / "hadolint"
    found = subprocess.run([program, "--no-fail", ROOT / "Dockerfile"], check=True, capture_output=True, text=True)
    assert found.stdout == ""


def test_hadolint_would_find_something(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM debian:latest\nRUN sudo cd /tmp\nCMD python\n")
    program = Path(sysconfig.get_path("scripts")) / "hadolint"
    found = subprocess.run([program, "--no-fail", bad], check=True, capture_output=True, text=True)
    assert "DL3007" in found.stdout


def test_the_base_image_is_a_version_that_the_package_supports() -> None:
    (name,) = ARGUMENTS.values()
    version = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-\w+", name)
    assert version
    required = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["requires-python"]
    assert required == ">=3.11,<3.13"
    assert version.group(1) in ("3.11", "3.12")


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_runs_as_a_numbered_user_by_the_exec_form(name: str) -> None:
    stage = STAGES[name]
    user = stage.named("USER")[-1].value
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user), "Kubernetes can tell that it is not root by a number alone"
    (entrypoint,) = stage.named("ENTRYPOINT")
    assert entrypoint.value.startswith("["), "a shell would not pass signals on"
    assert {"org.opencontainers.image.title", "org.opencontainers.image.version"} <= stage.pairs("LABEL").keys()
    assert stage.instructions.index(stage.named("USER")[-1]) > max(
        stage.instructions.index(step) for step in (*stage.named("RUN"), *stage.named("COPY"))
    ), "programs belong to root"


def test_the_server_stops_at_sigterm_and_is_asked_for_its_health_without_a_shell() -> None:
    stage = STAGES["serve"]
    assert [step.value for step in stage.named("STOPSIGNAL")] == ["SIGTERM"]
    (health,) = stage.named("HEALTHCHECK")
    assert health.value.startswith("CMD [")
    assert "curl" not in health.value


def test_variables_of_the_server_are_settings_and_leave_it_closed() -> None:
    given = STAGES["serve"].pairs("ENV")
    names = {name.removeprefix("RECSYS_").lower() for name in given if name.startswith("RECSYS_")}
    assert names <= Settings.model_fields.keys()
    assert not names & {"open", "api_keys"}, "whoever runs it decides"
    assert int(given["RECSYS_PORT"]) == int(STAGES["serve"].named("EXPOSE")[0].value)


def test_loops_are_looked_for_where_they_were_compiled_and_for_the_same_processor() -> None:
    for name in "NUMBA_CACHE_DIR", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "PATH":
        assert STAGES["serve"].pairs("ENV")[name] == STAGES["compiled"].pairs("ENV")[name], name
    assert STAGES["serve"].pairs("ARG")["CPU"] == STAGES["compiled"].pairs("ARG")["CPU"]


def test_the_build_tool_is_the_pinned_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))
    (tool,) = project["build-system"]["requires"]
    assert any(tool in step.value for step in STAGES["wheel"].named("RUN"))


def test_what_is_copied_is_sent_to_a_build_and_nothing_else_is() -> None:
    """.dockerignore leaves everything out but what it names again."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source
        for stage in STAGES.values()
        for step in stage.named("COPY")
        if not step.flag("from")
        for source in step.words[:-1]
    }
    assert copied == let_in - {"Dockerfile"}
    assert all((ROOT / name).exists() for name in copied)
    assert not any(name.split("/")[0] in ("data", "saved_model", ".git", "deploy", "tests") for name in let_in)


def test_everything_that_a_wheel_is_built_from_is_copied_to_where_it_is_built() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], "pyproject.toml", project["project"]["readme"]}
    copied = {source for step in STAGES["wheel"].named("COPY") for source in step.words[:-1]}
    assert needed <= copied
