"""Explanations and blurbs over HTTP beside a language model: what readers see, what is kept, what it costs."""

import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from recsys.core.events import SECONDS_PER_DAY
from recsys.store import BlurbKey, Store
from serve.store import retention
from tests.support import language_models as moods
from tests.support.databases import patient
from tests.support.language_models import Mood, Provider, provider
from tests.support.live_items_over_http import patch
from tests.support.serving import explain, get, running
from tests.support.waiting import eventually

KEY = "sk-very-secret"


def settings_for(bundle: Path, played: Provider, **more: Any) -> dict[str, Any]:
    return {
        "bundle": bundle,
        "store": "none",
        "language_model": played.protocol,
        "language_model_url": played.url,
        "language_model_name": "m-1",
        "language_model_deadline_s": 60.0,
        **more,
    }


def first_item(client: TestClient) -> str:
    item_id: str = get(client, "user1")["items"][0]["item_id"]
    return item_id


def texts_of(answer: dict[str, Any]) -> tuple[str, list[str], str]:
    return answer["text"], answer["cites"], answer["text_source"]


@pytest.fixture(scope="module")
def by_rules(bundle_path: Path) -> dict[str, Any]:
    """The explanation of user1's first item without a language model."""
    with running(bundle=bundle_path, store="none") as (client, _):
        return explain(client, first_item(client), depth="cheap")


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
def test_a_good_provider_words_an_explanation(bundle_path: Path, protocol: str, by_rules: dict[str, Any]) -> None:
    with (
        provider(protocol, moods.chooses(1)) as played,
        running(**settings_for(bundle_path, played)) as (client, _),
    ):
        answer = explain(client, first_item(client), depth="cheap")
    assert answer["text_source"] == "llm"
    assert answer["guard"] == {"state": "passed", "reasons": []}
    assert answer["cites"] == by_rules["cites"]
    assert answer["text"] != by_rules["text"], "the second way to say the same"
    assert answer["facts"] == by_rules["facts"]


@pytest.mark.parametrize(
    ("mood", "deadline_s", "mode", "guard"),
    [
        (moods.keeps_waiting, 0.2, "restricted", {"state": "no_answer", "reasons": ["timed_out"]}),
        (moods.status(500), 60.0, "restricted", {"state": "no_answer", "reasons": ["unavailable"]}),
        (moods.hangs_up, 60.0, "free", {"state": "no_answer", "reasons": ["unreachable"]}),
        (moods.enormous, 60.0, "free", {"state": "no_answer", "reasons": ["too_large"]}),
        (moods.says("You will love it: {f1}."), 60.0, "restricted", {"state": "no_answer", "reasons": ["broken"]}),
        (moods.answers(lambda _: {"sentences": ["f0.0"]}), 60.0, "restricted", "unknown_choice"),
        (moods.says("Ignore the facts: it is free, {f1}."), 60.0, "free", "unknown_word"),
    ],
    ids=["slow", "failing", "absent", "endless", "schema ignored", "lying choice", "lying text"],
)
def test_readers_of_a_bad_provider_get_the_rules_text(
    bundle_path: Path, by_rules: dict[str, Any], mood: Mood, deadline_s: float, mode: str, guard: Any
) -> None:
    with provider("openai", mood) as played:
        more = {"language_model_deadline_s": deadline_s, "language_model_mode": mode}
        with running(**settings_for(bundle_path, played, **more)) as (client, _):
            answer = explain(client, first_item(client), depth="cheap")
            assert not played.released.is_set(), "nobody waited for the provider"
    assert texts_of(answer) == texts_of(by_rules)
    if isinstance(guard, str):
        assert answer["guard"]["state"] == "refused"
        assert guard in answer["guard"]["reasons"]
    else:
        assert answer["guard"] == guard


def test_why_an_item_is_not_in_a_list_is_told_by_rules(bundle_path: Path) -> None:
    with provider("openai", moods.chooses()) as played, running(**settings_for(bundle_path, played)) as (client, _):
        listed = {item["item_id"] for item in get(client, "user1")["items"]}
        absent = next(f"item{n}" for n in range(200) if f"item{n}" not in listed)
        answer = explain(client, absent, depth="cheap")
    assert (answer["text_source"], answer["guard"]["state"], played.calls) == ("rule", "not_asked", [])


@pytest.mark.parametrize("mood", [moods.status(401), moods.sends_back], ids=["refused", "sent back"])
def test_the_key_is_nowhere_to_be_seen(
    bundle_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, mood: Mood
) -> None:
    monkeypatch.setenv("LANGUAGE_MODEL_API_KEY", KEY)
    caplog.set_level("DEBUG")
    with (
        provider("openai", mood) as played,
        running(**settings_for(bundle_path, played)) as (client, _),
    ):
        explain(client, first_item(client), depth="cheap")
        shown = [client.get(path).text for path in ("/config", "/metrics", "/health", "/openapi.json")]
    assert played.calls[0][1]["authorization"] == f"Bearer {KEY}"
    told = [record.getMessage() for record in caplog.records if record.name.startswith("serve")]  # others stay silent
    assert any("The language model wrote no text" in line for line in told)
    assert not any(KEY in text for text in (*shown, *told))


# Blurbs


def blurb(client: TestClient, item_id: str = "item13") -> dict[str, Any]:
    response = client.get(f"/items/{item_id}/blurb")
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_a_blurb_is_written_once_and_kept_in_the_store(bundle_path: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with provider("openai", moods.chooses()) as played:
        settings = settings_for(bundle_path, played, store=url)
        with running(**settings) as (client, _):
            first, again = blurb(client), blurb(client)
            with patient(url) as store:
                eventually(lambda: len(store.latest_blurbs(9)) == 1)
        with running(**settings) as (client, _):  # another process would find it, too
            later = blurb(client)
        assert [answer["cached"] for answer in (first, again, later)] == [False, True, True]
        assert {(answer["text"], answer["text_source"]) for answer in (first, again, later)} == {(first["text"], "llm")}
        assert len(played.calls) == 1
        with running(**{**settings, "language_model_name": "m-2"}) as (client, _):
            assert blurb(client)["cached"] is False, "another model writes anew"
    assert first["text"]


def test_a_blurb_of_an_item_that_the_shop_describes_anew_is_written_anew(bundle_path: Path, tmp_path: Path) -> None:
    store = {"store": f"sqlite:///{tmp_path}/store.sqlite", "live_items_poll_s": 0.05}
    with provider("openai", moods.chooses()) as played:
        settings = {**settings_for(bundle_path, played), **store}
        with running(**settings) as (client, _):
            assert [blurb(client)["cached"] for _ in range(2)] == [False, True]
            item_id = blurb(client)["item_id"]
            patch(client, item_id, {"stock": 3})
            assert blurb(client)["cached"] is True, "stock is nothing that it tells of"
            patch(client, item_id, {"brand": "Another"})
            assert [blurb(client)["cached"] for _ in range(2)] == [False, True]


@pytest.mark.parametrize(
    ("setting", "gone"), [({"sensitive_categories": "Group 3"}, "Group 3"), ({"currency": "EUR"}, "$")]
)
def test_a_kept_blurb_tells_nothing_that_settings_forbid_since(
    bundle_path: Path, tmp_path: Path, setting: dict[str, str], gone: str
) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with provider("openai", moods.answers(lambda listed: {"sentences": [f"f{n}.0" for n in (2, 3)]})) as played:
        settings = settings_for(bundle_path, played, store=url, currency="USD")
        with running(**settings) as (client, _):
            assert gone in blurb(client)["text"]
            with patient(url) as store:
                eventually(lambda: len(store.latest_blurbs(9)) == 1)
        with running(**{**settings, **setting}) as (client, _):
            answer = blurb(client)
    assert (answer["cached"], gone in answer["text"]) == (False, False)


def test_without_a_store_a_process_keeps_its_own(bundle_path: Path) -> None:
    with provider("openai", moods.chooses()) as played, running(**settings_for(bundle_path, played)) as (client, _):
        assert [blurb(client)["cached"] for _ in range(3)] == [False, True, True]
    assert len(played.calls) == 1


def test_a_blurb_that_the_guard_refuses_is_the_rules_and_is_not_kept(bundle_path: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with running(bundle=bundle_path, store="none") as (client, _):
        expected = blurb(client)
    lie = moods.says("It is the best of all, by {f1}.")
    with provider("openai", lie) as played:
        more = {"store": url, "language_model_mode": "free"}
        with running(**settings_for(bundle_path, played, **more)) as (client, _):
            answers = [blurb(client) for _ in range(2)]
    assert answers == [expected, expected]
    assert (expected["text_source"], expected["cached"]) == ("rule", False)
    with patient(url) as store:
        assert store.latest_blurbs(9) == []


def test_a_store_that_goes_away_costs_no_blurb(bundle_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with provider("openai", moods.chooses()) as played:
        settings = settings_for(bundle_path, played, store=f"sqlite:///{path}")
        with running(**settings) as (client, server):
            for file in tmp_path.glob("store.sqlite*"):
                file.unlink()
            path.mkdir()  # what is there now can be no store
            link = server.parts.link
            eventually(lambda: link is not None and not link.reachable)
            assert blurb(client)["text_source"] == "llm"
            assert blurb(client)["cached"] is True


def test_old_blurbs_are_removed(bundle_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_S", "INTERVAL_S", "PAUSE_S"):
        monkeypatch.setattr(retention, name, 0.01)
    url, now = f"sqlite:///{tmp_path}/store.sqlite", time.time()

    def kept(store: Store) -> list[bool]:
        return [store.blurb(BlurbKey(str(days), "v", "p", "en")) is not None for days in (40, 20, 0)]

    with patient(url) as store:
        store.upgrade()
        for days in (40, 20, 0):
            store.keep_blurb(BlurbKey(str(days), "v", "p", "en"), "text", now - days * SECONDS_PER_DAY)
        with running(bundle=bundle_path, store=url):
            eventually(lambda: kept(store) == [False, True, True])
