"""Experiments that run in a server without a store, for tests of lists."""

from __future__ import annotations

from typing import Any

from recsys.experiments.experiment import BUCKETS, Experiment, Overrides, Variant
from serve.recommendations.made_lists import MadeList
from serve.server import Server
from serve.variants.running import Running
from tests.support.serving import as_json, request_for
from tests.support.waiting import eventually

OF_ONE_ANSWER = {"recommendation_id", "timing", "generated_at", "experiments"}
Answer = dict[str, Any]


def experiment(*overrides: dict[str, Any], key: str = "e", **terms: Any) -> Experiment:
    """One that runs for everyone, alone in its layer, whose variants a, b, ... override something each."""
    variants = tuple(
        Variant(name=name, overrides=Overrides(**one)) for name, one in zip("abcdef", overrides, strict=False)
    )
    state = {"status": "running", "first_bucket": 0, "end_bucket": BUCKETS, "started_at": 0.0}
    return Experiment(**{"key": key, "layer": key, "variants": variants, **state, **terms})


def run(server: Server, *experiments: Experiment) -> Running:
    """Let these run from now on."""
    running = Running(experiments=tuple(sorted(experiments, key=lambda one: one.key)))
    server.parts.experiments.now = running
    return running


def hold(server: Server, *versions: str) -> None:
    """Wait until lists can be made from versions."""
    eventually(lambda: all(server.parts.held.of(version) is not None for version in versions))


def made(server: Server, user_id: str, **options: Any) -> MadeList:
    """The list of a user, with what the log keeps of it."""
    (lists,) = server.recommendations.service.recommend([request_for(user_id, **options)])
    assert isinstance(lists, list), lists
    return lists[0]


def told(made_list: MadeList) -> Answer:
    """What a list says, without what no two answers have in common."""
    return {name: value for name, value in as_json(made_list.answer).items() if name not in OF_ONE_ANSWER}


def variant_names(server: Server, user_ids: list[str], key: str = "e") -> dict[str, str]:
    """The variant of each user."""
    running = server.parts.experiments.now
    return {
        user_id: one.variant.name
        for user_id in user_ids
        for one in running.assigned(user_id)
        if one.experiment.key == key
    }
