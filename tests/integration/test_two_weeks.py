"""Two weeks of a shop over HTTP: events, retraining every night, experiments, promotion, and accidents at any time."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.server_processes import get, post, put
from tests.support.simulated_shop.counts import ListCount
from tests.support.simulated_shop.loop import KEPT, Loop
from tests.support.simulated_shop.shop import OPENS, SimulatedShop
from tests.support.simulated_shop.visits import Visits
from tests.support.waiting import START_TIMEOUT_S, eventually

VISITORS = 0.6  # share of the shoppers who come on a day
PATIENCE = 4  # days after which an experiment that is still open makes room for a newer bundle
OLD, NEW = "old", "new"


@dataclass
class Operator:
    """Who looks after the shop: starts experiments with new bundles, looks every day, and promotes what is better.

    Attributes:
        loop: the shop's programs.
        running: key of the experiment that runs, the version that it tries, and the day on which it was started.
        promoted: versions by the key of the experiment that they won.
        states: of the verdicts that were looked at, by day and key.
    """

    loop: Loop
    running: tuple[str, str, int] | None = None
    promoted: dict[str, str] = field(default_factory=dict)
    states: list[tuple[int, str, str]] = field(default_factory=list)

    def night(self, day: int, *, kills: int) -> None:
        """Retrain; if the gate lets the new bundle pass and no experiment runs, start one."""
        code, said = self.loop.retrain("retrain.publish=candidate", kills=kills)
        if self.running is None and code != KEPT:
            key = f"night-{day}"
            trial = {"name": NEW, "overrides": {"bundle": said["version"]}}
            terms = {"variants": [{"name": OLD}, trial], "least_users": 40, "primary": "ctr"}
            assert self._until(lambda url: put(f"{url}/experiments/{key}", terms))["done"] in ("created", "nothing")
            started = self._until(lambda url: post(f"{url}/experiments/{key}/start"), also=(409,))
            assert started.get("done", "started") == "started" or "running" in started["detail"]
            self.running = key, said["version"], day

    def look(self, day: int) -> None:
        """Look at the experiment; where the new bundle is better, promote it, and where it is not, be patient."""
        if self.running is None:
            return
        key, version, since = self.running
        verdict = self._until(lambda url: get(f"{url}/experiments/{key}/results"))["verdict"]
        self.states.append((day, key, verdict["state"]))
        if verdict["state"] != "better" and day - since < PATIENCE:
            return
        self._until(lambda url: post(f"{url}/experiments/{key}/stop"), also=(409,))
        self.running = None
        if verdict["state"] == "better":
            assert verdict["winner"] == NEW
            code, _ = self.loop.run("promote", version)
            assert code == 0
            self.promoted[key] = version

    def _until(self, ask: Any, also: tuple[int, ...] = ()) -> Any:
        """The answer to a request that accidents may befall: asked again until there is one."""
        answers: list[Any] = []

        def is_answered() -> bool:
            try:
                response = ask(self.loop.url)
            except OSError:
                return False
            assert response.status in (200, 500, 502, 503, *also), response.body
            answers.append(response.json())
            return response.status in (200, *also)

        eventually(is_answered, START_TIMEOUT_S)
        return answers[-1]


@pytest.mark.slow
def test_two_weeks_end_with_the_better_model_and_the_simulators_own_count(tmp_path: Path) -> None:
    shop = SimulatedShop(n_users=200)
    loop, dice = Loop(tmp_path, shop, seed=1), random.Random(2)
    loop.clock.set(-0.1)
    loop.write()
    loop.open()
    first = loop.in_use
    visits = Visits(shop, lambda: loop.url, now=loop.clock.now)
    operator = Operator(loop)
    with loop.serving():
        for day in range(14):
            loop.clock.set(day + 0.3)
            with loop.accidents((5, 25)):
                for user in np.flatnonzero(np.random.default_rng([3, day]).random(shop.n_users) < VISITORS).tolist():
                    visits.visit(user, day)
                operator.look(day)
                loop.clock.set(day + 0.95)
                operator.night(day, kills=dice.choice((0, 1, 2)))
        eventually(lambda: _in_the_log(loop, visits) is not None, START_TIMEOUT_S)
        outcomes = get(f"{loop.url}/stats/outcomes?since={OPENS:.0f}&until={OPENS + 15 * 86_400:.0f}&by=variant").json()

    assert {"server", "worker", "retrain"} <= set(loop.kills)
    _require_all_acknowledged(loop, visits)
    # The better model is in use: not the first one, and one that shoppers click on more, as they themselves counted.
    assert operator.promoted, operator.states
    assert loop.in_use == list(operator.promoted.values())[-1] != first
    for key in operator.promoted:
        clicks, seen = visits.counts.rate(experiment=key, variant=NEW)
        old_clicks, old_seen = visits.counts.rate(experiment=key, variant=OLD)
        assert clicks / seen > old_clicks / old_seen
    _require_own_count(loop, visits, outcomes)


def _require_all_acknowledged(loop: Loop, visits: Visits) -> None:
    """Every event that was acknowledged is in the store once, and no other one is."""
    with closing(sqlite3.connect(loop.folder / "store.sqlite")) as store:
        stored = [
            row[0] for table in ("events", "list_events") for row in store.execute(f"SELECT event_id FROM {table}")
        ]
    assert sorted(stored) == sorted(visits.counts.event_ids)


def _logged(loop: Loop) -> set[str]:
    with closing(sqlite3.connect(loop.folder / "store.sqlite")) as store:
        return {row[0] for row in store.execute("SELECT recommendation_id FROM served")}


def _in_the_log(loop: Loop, visits: Visits) -> set[str] | None:
    """Lists that the served log holds, once the last one is there: what a killed worker had not written is lost."""
    logged = _logged(loop)
    return logged if list(visits.counts.lists)[-1] in logged else None


def _require_own_count(loop: Loop, visits: Visits, outcomes: Any) -> None:
    """The server's figures are the shoppers' own; what came of lists that the log has lost is counted as that."""
    logged, lists = _logged(loop), visits.counts.lists
    kept = [lists[name] for name in lists.keys() & logged]
    lost = [lists[name] for name in lists.keys() - logged]
    total = outcomes["total"]
    assert total["lists"] == len(logged)
    _require_equal(total, kept)
    of_variants = {row["value"]: row for row in outcomes["tables"][0]["rows"]}
    told = {f"{key}/1/{name}" for count in kept for key, name in count.variants.items()}
    assert told
    assert {value for value in of_variants if value is not None} == told
    for value in told:
        key, _, name = value.split("/")
        _require_equal(of_variants[value], [count for count in kept if count.variants.get(key) == name])
    causes = {(row["cause"], row["event_type"]): row["events"] for row in outcomes["unattributed"]}
    assert causes.get(("unknown_list", "impression"), 0) == sum(len(count.seen) for count in lost)
    for kind in ("view", "purchase"):
        assert causes["no_list_named", kind] == visits.counts.told[kind, False]


def _require_equal(told: Any, lists: Collection[ListCount]) -> None:
    """What the server tells of lists is what their shoppers did, each item of a list once."""
    assert told["impressions"] == sum(len(count.seen) for count in lists)
    assert told["clicks"] == sum(len(count.clicked) for count in lists)
    assert told["ctr"]["value"] == pytest.approx(told["clicks"] / told["impressions"])
    assert told["carts"] == sum(len(count.carted) for count in lists)
    assert told["purchases"] == sum(len(count.bought) for count in lists)
    assert told["revenue"] == pytest.approx(sum(count.revenue for count in lists))
