"""What explanations say of lists that the shop made: of pinned, moved and hidden items, in short and in full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle
from recsys.core.queries import Queries
from recsys.explain.without import without
from recsys.rules.base import RuleBase
from recsys.rules.policy import CompiledRules
from recsys.rules.rules_file import read_rules
from tests.support.serving import COLD_USER, Answer, explain, get, query_of, row_of, running
from tests.support.shop_rules import rule, write_rules

USER = "user1"
PINNED = "item191"  # behind the first ten of the user
BRAND_3 = 'item.brand == "Brand 3"'
RULES = [
    rule("third", "pin", f'item.id == "{PINNED}"', slot=3, scenario="pin"),
    rule("no-3", "hide", BRAND_3, scenario="hide"),
    rule("only-3", "require", BRAND_3, scenario="require"),
    rule("varied", "mmr", weight=0.6, scenario="mmr"),
    rule("mixed", "mmr", weight=0.6, priority=1, scenario="both"),
    rule("put-in", "pin", f'item.id == "{PINNED}"', slot=3, scenario="both"),
    rule("raised", "boost", f'item.id == "{PINNED}"', by=2.0, priority=2, scenario="both"),
    rule("one-each", "cap", by="brand", most=1, scenario="cap"),
    rule("high-only", "hide", BRAND_3, when="user.interactions > 9", scenario="when"),
]
BY_SHOP = "The shop has put it in this place."


@pytest.fixture(scope="module")
def rules_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules") / "rules.yaml", RULES)


@pytest.fixture(scope="module")
def ruled(bundle_path: Path, rules_file: Path) -> Iterator[TestClient]:
    with running(bundle=bundle_path, store="none", rules=rules_file) as (client, _):
        yield client


@pytest.mark.parametrize("scenario", ["pin", "hide", "require", "mmr", "both", "cap"])
@pytest.mark.parametrize("user", [USER, "user7", COLD_USER])
def test_the_list_that_is_explained_is_that_of_the_answer(ruled: TestClient, scenario: str, user: str) -> None:
    for item in get(ruled, user, scenario=scenario)["items"]:
        told = explain(ruled, item["item_id"], user_id=user, scenario=scenario, depth="cheap")
        assert told["stage"] == ("filled" if item["model_source"] == "popularity" else "listed")
        assert (told["rank"], told["rank_before"]) == (item["rank"], item["rank_before"])
        assert told["score"] == item["score"]
        assert told["moved_by"] == item["rules"]
        by_rules = {fact["value"] for fact in told["facts"] if fact["kind"] in ("shop_rule", "shop_order")}
        assert by_rules == set(item["rules"])


def test_a_pinned_item_is_there_because_the_shop_put_it_there(ruled: TestClient) -> None:
    told = explain(ruled, PINNED, scenario="pin")
    assert (told["stage"], told["rank"], told["moved_by"]) == ("listed", 3, ["third"])
    assert told["rank_before"] > 10
    first = told["facts"][0]
    assert (first["kind"], first["value"], first["text"]) == ("shop_rule", "third", BY_SHOP)
    assert told["text"].startswith(BY_SHOP)
    assert told["cites"][0] == first["id"]
    parts = sum(part["value"] for part in told["contributions"])
    assert parts == pytest.approx(told["score"] - told["reference_score"], abs=1e-4)
    assert told["reference"]["score"] >= told["score"], "it is compared with what its scores did not let it pass"
    german = explain(ruled, PINNED, scenario="pin", depth="cheap", language="de")
    assert german["text"].startswith("Der Shop hat ihn an diese Stelle gesetzt.")


def test_reasons_in_lists_say_so_too(ruled: TestClient) -> None:
    plain, pinned = get(ruled, USER, explain="cheap"), get(ruled, USER, explain="cheap", scenario="pin")
    assert pinned["items"][2]["item_id"] == PINNED
    why = pinned["items"][2]["why"]
    assert why["text"] == BY_SHOP
    assert why["facts"][0] == {"kind": "shop_rule", "value": "", "item_id": None, "action": None, "count": 1}
    others = [item["why"] for item in pinned["items"] if item["item_id"] != PINNED]
    assert [why["facts"] for why in others] == [item["why"]["facts"] for item in plain["items"][:9]]
    # What is remembered of a list without rules is not said of one with them, and the other way round.
    assert get(ruled, USER, explain="cheap", scenario="pin")["items"] == pinned["items"]
    assert get(ruled, USER, explain="cheap")["items"] == plain["items"]


def test_what_a_rule_moves_within_a_list_or_for_its_variety_keeps_its_reason(ruled: TestClient) -> None:
    varied = get(ruled, USER, explain="cheap", scenario="mmr")["items"]
    assert any(item["rules"] for item in varied)
    assert all(fact["kind"] != "shop_rule" for item in varied for fact in item["why"]["facts"])
    for item in varied:
        told = explain(ruled, item["item_id"], scenario="mmr", depth="cheap")
        assert BY_SHOP not in told["text"]
        assert not {"shop_rule"} & {fact["kind"] for fact in told["facts"]}


def test_a_pinned_item_of_the_first_ten_keeps_its_reason_in_lists(bundle_path: Path, tmp_path: Path) -> None:
    with running(bundle=bundle_path, store="none") as (client, _):
        plain = get(client, USER, explain="cheap")["items"]
    last = plain[9]
    rules = write_rules(tmp_path / "rules.yaml", [rule("first", "pin", f'item.id == "{last["item_id"]}"', slot=1)])
    with running(bundle=bundle_path, store="none", rules=rules) as (client, _):
        pinned = get(client, USER, explain="cheap")["items"][0]
    assert (pinned["item_id"], pinned["rank_before"], pinned["rules"]) == (last["item_id"], 10, ["first"])
    assert pinned["why"]["facts"] == last["why"]["facts"]


def forbidden(client: TestClient, item_id: str, **wanted: object) -> Answer:
    told = explain(client, item_id, **wanted)
    assert (told["stage"], told["rank"]) == ("forbidden", None)
    assert told["text"] == "The shop leaves it out of this list."
    return told


def test_a_hidden_item_is_forbidden_by_the_rule_that_hides_it(ruled: TestClient, bundle: Bundle) -> None:
    seen = set(query_of(bundle, 1).histories.items.tolist())
    hidden = next(row for row in range(13, 200, 10) if row % 4 and row not in seen)
    told = forbidden(ruled, f"item{hidden}", scenario="hide")
    assert {"name": "no-3", "allows": False, "by": "shop"} in told["rules"]
    assert {"name": "seen", "allows": True} in told["rules"]
    (fact,) = [fact for fact in told["facts"] if fact["kind"] == "shop_rule"]
    assert (fact["value"], fact["polarity"]) == ("no-3", "against")
    other = next(row for row in range(11, 200, 10) if row not in seen)
    assert forbidden(ruled, f"item{other}", scenario="require")["rules"][-1]["name"] == "only-3"
    assert explain(ruled, f"item{hidden}", depth="cheap")["stage"] != "forbidden"
    not_due = forbidden(ruled, f"item{other}", scenario="buy_again")
    assert all(rule["allows"] for rule in not_due["rules"])


def test_what_is_without_an_action_follows_the_rules_of_that_history(
    ruled: TestClient, bundle: Bundle, rules_file: Path
) -> None:
    """The rule is for users of ten interactions; one action less, and it hides nothing any more."""
    recommender, query = bundle.recommender(), query_of(bundle, 1)
    assert len(query.histories.items) == 10
    policy = CompiledRules.compile(read_rules(rules_file), RuleBase.of(bundle)).bound("when")
    assert policy is not None
    for scenario in ("when", "pin"):
        policy = CompiledRules.compile(read_rules(rules_file), RuleBase.of(bundle)).bound(scenario)
        listed = get(ruled, USER, scenario=scenario)["items"]
        told = explain(ruled, listed[0]["item_id"], scenario=scenario)
        assert told["counterfactual"] is not None
        for share in told["history"]:
            left_out: Queries = without(query, [{row_of(share["item_id"])}])
            ranking = recommender.trace(left_out, 10, policy=policy).ranking.items[0].tolist()
            assert share["rank_without"] == ranking.index(row_of(listed[0]["item_id"])) + 1
        removed = [row_of(item["item_id"]) for item in told["counterfactual"]["without"]]
        if removed:
            again = recommender.recommend(without(query, [removed]), 10, policy=policy).items[0]
            assert row_of(listed[0]["item_id"]) not in again.tolist()
            new = [row for row in again.tolist() if row not in {row_of(item["item_id"]) for item in listed}]
            assert row_of(told["counterfactual"]["replacement"]["item_id"]) in new


def test_no_rule_no_word_of_rules(ruled: TestClient, client: TestClient) -> None:
    item_id = get(ruled, USER)["items"][0]["item_id"]
    without_rules, other = explain(ruled, item_id), explain(client, item_id)
    for answer in (without_rules, other):
        assert not {"rank_before", "moved_by"} & answer.keys()
        for name in ("generated_at", "store"):
            answer.pop(name)
    assert without_rules == other
    assert np.isfinite(other["score"])
