"""The examples for schedulers are what cron, systemd and Kubernetes read, and know our exit codes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from recsys.cli.app import app
from recsys.core.errors import BundleError, ConfigError, DataError, TrainingError
from recsys.retrain.lock import UNDER_WAY
from recsys.retrain.run import KEPT
from recsys.store import StoreError

EXAMPLES = Path(__file__).parents[3] / "examples/scheduling"
NOT_AGAIN = [error.exit_code for error in (ConfigError, DataError, TrainingError, BundleError, StoreError)]


def as_run(script: str, tmp_path: Path, code: int) -> subprocess.CompletedProcess[str]:
    """Run a shell script in whose place of `recsys` something ends with `code`."""
    program = tmp_path / "recsys"
    program.write_text(f"#!/bin/sh\necho '{{}}'\necho said >&2\nexit {code}\n")
    program.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=False,
    )


def crontab() -> tuple[list[str], str]:
    """The fields of the one job, and its command."""
    lines = (EXAMPLES / "crontab").read_text().splitlines()
    (job,) = [line for line in lines if line and not line.startswith("#") and not re.match(r"\w+=", line)]
    *fields, command = job.split(maxsplit=5)
    return fields, command


def test_the_fields_of_the_crontab_are_in_range() -> None:
    fields, command = crontab()
    most = (59, 23, 31, 12, 7)
    assert len(fields) == 5
    for field, bound in zip(fields, most, strict=True):
        assert field == "*" or 0 <= int(field) <= bound
    assert "%" not in command, "cron makes a line break of it"


@pytest.mark.parametrize(("code", "mailed"), [(0, False), (UNDER_WAY, False), (KEPT, True), (4, True), (137, True)])
def test_cron_mails_what_somebody_should_know(tmp_path: Path, code: int, mailed: bool) -> None:
    _, command = crontab()
    (tmp_path / "data").mkdir()
    script = command.replace("cd /srv/shop", f"cd {tmp_path}").replace(".venv/bin/recsys", "recsys")
    ended = as_run(script, tmp_path, code)
    assert bool(ended.stderr) == mailed
    assert not ended.stdout
    if mailed:
        assert f"exit code {code}" in ended.stderr
        assert "said" in ended.stderr
    assert (tmp_path / "data/retrain.jsonl").read_text() == "{}\n"


def test_systemd_takes_a_refusal_for_success() -> None:
    unit = (EXAMPLES / "recsys-retrain.service").read_text()
    assert f"SuccessExitStatus={KEPT} {UNDER_WAY}\n" in unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    """As they are, but for the program and the user, which this machine does not have."""
    for path in EXAMPLES.glob("recsys-retrain.*"):
        text = path.read_text().replace("/srv/shop/.venv/bin/recsys", "/bin/true").replace("User=shop\n", "")
        (tmp_path / path.name).write_text(text)
    units = sorted(map(str, tmp_path.iterdir()))
    ended = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    ours = [line for line in ended.stderr.splitlines() if "recsys-retrain" in line]
    assert not ours, ended.stderr


def cronjob() -> dict[str, Any]:
    (manifest,) = yaml.safe_load_all((EXAMPLES / "cronjob.yaml").read_text())
    return manifest


def test_kubernetes_runs_one_at_a_time_and_repeats_what_was_killed_alone() -> None:
    manifest = cronjob()
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "CronJob")
    spec = manifest["spec"]
    assert (spec["concurrencyPolicy"], len(spec["schedule"].split())) == ("Forbid", 5)
    job = spec["jobTemplate"]["spec"]
    on_codes, on_conditions = job["podFailurePolicy"]["rules"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert on_codes["onExitCodes"] == {"containerName": container["name"], "operator": "In", "values": NOT_AGAIN}
    assert (on_codes["action"], on_conditions["action"]) == ("FailJob", "Ignore")
    assert pod["restartPolicy"] == "Never", "a policy for failures asks for it"
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize(("code", "shown"), [(0, 0), (KEPT, 0), (UNDER_WAY, 0), (3, 3), (137, 137)])
def test_kubernetes_sees_no_failure_in_a_refusal(tmp_path: Path, code: int, shown: int) -> None:
    (container,) = cronjob()["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["/bin/sh", "-c"]
    (script,) = container["args"]
    assert as_run(script, tmp_path, code).returncode == shown


def test_help_names_the_exit_codes() -> None:
    for text in (app.info.epilog, next(c.epilog for c in app.registered_commands if c.callback.__name__ == "retrain")):
        assert {str(KEPT), str(UNDER_WAY), *map(str, NOT_AGAIN), "7"} <= set(re.findall(r"\d+", str(text)))
