import json
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from tools import audit


def package(name: str, *vulnerabilities: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": list(vulnerabilities)}


def vulnerability(name: str, *aliases: str, mended: tuple[str, ...] = ("1.1",)) -> dict[str, Any]:
    return {"id": name, "aliases": list(aliases), "fix_versions": list(mended), "description": ""}


def answer(monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str = "") -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=stdout, stderr=stderr))


def test_a_vulnerable_package_fails_and_is_named(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    document = {"dependencies": [package("sound"), package("old", vulnerability("PYSEC-1", "CVE-1"))]}
    answer(monkeypatch, json.dumps(document))
    assert audit.main("requirements.txt") == 1
    assert "old 1.0: PYSEC-1, mended in 1.1" in capsys.readouterr().err


@pytest.mark.parametrize("ignored", ["PYSEC-1", "CVE-1"])
def test_an_ignored_vulnerability_does_not_fail(monkeypatch: pytest.MonkeyPatch, ignored: str) -> None:
    answer(monkeypatch, json.dumps({"dependencies": [package("old", vulnerability("PYSEC-1", "CVE-1"))]}))
    assert audit.main("requirements.txt", ignored) == 0


def test_packages_that_the_index_does_not_know_are_counted(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    document = {
        "dependencies": [package("sound"), {"name": "a", "skip_reason": "x"}, {"name": "b", "skip_reason": "x"}]
    }
    answer(monkeypatch, json.dumps(document))
    assert audit.main("requirements.txt") == 0
    assert capsys.readouterr().out.splitlines() == [
        "1 packages without known vulnerabilities.",
        "Not audited, since the index says nothing of them: 2 packages.",
    ]


def test_an_index_that_cannot_be_reached_is_told_of(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    answer(monkeypatch, "", "Traceback ...\nrequests.exceptions.ProxyError: Max retries exceeded")
    assert audit.main("requirements.txt") == 0
    assert capsys.readouterr().out.startswith("Not audited: the package index cannot be reached")


def test_a_broken_tool_is_no_silent_index(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    answer(monkeypatch, "", "No module named pip_audit")
    assert audit.main("requirements.txt") == 1
    assert "No module named pip_audit" in capsys.readouterr().err
