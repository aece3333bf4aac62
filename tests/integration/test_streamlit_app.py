"""The example in Streamlit, as its users see it, over a real server of a small bundle."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bundles import make_bundle
from tests.support.server_processes import ROOT, command, get, post, server

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

testing = pytest.importorskip("streamlit.testing.v1", reason="Streamlit is not here: pip install '.[examples]'")
APP = ROOT / "examples" / "streamlit_app.py"
KEY = "sesame-5d1f"
NAMED = {"X-API-Key": KEY}
LINES = 80


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("shop")
    keys = folder / "keys.json"
    keys.write_text(
        json.dumps([{"name": "page", "sha256": hashlib.sha256(KEY.encode()).hexdigest(), "scopes": ["read"]}])
    )
    options = ["--bundle", str(make_bundle(folder)), "--port", "0", "--api-keys", str(keys)]
    with server(command(*options)) as (address, _):
        yield address


@pytest.fixture
def app(url: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("RECSYS_SERVER", url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # Streamlit puts the app in its place, and processes that other tests spawn would run the app.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    page: AppTest = testing.AppTest.from_file(APP, default_timeout=60)
    page.run()
    assert not page.exception
    return page


def opened(app: AppTest, *user_ids: str, key: str = KEY) -> AppTest:
    """With a key and users typed in."""
    app.text_input[1].set_value(key)
    app.text_area[0].set_value("\n".join(user_ids))
    app.run()
    assert not app.exception
    return app


def test_it_is_short() -> None:
    assert len(APP.read_text("utf8").splitlines()) < LINES


def test_several_users_get_tables_with_reasons(app: AppTest, url: str) -> None:
    opened(app, "user3", " user5", "")
    body = {"user_ids": ["user3", "user5"], "k": 10, "explain": "cheap"}
    answers = post(f"{url}/recommendations", body, **NAMED).json()["results"]
    lists, profile, similar = app.tabs
    assert [heading.value for heading in lists.subheader] == ["user3", "user5"]
    for shown, answer in zip(lists.dataframe, answers, strict=True):
        rows = shown.value.to_dict("records")
        assert [row["item_id"] for row in rows] == [item["item_id"] for item in answer["items"]]
        assert [row["why"] for row in rows] == [item["why"]["text"] for item in answer["items"]]
        assert [row["score"] for row in rows] == pytest.approx([item["score"] for item in answer["items"]], abs=1e-4)
    history = get(f"{url}/users/user3/profile", **NAMED).json()["history"]
    assert profile.dataframe[0].value["item_id"].tolist() == [row["item_id"] for row in history]
    first = answers[0]["items"][0]["item_id"]
    near = get(f"{url}/items/{first}/similar?k=10", **NAMED).json()["items"]
    assert similar.dataframe[0].value["item_id"].tolist() == [item["item_id"] for item in near]


def test_another_user_and_another_item_are_looked_at(app: AppTest, url: str) -> None:
    opened(app, "user3", "user5")
    item = last_of_first_list(app)
    choice(app, "User").set_value("user5")
    choice(app, "Item").set_value(item).run()
    history = get(f"{url}/users/user5/profile", **NAMED).json()["history"]
    assert app.tabs[1].dataframe[0].value["item_id"].tolist() == [row["item_id"] for row in history]
    near = get(f"{url}/items/{item}/similar?k=10", **NAMED).json()["items"]
    assert app.tabs[2].dataframe[0].value["item_id"].tolist() == [row["item_id"] for row in near]


def choice(app: AppTest, label: str) -> Any:
    (found,) = (box for box in app.selectbox if box.label == label)
    return found


def last_of_first_list(app: AppTest) -> str:
    return str(app.tabs[0].dataframe[0].value["item_id"].tolist()[-1])


def test_a_problem_is_shown_as_the_server_says_it(app: AppTest) -> None:
    assert "401 Unauthorized: this needs an API key" in app.error[0].value
    opened(app, "user3", key="wrong")
    assert "401 Unauthorized: no such API key" in app.error[0].value
    assert not app.tabs
    opened(app, "user3", "nobody")
    assert [info.value for info in app.info] == ["Popular items: unknown user"]
    assert not app.error
    choice(app, "User").set_value("nobody").run()
    assert "404 Not Found" in app.error[0].value
    assert app.tabs[0].dataframe, "the lists are there all the same"


def test_a_server_that_is_not_there_is_named(app: AppTest) -> None:
    app.text_input[0].set_value("http://127.0.0.1:1").run()
    assert app.error[0].value.startswith("http://127.0.0.1:1 gave no answer")
    assert not app.exception


def test_users_to_begin_with_are_named(app: AppTest, url: str) -> None:
    opened(app)
    users = get(f"{url}/users", **NAMED).json()["users"]
    assert app.dataframe[0].value["user_id"].tolist() == [user["user_id"] for user in users]


def test_the_example_needs_nothing_of_the_product() -> None:
    code = Path(APP).read_text("utf8")
    assert "recsys." not in code
    assert "import serve" not in code
