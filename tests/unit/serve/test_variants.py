"""Lists of experiments: each variant's list is exactly the list that would be served without the others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recsys.store import AssignedVariant
from serve.bundles import held as held_module
from serve.recommendations.made_lists import MadeList
from serve.server import Server
from tests.support.serving import Answer, as_json, request_for, running, service_of
from tests.support.shop_rules import rule, write_rules
from tests.support.variants import experiment, hold, made, run, told, variant_names
from tests.support.versions import make_versions, point_to, publish
from tests.support.waiting import eventually

USERS = [f"user{row}" for row in range(8)] + ["nobody", "somebody"]


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_versions(tmp_path_factory.mktemp("versions"), 3)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, versions: list[Path]) -> Path:
    """A shop that serves the second version; the first is there, too."""
    path = tmp_path_factory.mktemp("shop") / "shop"
    publish(path, versions[0], current=False)
    publish(path, versions[1])
    return path


@pytest.fixture(scope="module", autouse=True)
def soon() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_module, "POLL_S", 0.02)
        yield


@pytest.fixture(scope="module")
def server(shop: Path) -> Iterator[Server]:
    with running(bundle=shop, store="none", reload_poll_s=0.02) as (_, server):
        yield server


@pytest.fixture(autouse=True)
def _none_at_first(server: Server) -> Iterator[None]:
    run(server)
    yield
    run(server)


def alone(version: Path, **options: Any) -> dict[str, Answer]:
    """What a server of one version answers, without experiments."""
    with service_of(version) as service:
        answers = [service.recommend([request_for(user_id, **options)])[0] for user_id in USERS]
    return {user_id: told(one[0]) for user_id, one in zip(USERS, answers, strict=True) if isinstance(one, list)}


@pytest.fixture(scope="module")
def old(versions: list[Path]) -> dict[str, Answer]:
    return alone(versions[0])


@pytest.fixture(scope="module")
def new(versions: list[Path]) -> dict[str, Answer]:
    return alone(versions[1])


def listed(one: MadeList) -> list[str]:
    return [item.item_id for item in one.answer.items]


def test_each_variant_gets_the_list_of_its_version(
    server: Server, versions: list[Path], old: dict[str, Answer], new: dict[str, Answer]
) -> None:
    before = versions[0].name
    run(server, experiment({}, {"bundle": before}))
    hold(server, before)
    names = variant_names(server, USERS)
    assert set(names.values()) == {"a", "b"}
    (together,) = server.recommendations.service.recommend([request_for(*USERS)])
    assert isinstance(together, list)
    for user_id, one in zip(USERS, together, strict=True):
        expected = {"a": new, "b": old}[names[user_id]][user_id]
        assert told(one) == told(made(server, user_id)) == expected
        assert one.variants == (AssignedVariant("e", 1, names[user_id]),)
        assert (one.undelivered, one.unit) == ((), None)
        assert as_json(one.answer)["experiments"] == [
            {"experiment": "e", "version": 1, "variant": names[user_id], "delivered": True}
        ]
    assert old != new


def test_lists_outside_of_experiments_say_nothing_of_them(server: Server, new: dict[str, Answer]) -> None:
    run(server, experiment({}, {"model": "popularity"}).model_copy(update={"end_bucket": 0}))
    one = made(server, "user1")
    assert told(one) == new["user1"]
    assert one.variants == one.undelivered == ()
    assert "experiments" not in as_json(one.answer)


@pytest.mark.parametrize(
    ("overrides", "asked"),
    [
        ({"model": "transitions"}, {"model": "transitions"}),
        ({"k": 3}, {"k": 3}),
        ({"explain": "cheap"}, {"explain": "cheap"}),
        ({"model": "popularity", "k": 12, "explain": "cheap"}, {"model": "popularity", "k": 12, "explain": "cheap"}),
    ],
)
def test_what_a_variant_overrides_is_as_if_it_was_asked_for(
    server: Server, overrides: dict[str, Any], asked: dict[str, Any]
) -> None:
    expected = {user_id: told(made(server, user_id, **asked)) for user_id in USERS}
    plain = {user_id: told(made(server, user_id)) for user_id in USERS}
    run(server, experiment({}, overrides))
    for user_id, name in variant_names(server, USERS).items():
        one = made(server, user_id)
        assert told(one) == {"a": plain, "b": expected}[name][user_id]
        assert one.undelivered == ()


def test_what_a_request_asks_for_itself_is_not_overridden(server: Server) -> None:
    plain = told(made(server, "user1", k=4, model="full"))
    run(server, experiment({"k": 3}, {"k": 3}), experiment({"model": "transitions"}, {"model": "transitions"}, key="f"))
    one = made(server, "user1", k=4, model="full")
    assert told(one) == plain
    assert one.undelivered == ("e", "f")
    assert [each["delivered"] for each in as_json(one.answer)["experiments"]] == [False, False]
    part = made(server, "user1", k=4)
    assert told(part) == told(made(server, "user1", k=4, model="transitions"))
    assert part.undelivered == ("e",)
    assert made(server, "user1", k=3).undelivered == ()  # what it asks for is what the variant wants
    assert made(server, "user1", only_items=["item3", "item4"]).undelivered == ("e",)  # as many as are named


def test_a_variant_is_delivered_as_a_whole_or_not_at_all(server: Server) -> None:
    plain = told(made(server, "user1", k=4))
    run(server, experiment({"k": 3, "model": "transitions"}, {"k": 3, "model": "transitions"}))
    one = made(server, "user1", k=4)
    assert told(one) == plain
    assert one.undelivered == ("e",)


def test_without_its_bundle_or_model_a_list_is_as_without_the_experiment(
    server: Server, new: dict[str, Answer], versions: list[Path]
) -> None:
    missing = {"bundle": versions[2].name}
    run(server, experiment(missing, missing), experiment({"model": "oracle"}, {"model": "oracle"}, key="f"))
    one = made(server, "user1")
    assert told(one) == new["user1"]
    assert one.undelivered == ("e", "f")
    counted = server.parts.metrics.render().decode()
    assert 'recsys_experiment_undelivered_total{experiment="e",reason="bundle"}' in counted
    assert 'recsys_experiment_undelivered_total{experiment="f",reason="model"}' in counted
    assert 'recsys_experiment_lists_total{experiment="e",variant=' in counted


def test_a_variant_whose_lists_cannot_be_made_holds_nobody_up(
    server: Server,
    versions: list[Path],
    new: dict[str, Answer],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = versions[0].name
    run(server, experiment({}, {"bundle": before}))
    hold(server, before)
    loaded = server.parts.held.of(before)
    assert loaded is not None

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(loaded, "cards", broken)
    (together,) = server.recommendations.service.recommend([request_for(*USERS)])
    assert isinstance(together, list)
    names = variant_names(server, USERS)
    for user_id, one in zip(USERS, together, strict=True):
        assert told(one) == new[user_id]
        assert one.undelivered == (("e",) if names[user_id] == "b" else ())
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["broken"]  # once a batch


def test_an_experiment_goes_on_when_another_version_is_served(
    versions: list[Path], old: dict[str, Answer], new: dict[str, Answer], tmp_path: Path
) -> None:
    shop = tmp_path / "shop"
    publish(shop, versions[0], current=False)
    publish(shop, versions[1])
    third = alone(versions[2])
    with running(bundle=shop, store="none", reload_poll_s=0.02) as (_, server):
        named = [{"bundle": versions[0].name}, {"bundle": versions[1].name}, {}]
        run(server, experiment(*named))
        hold(server, versions[0].name, versions[1].name)
        eventually(lambda: len(server.parts.held._held) == 2)
        publish(shop, versions[2])
        eventually(lambda: server.parts.bundles.loaded.info.version == versions[2].name)
        names = variant_names(server, USERS)
        assert set(names.values()) == {"a", "b", "c"}
        for user_id, name in names.items():
            one = made(server, user_id)
            assert told(one) == {"a": old, "b": new, "c": third}[name][user_id]
            assert one.undelivered == ()
        point_to(shop, versions[0].name)
        eventually(lambda: server.parts.bundles.loaded.info.version == versions[0].name)
        for user_id, name in names.items():
            assert told(made(server, user_id)) == {"a": old, "b": new, "c": old}[name][user_id]


def test_without_rules_a_list_is_as_if_the_shop_had_none(shop: Path, new: dict[str, Answer], tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "rules.yaml", [rule("fewer", "hide", "item.popularity_rank <= 10")])
    with running(bundle=shop, store="none", rules=rules) as (_, server):
        ruled = {user_id: told(made(server, user_id)) for user_id in USERS}
        run(server, experiment({}, {"rules": "none"}))
        names = variant_names(server, USERS)
        for user_id, name in names.items():
            one = made(server, user_id)
            assert told(one) == {"a": ruled, "b": new}[name][user_id]
            assert (one.rules_version is None) == (name == "b")
        assert ruled["user1"] != new["user1"]
