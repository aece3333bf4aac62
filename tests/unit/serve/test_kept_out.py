"""What explanations say of items that the shop's rules moved out of a list without forbidding them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.support.serving import COLD_USER, explain, get, running
from tests.support.shop_rules import rule, write_rules

USER = "user1"
Lists = dict[str, list[str]]


def ids(client: TestClient, user: str, k: int = 10, scenario: str | None = None) -> list[str]:
    wanted = {"k": k} if scenario is None else {"k": k, "scenario": scenario}
    return [item["item_id"] for item in get(client, user, **wanted)["items"]]


@pytest.fixture(scope="module")
def plain(bundle_path: Path) -> Lists:
    """Thirty items for each user without rules, best first."""
    with running(bundle=bundle_path, store="none") as (client, _):
        return {user: ids(client, user, 30) for user in (USER, COLD_USER)}


def of(*items: str) -> str:
    return " || ".join(f'item.id == "{item}"' for item in items)


@pytest.fixture(scope="module")
def ruled(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory, plain: Lists) -> Iterator[TestClient]:
    top, last, behind = plain[USER][0], plain[USER][9], plain[USER][25]
    rules = [
        rule("late", "bury", of(top), scenario="bury"),
        rule("idle", "boost", of(plain[USER][1]), by=0.1, scenario="bury"),
        rule("late-too", "bury", of(top, plain[USER][20]), scenario="twice"),
        rule("latest", "bury", of(top), scenario="twice"),
        rule("idle-too", "boost", of(plain[USER][1]), by=0.1, scenario="twice"),
        rule("third", "pin", of(behind), slot=3, scenario="pin"),
        rule("never", "pin", of(last), slot=3, priority=-1, scenario="pin"),
        rule("cold", "bury", of(plain[COLD_USER][0]), scenario="cold"),
    ]
    path = write_rules(tmp_path_factory.mktemp("rules") / "rules.yaml", rules)
    with running(bundle=bundle_path, store="none", rules=path) as (client, _):
        yield client


def test_the_rule_without_which_an_item_would_be_listed_is_named(ruled: TestClient, plain: Lists) -> None:
    top = plain[USER][0]
    assert top not in ids(ruled, USER, scenario="bury")
    told = explain(ruled, top, scenario="bury")
    assert (told["stage"], told["rank"], told["kept_out_by"]) == ("arranged", 1, ["late"])
    assert told["text"] == "The shop's rule late keeps it out of this list."
    (fact,) = [fact for fact in told["facts"] if fact["id"] in told["cites"]]
    assert (fact["kind"], fact["value"], fact["polarity"]) == ("shop_order", "late", "against")
    assert fact["text"] == told["text"]
    german = explain(ruled, top, scenario="bury", language="de")["text"]
    assert german == "Die Regel late des Shops hält ihn aus dieser Liste heraus."


def test_nothing_is_run_again_in_short(ruled: TestClient, plain: Lists) -> None:
    told = explain(ruled, plain[USER][0], scenario="bury", depth="cheap")
    assert told["text"].startswith("It was ranked as number 1, and others were preferred")
    assert "kept_out_by" not in told


def test_rules_that_keep_it_out_together_are_all_named(ruled: TestClient, plain: Lists) -> None:
    """Either of both buries it without the other; the third has nothing to do with it."""
    told = explain(ruled, plain[USER][0], scenario="twice", style="paragraph")
    assert told["kept_out_by"] == ["late-too", "latest"]
    assert told["text"].endswith(" The shop's rules late-too and latest keep it out of this list.")


def test_what_a_pin_pushes_out_is_kept_out_by_the_pin(ruled: TestClient, plain: Lists) -> None:
    listed = ids(ruled, USER, scenario="pin")
    assert listed[2] == plain[USER][25]
    assert listed[3:] == plain[USER][2:9]
    told = explain(ruled, plain[USER][9], scenario="pin")
    assert told["kept_out_by"] == ["third"]


def test_what_would_not_be_listed_anyway_is_kept_out_by_no_rule(ruled: TestClient, plain: Lists) -> None:
    for scenario, item in (("pin", plain[USER][15]), ("twice", plain[USER][20])):
        told = explain(ruled, item, scenario=scenario)
        assert told["stage"] == "ranked"
        assert "kept_out_by" not in told
        assert "rule" not in told["text"]
    assert "kept_out_by" not in explain(ruled, plain[USER][1], scenario="bury")


def test_popular_items_that_strangers_would_get_are_kept_out_too(ruled: TestClient, plain: Lists) -> None:
    told = explain(ruled, plain[COLD_USER][0], user_id=COLD_USER, scenario="cold")
    assert (told["stage"], told["kept_out_by"]) == ("unproposed", ["cold"])
    assert told["text"] == "The shop's rule cold keeps it out of this list."
