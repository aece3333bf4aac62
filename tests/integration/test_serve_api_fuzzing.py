"""Schemathesis over the whole API of a running server: what its description promises holds for whatever is sent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

from serve.app import create_app
from serve.settings import Settings
from tests.support.bundles import make_bundle
from tests.support.server_processes import logged_server

SOME = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
MANY = settings(SOME, max_examples=400, derandomize=False)

# What one part of a request demands of another, or of the server's state, no schema can say.
BEYOND_THE_DESCRIPTION = (
    "min_price must not exceed max_price",
    "cursor: pass a cursor on as it came",
    "model: expected one of",
    "language: expected",
    "reference: ",
    "expected a time such as",
    "timestamp must not lie more than a day ahead",
    "an event of type rating needs a rating",
    "an event of type explanation_feedback needs a value",
    "has no value, one of type explanation_feedback alone has",
    "has no rating, price or quantity",
    "expected a rating from",
    # What conditions say is a language of its own, and what they name depends on the bundle.
    "where, line",
    "when, line",
    "action.by: ",
    "needs where",
    "valid_from must be before valid_to",
    "since: expected a time before until",
    "days before until, got",
    "each rule needs an id of its own",
    "query parameters at most",  # of all together
    # Attributes are the catalogue's.
    "there is no such field",
    "the item is named twice",
    "an item that is deleted has no fields",
    "there is no item",
    # What belongs together of an experiment.
    "expected variants of different names",
    "expected guardrails of different metrics",
    "of an interleaved experiment, got",
    "expected teams ",
    "give visitor_id with history alone",
    "explanation_feedback alone has",
    # It sends headers that do not fit the pattern that they are described by.
    "if-match: String should match",
    "if-none-match: String should match",
)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "log"


@pytest.fixture(scope="module")
def url(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    bundle = make_bundle(tmp_path_factory.mktemp("saved_model"), name="shop")
    store = f"sqlite:///{tmp_path_factory.mktemp('store')}/store.sqlite"
    options = ("--bundle", str(bundle), "--port", "0", "--store", store, "--index-items", "true")
    with logged_server(log, *options) as (url, _):
        yield url
        assert "met a bug" not in log.read_text()
        assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False  # no proxy between here and here
        yield session


# The description is the same for every bundle; no server runs for it.
schema = schemathesis.openapi.from_dict(create_app(Settings(store="none")).openapi())


@schema.parametrize()
@SOME
def test_the_api_keeps_its_description(case: schemathesis.Case, url: str, session: requests.Session) -> None:
    check(case, url, session)


@pytest.mark.slow
@schema.parametrize()
@MANY
def test_the_api_keeps_its_description_at_length(case: schemathesis.Case, url: str, session: requests.Session) -> None:
    check(case, url, session)


def check(case: schemathesis.Case, url: str, session: requests.Session) -> None:
    """Status, headers and body are those described; nothing that does not fit is accepted, nothing fails."""
    response = case.call(base_url=url, session=session)
    related = response.status_code == 412 or (
        response.status_code == 422 and any(rule in response.json()["detail"] for rule in BEYOND_THE_DESCRIPTION)
    )
    excluded: list[Any] = [CHECKS.get_one("positive_data_acceptance")] if related else []
    if response.status_code == 414:  # refused for its length, before anything else is looked at
        excluded.append(CHECKS.get_one("negative_data_rejection"))
    case.validate_response(response, excluded_checks=excluded)
    assert response.status_code < 500
    assert "Traceback" not in response.text
    if response.status_code >= 400:
        assert response.json()["status"] == response.status_code
