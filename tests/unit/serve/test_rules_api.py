"""The shop's rules over HTTP: what is kept, what is refused, who may, and what a preview says."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serve.errors import OverloadedError
from serve.histories.user_histories import UserHistories
from serve.rules.queue import PreviewQueue
from serve.rules.schemas import PreviewBody
from tests.support.holding import held_calls
from tests.support.keys import entry, write_keys
from tests.support.rules_over_http import hide, listed, put, rules
from tests.support.serving import Answer, refusal, running
from tests.support.waiting import TIMEOUT_S

CAP = {"action": {"type": "cap", "by": "brand", "most": 2}}


@pytest.fixture
def shop(bundle_path: Path, tmp_path: Path) -> Iterator[TestClient]:
    """A shop without rules."""
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path}/store.sqlite") as (client, _):
        yield client


def preview(client: TestClient, **body: Any) -> Answer:
    response = client.post("/rules/preview", json=body)
    assert response.status_code == 200, response.text
    answer: Answer = response.json()
    return answer


# Kept, changed, deleted


def test_a_rule_holds_from_its_answer_on_until_it_is_deleted(shop: TestClient) -> None:
    before = listed(shop)
    answer = put(shop, "recalled", hide(f'item.id == "{before[0]}"', note="a nail in it"))
    assert (answer["done"], answer["version"], answer["findings"]) == ("created", 1, [])
    assert before[0] not in listed(shop)
    assert listed(shop)[: len(before) - 1] == before[1:]
    assert shop.delete("/rules/recalled").json() == {"id": "recalled", "version": 2}
    assert listed(shop) == before


def test_what_is_answered_can_be_put_again(shop: TestClient) -> None:
    terms = {
        **hide('item.brand == "Brand 1"', when='context.country == "DE"', scenario="home", priority=3),
        "valid_from": "2024-12-01T00:00:00+01:00",
        "enabled": False,
        "note": "ein „Test“ 😀",
    }
    put(shop, "r.1-a_B", terms)
    read = shop.get("/rules/r.1-a_B")
    row = read.json()["rule"]
    assert row["terms"] == terms
    assert (row["origin"], row["version"], row["updated_by"], row["fault"]) == ("store", 1, None, None)
    again = put(shop, "r.1-a_B", row["terms"])
    assert (again["done"], again["version"], again["rule"]) == ("nothing", 1, row)
    assert rules(shop) == {"r.1-a_B": row}


def test_times_and_switches_say_whether_a_rule_acts(shop: TestClient) -> None:
    everything = 'item.brand == "Brand 1"'
    put(shop, "off", hide(everything, enabled=False))
    put(shop, "past", hide(everything, valid_to="2020-01-01T00:00:00Z"))
    put(shop, "future", hide(everything, valid_from="2200-01-01T00:00:00Z"))
    before = listed(shop)
    put(shop, "now", hide(everything, valid_from="2020-01-01T00:00:00Z", valid_to="2200-01-01T00:00:00Z"))
    states = {name: rule["state"] for name, rule in rules(shop).items()}
    assert states == {"off": "disabled", "past": "expired", "future": "not_yet", "now": "active"}
    assert set(before) - set(listed(shop)), "the last one acts"


def test_a_rule_is_changed_as_the_one_that_was_read(shop: TestClient) -> None:
    url, other = "/rules/a", hide('item.id == "item2"')
    put(shop, "a", hide('item.id == "item1"'), **{"If-None-Match": "*"})
    etag = shop.get(url).headers["ETag"]
    assert etag == '"1"'
    assert "that does not exist" in refusal(shop.put(url, json=other, headers={"If-None-Match": "*"}), 412)
    assert shop.put(url, json=other, headers={"If-Match": etag}).headers["ETag"] == '"2"'
    assert "of version 1, got one of version 2" in refusal(shop.put(url, json=CAP, headers={"If-Match": etag}), 412)
    refusal(shop.delete(url, headers={"If-Match": etag}), 412)
    refusal(shop.put(url, json=other, headers={"If-Match": "2"}), 422)
    assert rules(shop)["a"]["terms"] == other
    assert shop.delete(url, headers={"If-Match": '"2"'}).status_code == 200
    refusal(shop.put(url, json=other, headers={"If-Match": '"2"'}), 412)


def test_every_change_is_told_page_by_page(shop: TestClient) -> None:
    first, second = hide('item.id == "item1"'), hide('item.id == "item2"')
    put(shop, "a", first)
    put(shop, "b", CAP)
    put(shop, "a", second)
    shop.delete("/rules/a")
    page = shop.get("/rule-changes", params={"limit": 3}).json()
    told = [(change["version"], change["rule_id"], change["action"]) for change in page["changes"]]
    assert told == [(4, "a", "deleted"), (3, "a", "replaced"), (2, "b", "created")]
    assert [(change["before"], change["after"]) for change in page["changes"]] == [
        (second, None),
        (first, second),
        (None, CAP),
    ]
    rest = shop.get("/rule-changes", params={"cursor": page["next_cursor"]}).json()
    assert ([change["version"] for change in rest["changes"]], rest["next_cursor"]) == ([1], None)
    of_b = shop.get("/rule-changes", params={"rule_id": "b"}).json()
    assert [change["version"] for change in of_b["changes"]] == [2]
    assert "cursor" in refusal(shop.get("/rule-changes", params={"cursor": "x"}), 422)


def test_there_are_not_more_than_the_settings_allow(bundle_path: Path, tmp_path: Path) -> None:
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path}/s.sqlite", max_rules=1) as (client, _):
        put(client, "a", CAP)
        assert "expected 1 rules at most, got 2" in refusal(client.put("/rules/b", json=CAP), 409)
        put(client, "a", hide('item.id == "item1"'))


def test_what_is_not_there_is_told(client: TestClient) -> None:
    assert "no rule 'none'" in refusal(client.get("/rules/none"), 404)
    assert "no rule 'none'" in refusal(client.delete("/rules/none"), 404)


# Refused


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (hide("item.brand == = 1"), ["where, line 1, column 15"]),
        (hide('item.price > 1 &&\n item.colour == "red"'), ["where, line 2, column 2", "item.colour", "item.brand"]),
        (hide('item.brand == "a"', when="user.height > 2"), ["when, line 1, column 1", "user.segment"]),
        (hide("item.brand > 5"), ["where, line 1, column 14", "a text with a number"]),
        (hide('item.price == "5"'), ["where, line 1"]),
        (hide("item.brand"), ["where, line 1"]),
        ({"action": {"type": "cap", "by": "seller", "most": 2}}, ["action.by", "seller", "brand, category"]),
    ],
)
def test_what_the_bundle_cannot_follow_is_refused_with_its_place(
    client: TestClient, terms: dict[str, Any], said: list[str]
) -> None:
    detail = refusal(client.put("/rules/a", json=terms), 422)
    for part in said:
        assert part in detail
    assert rules(client) == {}


def test_what_the_bundle_cannot_follow_can_be_switched_off(shop: TestClient) -> None:
    off, on = hide('item.colour == "red"', enabled=False), hide('item.colour == "red"')
    assert "item.colour" in refusal(shop.put("/rules/a", json=off), 422), "a new one is read before it is needed"
    put(shop, "a", hide("item.price < 0"))
    put(shop, "a", off)
    assert rules(shop)["a"]["state"] == "disabled"
    assert "item.colour" in refusal(shop.put("/rules/a", json=on), 422)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"action": {"type": "hide"}}, "request: hide needs where"),
        ({"action": {"type": "pin", "slot": 1}}, "pin needs where"),
        (hide("true", valid_from="2024-01-02T00:00:00Z", valid_to="2024-01-02T00:00:00Z"), "before valid_to"),
        (hide("true", valid_from="2024-01-02T00:00:00"), "00:00:00Z (got '2024-01-02T00:00:00')"),
        (hide("true", valid_from=1_700_000_000), "valid_from"),
        (hide("true", id="a"), "id"),
        (hide("true", enabled="yes"), "enabled"),
        (hide("x" * 2001), "where"),
        ({"action": {"type": "explode"}}, "action"),
        ({"action": {"type": "boost", "by": 3.5}, "where": "true"}, "by"),
        ({"action": {"type": "boost", "by": "1"}, "where": "true"}, "by"),
        ({"action": {"type": "cap", "by": "brand", "most": 1.5}}, "most"),
        ([], "request"),
    ],
)
def test_what_is_no_rule_is_refused(client: TestClient, terms: Any, said: str) -> None:
    assert said in refusal(client.put("/rules/a", json=terms), 422)


@pytest.mark.parametrize("rule_id", ["a%20b", ".a", "-a", "%C3%A9", "a" * 101, "a%0A", "a%00", "a%22", "a+b"])
def test_odd_ids_are_refused(client: TestClient, rule_id: str) -> None:
    for response in (
        client.put(f"/rules/{rule_id}", json=CAP),
        client.get(f"/rules/{rule_id}"),
        client.delete(f"/rules/{rule_id}"),
    ):
        assert "rule_id" in refusal(response, 422)


def test_a_rule_that_another_contradicts_is_kept_and_told(shop: TestClient) -> None:
    put(shop, "hide-brand", hide('item.brand == "Brand 1"'))
    answer = put(shop, "pin-brand", {"action": {"type": "pin", "slot": 1}, "where": 'item.brand == "Brand 1"'})
    (finding,) = [finding for finding in answer["findings"] if finding["problem"] == "contradiction"]
    assert set(finding["rules"]) == {"hide-brand", "pin-brand"}
    assert finding["remedy"]
    assert rules(shop)["pin-brand"]["state"] == "active"
    unconcerned = put(shop, "cap", CAP)
    assert unconcerned["findings"] == []


# Who may


def test_rules_are_read_by_all_and_changed_by_who_runs_the_server(bundle_path: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    write_keys(keys, entry("reader"), entry("writer", "read", "write"), entry("boss", "read", "admin"))
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path}/s.sqlite", api_keys=keys) as (client, _):
        reader, writer, boss = ({"X-API-Key": name} for name in ("reader", "writer", "boss"))
        for stranger in ({}, {"X-API-Key": "none such"}):
            for method, path in (
                ("GET", "/rules"),
                ("PUT", "/rules/a"),
                ("DELETE", "/rules/a"),
                ("POST", "/rules/preview"),
                ("GET", "/rule-changes"),
            ):
                refusal(client.request(method, path, headers=stranger), 401)
        for key in (reader, writer):
            assert "admin" in refusal(client.put("/rules/a", json=CAP, headers=key), 403)
            assert "admin" in refusal(client.delete("/rules/a", headers=key), 403)
        assert rules(client, **reader) == {}
        put(client, "a", CAP, **boss)
        assert rules(client, **reader)["a"]["updated_by"] == "boss"
        assert client.get("/rules/a", headers=reader).status_code == 200
        assert client.post("/rules/preview", json={"sample": 2}, headers=reader).status_code == 200
        assert client.delete("/rules/a", headers=boss).status_code == 200
        (gone, made) = client.get("/rule-changes", headers=reader).json()["changes"]
        assert (gone["who"], made["who"]) == ("boss", "boss")


def test_a_browser_may_change_rules_where_its_origin_may_call(bundle_path: Path) -> None:
    with running(bundle=bundle_path, store="none", cors_origins="https://shop.example") as (client, _):
        asked = {
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "If-Match, X-API-Key",
        }
        assert client.options("/rules/a", headers=asked).status_code == 200


# Preview


def test_a_preview_shows_lists_before_and_after_and_keeps_nothing(client: TestClient) -> None:
    before = listed(client)
    tried = {"id": "try", **hide(f'item.id == "{before[0]}"')}
    answer = preview(client, user_ids=["user1"], rules=[tried])
    (lists,) = answer["lists"]
    assert [item["item_id"] for item in lists["before"]] == before
    assert [item["item_id"] for item in lists["after"]][:-1] == before[1:]
    assert lists["after"][0]["rank_before"] == 1, "hiding arranges nothing: it was the first of what may be listed"
    assert (answer["users"], answer["lists_changed"]) == (1, 1)
    assert answer["parts"] == [
        {"rule": "try", "active": 1, "lists_changed": 1, "items_in": 1, "items_out": 1, "rank_change": 1.0}
    ]
    assert answer["findings"] == []
    assert rules(client) == {}
    assert listed(client) == before


def test_rules_are_tried_beside_those_in_force_or_alone(shop: TestClient) -> None:
    first, second = listed(shop)[:2]
    put(shop, "kept", hide(f'item.id == "{first}"'))
    tried = {"id": "try", **hide(f'item.id == "{second}"')}

    def parts(**body: Any) -> list[str]:
        return [part["rule"] for part in preview(shop, user_ids=["user1"], **body)["parts"]]

    assert parts(parts="all") == ["kept"]
    assert sorted(parts(rules=[tried], parts="all")) == ["kept", "try"]
    assert parts(rules=[tried], parts="all", stored=False) == ["try"]
    assert parts(rules=[tried]) == ["try"], "without being asked, of those that are tried"
    assert parts() == parts(rules=[tried], parts="none") == []
    after = preview(shop, user_ids=["user1"], rules=[{**tried, "id": "kept"}])["lists"][0]["after"]
    assert first in [item["item_id"] for item in after], "one of the same id is replaced"


def test_a_preview_that_would_take_too_long_says_what_to_ask_for(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.rules.preview.MOST_LEFT_OUT", 80)
    capped = [{"id": f"r{number}", **CAP} for number in range(4)]
    for_few = [{"id": "few", **CAP, "when": "user.new"}]  # none of the sample
    assert len(preview(client, sample=20, rules=capped + for_few)["parts"]) == 5
    detail = refusal(client.post("/rules/preview", json={"sample": 40, "rules": capped}), 422)
    assert "at most 80 lists" in detail
    assert "got 160 lists, of 4 rules and 40 users: ask for about 20 users (sample)" in detail
    assert preview(client, sample=40, rules=capped, parts="none")["users"] == 40


def test_a_sample_is_the_same_for_the_same_seed(client: TestClient) -> None:
    def users(seed: int) -> list[str]:
        answer = preview(client, sample=20, seed=seed, show=20, k=1)
        assert answer["users"] == 20
        return [lists["user_id"] for lists in answer["lists"]]

    drawn = users(1)
    assert len(set(drawn)) == 20
    assert users(1) == drawn
    assert users(2) != drawn
    assert len(preview(client, sample=20, show=3, k=1)["lists"]) == 3
    assert preview(client, sample=200, show=0, k=1)["users"] == 49, "user49 has no history"


def test_scenario_and_context_decide_which_rules_are_previewed(client: TestClient) -> None:
    item = listed(client)[0]
    tried = {"id": "try", **hide(f'item.id == "{item}"', when='context.country == "DE"', scenario="home")}

    def changed(**request: Any) -> int:
        lists: int = preview(client, user_ids=["user1"], rules=[tried], **request)["lists_changed"]
        return lists

    assert changed(scenario="home", context={"country": "DE"}) == 1
    assert changed(scenario="home", context={"country": "CH"}) == 0
    assert changed(context={"country": "DE"}) == 0

    def told(**request: Any) -> list[tuple[str, list[str], str]]:
        findings = preview(client, user_ids=["user1"], rules=[tried], context={"country": "DE"}, **request)["findings"]
        return [(one["problem"], one["rules"], one["message"]) for one in findings]

    assert told(scenario="home") == []
    assert told() == [("dead", ["try"], "it is for the scenario home, this preview for no scenario")]
    assert told(scenario="cart") == [
        ("dead", ["try"], "it is for the scenario home, this preview for the scenario cart")
    ]


def test_a_preview_names_rules_that_cannot_be_followed_or_kept(client: TestClient) -> None:
    tried = [
        {"id": "faulty", **hide('item.colour == "red"')},
        {"id": "dead", **hide('item.brand == "none such"')},
        {"id": "one", "action": {"type": "require"}, "where": 'item.brand == "Brand 1"'},
        {"id": "other", "action": {"type": "require"}, "where": 'item.brand == "Brand 2"'},
    ]
    findings = preview(client, user_ids=["user1"], rules=tried)["findings"]
    told = {(finding["problem"], *sorted(finding["rules"])) for finding in findings}
    assert ("fault", "faulty") in told
    assert ("dead", "dead") in told
    assert ("contradiction", "one", "other") in told
    (fault,) = [finding for finding in findings if finding["problem"] == "fault"]
    assert "column 1" in fault["message"]
    assert "item.brand" in fault["message"]


def test_a_preview_of_what_is_none_is_refused(client: TestClient) -> None:
    twice = {"id": "a", **CAP}
    assert "an id of its own" in refusal(client.post("/rules/preview", json={"rules": [twice, twice]}), 422)
    for body in ({"sample": 0}, {"sample": 1000}, {"user_ids": [""]}, {"k": 101}, {"seed": -1}, {"rule": []}):
        refusal(client.post("/rules/preview", json=body), 422)


def test_an_unknown_user_is_previewed_with_popular_items(client: TestClient) -> None:
    (lists,) = preview(client, user_ids=["nobody known"])["lists"]
    assert not lists["known"]
    assert {item["popular"] for item in lists["before"]} == {True}


def test_too_many_previews_are_refused_at_once(bundle_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = PreviewBody.model_validate({"user_ids": ["user1"]}).request()

    with (
        running(bundle=bundle_path, store="none", max_previews=2) as (_, server),
        held_calls(monkeypatch, UserHistories, "of") as held,
    ):

        async def ask(previews: PreviewQueue) -> None:
            asked = [asyncio.create_task(previews.submit(request)) for _ in range(2)]
            await asyncio.to_thread(held.computing.wait, TIMEOUT_S)
            with pytest.raises(OverloadedError):
                await previews.submit(request)
            held.go_on.set()
            assert [answer.users for answer in await asyncio.gather(*asked)] == [1, 1]
            assert (await previews.submit(request)).users == 1

        asyncio.run(ask(server.previews))
