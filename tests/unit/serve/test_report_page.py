"""The evaluation's page, served only for the version that it is of."""

import os
from pathlib import Path
from typing import Any

import pytest

from recsys.bundle import Bundle
from tests.support.keys import entry, write_keys
from tests.support.serving import refusal, running

PAGE = '<!doctype html>\n<html lang="en">\n<head>\n<meta name="bundle-version" content="{}">\n</head>é</html>'


def asked(bundle_path: Path, **settings: object) -> Any:
    with running(bundle=bundle_path, store="none", **settings) as (client, _):
        return client.get("/report")


@pytest.mark.parametrize("named", ["folder", "page"])
def test_the_page_of_the_version_that_answers(bundle_path: Path, bundle: Bundle, tmp_path: Path, named: str) -> None:
    path = tmp_path / "report.html"
    path.write_text(PAGE.format(bundle.version), "utf8")
    response = asked(bundle_path, report=tmp_path if named == "folder" else path)
    assert response.status_code == 200
    assert response.content == path.read_bytes()
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    policy = dict(part.split(maxsplit=1) for part in response.headers["content-security-policy"].split("; ")[:-1])
    assert response.headers["content-security-policy"].endswith("; sandbox")  # which allows nothing: no script runs
    assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'self'")


def test_without_a_setting_it_is_where_the_evaluation_writes_it(
    bundle_path: Path, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle_path = bundle_path.absolute()
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data" / "reports" / bundle.name
    folder.mkdir(parents=True)
    (folder / "report.html").write_text(PAGE.format(bundle.version))
    assert asked(bundle_path).status_code == 200


@pytest.mark.parametrize("content", [None, "", "<html></html>", PAGE.format("earlier"), PAGE.format('"><script>')])
def test_no_page_of_this_version_is_not_found(bundle_path: Path, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "report.html").write_text(content)
    detail = refusal(asked(bundle_path, report=tmp_path), 404)
    assert "evaluate.py" in detail
    assert ("version earlier" in detail) == (content == PAGE.format("earlier"))
    assert str(tmp_path) not in detail


def test_a_pipe_in_its_place_holds_nobody_up(bundle_path: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "report.html")
    refusal(asked(bundle_path, report=tmp_path), 404)


def test_it_takes_the_scope_read(bundle_path: Path, tmp_path: Path) -> None:
    write_keys(tmp_path / "keys.json", entry("reader", "read"), entry("writer", "write"))
    with running(bundle=bundle_path, store="none", api_keys=tmp_path / "keys.json", report=tmp_path) as (client, _):
        refusal(client.get("/report"), 401)
        refusal(client.get("/report", headers={"X-API-Key": "writer"}), 403)
        refusal(client.get("/report", headers={"X-API-Key": "reader"}), 404)
