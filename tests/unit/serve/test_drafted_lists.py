"""Lists drafted from those of two variants, and lists in an order that chance drew."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from serve.bundles import held as held_module
from serve.recommendations.drawing import is_to_be_drawn
from serve.recommendations.made_lists import MadeList
from serve.server import Server
from tests.support.serving import as_json, request_for, running
from tests.support.shop_rules import rule, write_rules
from tests.support.variants import experiment, hold, made, run, told
from tests.support.versions import make_versions, publish

USERS = [f"user{row}" for row in range(8)] + ["nobody"]
ITEMS = 60


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_versions(tmp_path_factory.mktemp("versions"), 2, n_items=ITEMS)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, versions: list[Path]) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop"
    publish(path, versions[0], current=False)
    publish(path, versions[1])
    return path


@pytest.fixture(scope="module")
def server(shop: Path) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_module, "POLL_S", 0.02)
        with running(bundle=shop, store="none") as (_, server):
            yield server


@pytest.fixture(autouse=True)
def _none_at_first(server: Server) -> Iterator[None]:
    run(server)
    yield
    run(server)


def ids(one: MadeList) -> list[str]:
    return [item.item_id for item in one.answer.items]


def is_drafted(items: Sequence[str], teams: Sequence[str], first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether each team brought the best item of its list that was left, and none is more than one pick ahead."""
    picks: Counter[str] = Counter()
    for place, (item, team) in enumerate(zip(items, teams, strict=True)):
        left = [other for other in {"a": first, "b": second}.get(team, [*first, *second]) if other not in items[:place]]
        if left[0] != item:
            return False
        picks[team] += 1
        if abs(picks["a"] - picks["b"]) > 1:
            return False
    return len(set(items)) == len(items)


@pytest.mark.parametrize("other", [{"model": "transitions"}, {"model": "popularity"}, {"bundle": "old"}])
def test_a_list_is_drafted_from_those_of_two_variants(
    server: Server, versions: list[Path], other: dict[str, str]
) -> None:
    overrides = {name: versions[0].name if value == "old" else value for name, value in other.items()}
    run(server, experiment(overrides, overrides))  # every user
    hold(server, *([versions[0].name] if "bundle" in overrides else []))
    seconds = {user_id: made(server, user_id) for user_id in USERS}
    run(server)
    firsts = {user_id: made(server, user_id) for user_id in USERS}
    run(server, experiment({}, overrides, mode="interleaved"))
    hold(server, *([versions[0].name] if "bundle" in overrides else []))
    began: Counter[str] = Counter()
    for user_id in USERS:
        one = made(server, user_id)
        assert is_drafted(ids(one), one.teams, ids(firsts[user_id]), ids(seconds[user_id]))
        assert told(made(server, user_id)) == told(one)
        assert made(server, user_id).teams == one.teams
        assert [item.rank for item in one.answer.items] == list(range(1, 11))
        assert one.variants[0].variant == ""
        assert one.undelivered == ()
        assert as_json(one.answer)["experiments"] == [
            {"experiment": "e", "version": 1, "variant": None, "delivered": True}
        ]
        brought = {"a": firsts[user_id], "b": seconds[user_id], "": firsts[user_id]}
        for item, team in zip(one.answer.items, one.teams, strict=True):
            (its,) = (each for each in brought[team].answer.items if each.item_id == item.item_id)
            assert as_json(item) | {"rank": its.rank} == as_json(its)  # type: ignore[arg-type]
        began[one.teams[0]] += 1
    assert began["a"] > 0
    assert began["b"] > 0


def test_pages_of_a_drafted_list_are_slices_of_one(server: Server) -> None:
    run(server, experiment({}, {"model": "transitions"}, mode="interleaved"))
    for user_id in ("user1", "user2", "user3"):
        pages = [made(server, user_id, k=4, offset=offset) for offset in range(0, 40, 4)]
        items = [item_id for page in pages for item_id in ids(page)]
        assert len(set(items)) == len(items) > 8
        assert [item.rank for page in pages for item in page.answer.items] == list(range(1, len(items) + 1))
        for offset in (1, 2, 7):
            part = made(server, user_id, k=4, offset=offset)
            assert ids(part) == items[offset : offset + 4]
            assert part.teams == tuple(team for page in pages for team in page.teams)[offset : offset + 4]


def test_coins_are_thrown_anew_with_the_history(server: Server) -> None:
    run(server, experiment({}, {"model": "transitions"}, mode="interleaved"))
    sessions = [tuple(f"item{row}" for row in range(length)) for length in range(1, 30)]
    lists = []
    for session in sessions:
        request = request_for()
        request = type(request)(request.options, (session,), visitor_id="v")
        (one,) = server.recommendations.service.recommend([request])
        assert isinstance(one, list), one
        lists.append(one[0])
    began = Counter(one.teams[0] for one in lists)
    assert 4 < began["a"] < 25  # one in 20,000 throws of 29 coins is outside
    assert {one.visitor_id for one in lists} == {"v"}
    assert {one.answer.user_id for one in lists} == {None}


def test_where_rules_arrange_the_list_is_the_controls(shop: Path, tmp_path: Path) -> None:
    rules = [rule("few", "cap", by="brand", most=1, when="user.interactions > 0", scenario="home")]
    rules.append(rule("none", "hide", "item.popularity_rank <= 3"))
    with running(bundle=shop, store="none", rules=write_rules(tmp_path / "rules.yaml", rules)) as (_, server):
        plain = {user_id: made(server, user_id, k=5, scenario="home", offset=5) for user_id in USERS}
        run(server, experiment({}, {"model": "transitions"}, mode="interleaved"))
        for user_id in USERS:
            one = made(server, user_id, k=5, scenario="home", offset=5)
            arranged = one.answer.user.interactions > 0
            assert (one.undelivered == ("e",)) == arranged
            assert (one.teams == ()) == arranged
            if arranged:
                assert told(one) == told(plain[user_id])
            elsewhere = made(server, user_id)
            assert elsewhere.teams != ()
            assert [item.rank_before for item in elsewhere.answer.items] == list(range(1, 11))


def test_a_list_is_drafted_for_one_experiment_at_most(server: Server) -> None:
    one = experiment({}, {"model": "transitions"}, mode="interleaved")
    other = experiment({}, {"model": "popularity"}, key="f", mode="interleaved", layer="other")
    run(server, one, other, experiment({"k": 4}, {"k": 4}, key="g"))
    drafted = made(server, "user1")
    assert drafted.undelivered == ("f",)
    assert len(drafted.teams) == 4


def chances_of(scores: Sequence[float], temperature: float) -> list[float]:
    """Plackett-Luce as its definition has it, over scores in standard deviations."""
    mean = sum(scores) / len(scores)
    deviation = math.sqrt(sum((score - mean) ** 2 for score in scores) / len(scores))
    weights = [math.exp((score - mean) / deviation / temperature) for score in scores]
    return [weight / sum(weights[place:]) for place, weight in enumerate(weights)]


def test_a_drawn_order_tells_its_chances(shop: Path) -> None:
    with running(bundle=shop, store="none", randomised_share=1.0, randomised_temperature=0.7) as (client, server):
        orders = set()
        for _ in range(20):
            one = made(server, "user1")
            fills = one.answer.items[one.personal :]
            ranked = one.answer.items[: one.personal]
            expected = chances_of([item.score for item in ranked], 0.7)
            assert one.propensities == pytest.approx([*expected, *([1.0] * len(fills))], rel=1e-9)
            assert [item.rank for item in one.answer.items] == list(range(1, len(one.answer.items) + 1))
            orders.add(tuple(ids(one)))
        assert len(orders) > 10
        assert client.get("/recommendations/user1").json()["order"] == "drawn"
        assert b'recsys_orders_drawn_total{outcome="drawn"}' in client.get("/metrics").content


def test_the_items_of_a_drawn_list_are_those_of_the_list(shop: Path, server: Server) -> None:
    with running(bundle=shop, store="none", randomised_share=1.0) as (_, drawing):
        for user_id in USERS[:-1]:
            drawn, plain = made(drawing, user_id), made(server, user_id)
            by_id = {item.item_id: as_json(item) for item in plain.answer.items}  # type: ignore[arg-type]
            assert {item.item_id for item in drawn.answer.items} == set(by_id)
            for item in drawn.answer.items:
                of_it = as_json(item)  # type: ignore[arg-type]
                assert {**of_it, "rank": 0} == {**by_id[item.item_id], "rank": 0}
            assert ids(drawn)[drawn.personal :] == ids(plain)[plain.personal :]


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"user_id": "user1", "offset": 3}, "offset"),
        ({"user_id": "user1", "as_of": 4e9}, "as_of"),
        ({"user_id": "user1", "only_items": ["item1", "item2", "item3"]}, "only_items"),
        ({"user_id": "nobody"}, "short"),
        ({"user_id": "user1", "k": 1}, "short"),
        ({"user_id": "user1", "scenario": "home"}, "rules"),
        ({"user_id": "user1", "scenario": "buy_again"}, "rules"),
    ],
)
def test_what_is_not_drawn_is_counted_by_why(
    shop: Path, server: Server, tmp_path: Path, wanted: dict[str, Any], why: str
) -> None:
    rules = write_rules(tmp_path / "rules.yaml", [rule("few", "cap", by="brand", most=9, scenario="home")])
    with running(bundle=shop, store="none", randomised_share=1.0, rules=rules) as (_, drawing):
        one = made(drawing, **wanted)
        assert one.propensities == ()
        assert "order" not in as_json(one.answer)
        if why != "rules":
            assert told(one) == told(made(server, **wanted))
        assert f'recsys_orders_drawn_total{{outcome="{why}"}}'.encode() in drawing.parts.metrics.render()


def test_a_share_of_lists_is_drawn_and_never_a_drafted_one(shop: Path) -> None:
    with running(bundle=shop, store="none", randomised_share=0.3) as (_, server):
        lists = [made(server, "user1") for _ in range(200)]
        drawn = [one for one in lists if one.propensities]
        assert 25 < len(drawn) < 95  # one in a million draws is outside
        for one in lists:
            assert (one.propensities != ()) == is_to_be_drawn(one.answer.recommendation_id, 0.3)
        run(server, experiment({}, {"model": "transitions"}, mode="interleaved"))
        for _ in range(20):
            one = made(server, "user1")
            assert one.teams != ()
            assert one.propensities == ()
