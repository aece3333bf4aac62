"""Explanations beside all else: limits, other threads, metrics, logs, keys, settings, live events, blurbs."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from fastapi.testclient import TestClient

from recsys.core.errors import ConfigError
from recsys.explain.explainer import Explainer
from recsys.explain.text.strings_file import FOLDER
from serve.app import create_app
from serve.explanations.queue import ExplanationQueue
from serve.explanations.schemas import ExplanationBody
from serve.explanations.service import ExplanationService
from serve.settings import Settings
from tests.support.bundles import make_bundle
from tests.support.holding import Held, held_calls
from tests.support.keys import entry
from tests.support.renaming import with_item_ids
from tests.support.serving import explain, get, refusal, running
from tests.support.waiting import TIMEOUT_S, eventually

Answer = dict[str, Any]
BODY = {"user_id": "user1", "item_id": "item101"}


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Holds every full explanation until told to go on."""
    with held_calls(monkeypatch, ExplanationService, "explained", lambda request: request.depth == "full") as held:
        yield held


def test_too_many_explanations_at_once(bundle_path: Path, held: Held) -> None:
    """Recommendations and cheap explanations do not wait for full ones."""
    computing, go_on = held
    with (
        running(bundle=bundle_path, store="none", max_explanations=2) as (client, _),
        ThreadPoolExecutor(2) as pool,
    ):
        under_way = [pool.submit(client.post, "/explanations", json=BODY) for _ in range(2)]
        assert computing.wait(TIMEOUT_S)
        eventually(lambda: "recsys_http_in_flight 2.0" in client.get("/metrics").text)
        response = client.post("/explanations", json=BODY)
        assert "too many requests are waiting" in refusal(response, 503)
        assert int(response.headers["retry-after"]) > 0
        assert explain(client, "item101", depth="cheap")["stage"] == "listed"
        assert get(client, "user1")["items"]
        go_on.set()
        assert [answered.result().status_code for answered in under_way] == [200, 200]
        assert explain(client, "item101")["stage"] == "listed"


def test_a_server_that_ends_computes_nothing_that_nobody_waits_for(bundle_path: Path, held: Held) -> None:
    computing, go_on = held
    request = ExplanationBody.model_validate(BODY).request(0.0)

    async def end_early(queue: ExplanationQueue) -> list[Any]:
        asked = [asyncio.create_task(queue.submit(request)) for _ in range(3)]
        await asyncio.to_thread(computing.wait, TIMEOUT_S)
        closing = asyncio.create_task(asyncio.to_thread(queue.close))
        _, waiting = await asyncio.wait(asked, timeout=TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        go_on.set()
        await closing
        assert waiting
        return await asyncio.gather(*asked, return_exceptions=True)

    with running(bundle=bundle_path, store="none") as (_, server):
        first, *queued = asyncio.run(end_early(server.explanations))
    assert first.stage == "listed"
    assert [type(left) for left in queued] == [asyncio.CancelledError] * 2


def said(answer: Answer) -> Answer:
    """What an answer says, without its times."""
    return {
        name: value for name, value in answer.items() if name not in ("recommendation_id", "generated_at", "timing")
    }


def test_together_with_recommendations_the_answers_are_those_of_each_alone(bundle_path: Path) -> None:
    users = [f"user{row}" for row in range(8)]
    with running(bundle=bundle_path, store="none", scoring_threads=2) as (client, _):

        def listed(user: str) -> Answer:
            return said(get(client, user))

        def batch(_: str) -> Answer:
            answers = client.post("/recommendations", json={"user_ids": [f"user{n}" for n in range(48)]}).json()
            return {"results": [said(answer) for answer in answers["results"]]}

        def full(user: str) -> Answer:
            return said(explain(client, "item101", user_id=user))

        def cheap(user: str) -> Answer:
            return said(explain(client, "item101", user_id=user, depth="cheap", exclude_seen="purchases"))

        questions = [(ask, user) for user in users for ask in (listed, full, cheap, batch)]
        alone = [ask(user) for ask, user in questions]
        with ThreadPoolExecutor(8) as pool:
            for _ in range(3):
                together = [pool.submit(ask, user) for ask, user in questions]
                assert [answer.result() for answer in together] == alone


def sample(client: TestClient, name: str) -> float:
    lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{name} ")]
    return float(lines[0].split()[-1]) if lines else 0.0


def test_explanations_are_counted(client: TestClient) -> None:
    names = [
        'recsys_explanations_total{depth="full",stage="listed"}',
        'recsys_explanations_total{depth="cheap",stage="forbidden"}',
        'recsys_explanation_seconds_count{depth="full"}',
        'recsys_explanation_seconds_count{depth="cheap"}',
        'recsys_explanation_texts_total{text_source="rule"}',
        'recsys_http_requests_total{method="POST",route="/explanations",status="200"}',
    ]
    before = [sample(client, name) for name in names]
    explain(client, "item101")
    explain(client, "item1", depth="cheap")
    client.post("/explanations", json={**BODY, "item_id": "nix"})
    client.get("/items/item3/blurb")
    after = [sample(client, name) for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1, 1, 3, 2]


def test_no_history_reaches_the_log(bundle_path: Path, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    with running(bundle=bundle_path, store="none", access_log=True, log_level="debug") as (client, _):
        explain(client, "item101")
        client.post("/explanations", json={"history": ["item21", "secret"], "item_id": "item101"})
        client.post("/explanations", json={"history": ["item21", "secret"], "item_id": "item101", "reference": "nix"})
        client.get("/items/by-id/blurb", params={"item_id": "secret"})
    logged = "".join(capfd.readouterr()) + caplog.text
    assert "POST /explanations 422" in logged
    assert "secret" not in logged
    assert "item21" not in logged


def test_explaining_needs_the_scope_read(bundle_path: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps([entry("reader"), entry("writer", "write")]))
    with running(bundle=bundle_path, store="none", api_keys=keys) as (client, _):
        for ask in (
            lambda **headers: client.post("/explanations", json=BODY, headers=headers),
            lambda **headers: client.get("/items/item3/blurb", headers=headers),
            lambda **headers: client.get("/items/by-id/blurb?item_id=item3", headers=headers),
        ):
            assert ask().status_code == 401
            assert "scope read" in refusal(ask(**{"X-API-Key": "writer"}), 403)
            assert ask(**{"X-API-Key": "reader"}).status_code == 200


def test_an_event_is_a_reason_at_once(bundle_path: Path, tmp_path: Path) -> None:
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path}/store.sqlite") as (client, _):
        before = explain(client, "item13", user_id="anna")
        assert (before["history"], before["user"]["known"]) == ([], False)
        for item_id, kind in (("item3", "view"), ("item23", "view"), ("item23", "purchase"), ("of-tomorrow", "view")):
            event = {"user_id": "anna", "item_id": item_id, "event_type": kind}
            assert client.post("/events", json=event).status_code == 200
        after = explain(client, get(client, "anna")["items"][0]["item_id"], user_id="anna")
        assert {(reason["item_id"], reason["action"]) for reason in after["history"]} == {
            ("item3", "view"),
            ("item23", "purchase"),
        }
        assert after["user"]["live_events"] == 4
        assert after["stage"] == "listed"
        told = {
            fact["action"]: fact["text"] for fact in after["facts"] if fact["unit"] == "title" and fact["strength"] > 0
        }
        assert told
        for action, text in told.items():
            assert {"view": "viewed", "purchase": "bought"}[action] in text
        as_of = explain(client, "item13", user_id="anna", as_of=time.time() - 3600)
        assert (as_of["history"], as_of["user"]["live_events"]) == ([], 0)


def test_sensitive_categories_are_named_nowhere_unasked(bundle_path: Path) -> None:
    with running(bundle=bundle_path, store="none", sensitive_categories="Group 1, Group 8") as (client, _):
        answer = explain(client, "item101", style="paragraph")
        asked = explain(client, "item101", style="paragraph", sensitive=True)
    hidden = [fact for fact in asked["facts"] if fact["sensitive"]]
    assert hidden
    assert answer["facts"] == [fact for fact in asked["facts"] if not fact["sensitive"]]
    assert answer["text"] == asked["text"]
    assert {fact["text"] for fact in hidden} == {None}
    for named in ("Group 1", "Group 8", "Thing 81,", "Thing 131,", "Thing 1,"):
        assert named not in " ".join([answer["text"], *asked["reasoning_factors"]])


@pytest.fixture
def own_strings(tmp_path: Path) -> Path:
    """English in a shop's own words, called Swedish."""
    strings = msgspec.json.decode((FOLDER / "en.json").read_bytes())
    strings["language"] = "sv"
    for wording in strings["facts"].values():
        wording["for"] = [f"Hej! {text}" for text in wording["for"]]
    path = tmp_path / "sv.json"
    path.write_bytes(msgspec.json.encode(strings))
    return path


def test_a_shop_tells_it_in_its_own_words(bundle_path: Path, own_strings: Path) -> None:
    settings = {"strings": own_strings, "language": "sv", "currency": "SEK"}
    with running(bundle=bundle_path, store="none", **settings) as (client, _):
        answer = explain(client, "item101")
        assert (answer["language"], answer["text"][:5]) == ("sv", "Hej! ")
        assert answer["reasoning_factors"][0].startswith("Hej! ")
        assert not explain(client, "item101", language="en")["reasoning_factors"][0].startswith("Hej! ")
        assert explain(client, "item101", language="sv_FI")["language"] == "sv_FI"
        listed = refusal(client.post("/explanations", json={**BODY, "language": "fr"}), 422)
        assert "sv" in listed


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"language": "xx"}, "a language with strings"),
        ({"currency": "Taler"}, "a currency of ISO 4217"),
        ({"strings": Path("nowhere.json")}, "strings of one language in nowhere.json"),
    ],
)
def test_settings_of_language_are_checked_at_the_start(settings: Answer, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_app(Settings(store="none", **settings))


def test_a_blurb_says_what_the_catalogue_says(client: TestClient) -> None:
    answer = client.get("/items/item13/blurb").json()
    assert (answer["item_id"], answer["title"]) == ("item13", "Thing 13, size 3")
    assert "Brand 3" in answer["text"]
    assert (answer["text_source"], answer["cached"], answer["language"]) == ("rule", False, "en")
    assert answer["bundle"] == get(client, "user1")["bundle"]
    assert client.get("/items/by-id/blurb?item_id=item13").json() == answer
    assert client.get("/items/item13/blurb?language=en_GB").json()["language"] == "en_GB"


@pytest.mark.parametrize("item_id", ["nix", "../../etc/passwd", "a/b", "🛒", "popular"])
def test_no_blurb_of_an_unknown_item(client: TestClient, item_id: str) -> None:
    for path in (f"/items/{quote(item_id, safe='')}/blurb", f"/items/by-id/blurb?item_id={quote(item_id)}"):
        assert "the catalogue holds no item" in refusal(client.get(path), 404)


def test_what_is_no_question_for_a_blurb(client: TestClient) -> None:
    assert "item_id: Field required" in refusal(client.get("/items/by-id/blurb"), 422)
    assert "language: expected" in refusal(client.get("/items/item3/blurb?language=xx"), 422)
    assert "style: Extra inputs" in refusal(client.get("/items/item3/blurb?style=sentence"), 422)


def test_blurbs_of_items_whose_ids_other_addresses_look_like(bundle_path: Path, tmp_path: Path) -> None:
    renamed = {3: "popular", 4: "by-id", 5: "item7/similar", 6: "item7/blurb", 8: ".."}
    renamed_path = with_item_ids(bundle_path, tmp_path, renamed)
    with running(bundle=renamed_path, store="none", verify="quick") as (client, _):
        for row, item_id in renamed.items():
            answer = client.get("/items/by-id/blurb", params={"item_id": item_id}).json()
            assert (answer["item_id"], answer["title"]) == (item_id, f"Thing {row}, size {row % 10}")
            assert client.get("/items/by-id", params={"item_id": item_id}).json()["item_id"] == item_id
            if item_id not in ("by-id", ".."):  # clients leave .. out of a path
                assert client.get(f"/items/{quote(item_id, safe='')}/blurb").json() == answer
            assert explain(client, item_id)["item"]["item_id"] == item_id


@pytest.mark.parametrize("parts", [{"ranker": False}, {"ratings": False}, {"ranker": False, "ratings": False}])
def test_a_bundle_of_fewer_parts_explains_its_lists(tmp_path: Path, parts: dict[str, bool]) -> None:
    with running(bundle=make_bundle(tmp_path, **parts), store="none") as (client, _):
        listed = get(client, "user1")["items"]
        for item in (listed[0], listed[-1]):
            answer = explain(client, item["item_id"])
            assert (answer["stage"], answer["rank"]) == ("listed", item["rank"])
            assert answer["score"] == pytest.approx(item["score"], abs=2e-6)
            total = sum(part["value"] for part in answer["contributions"])
            assert total == pytest.approx(answer["score"] - answer["reference"]["score"], abs=1e-4)
            assert answer["text"]
        stages = {explain(client, f"item{row}", depth="cheap")["stage"] for row in range(40)}
        assert stages >= {"forbidden", "unproposed"}
        assert explain(client, listed[0]["item_id"], user_id="nobody")["user"]["known"] is False


def test_lists_that_cannot_be_explained_are_served(bundle_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Explainer, "explain", broken)
    with running(bundle=bundle_path, store="none") as (client, _):
        assert get(client, "user1")["items"]
        assert "its log says why" in refusal(client.post("/explanations", json=BODY), 500)
        assert get(client, "user1")["items"]
