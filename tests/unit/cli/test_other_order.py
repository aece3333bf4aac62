"""`recsys off-policy`: lists in drawn orders, judged in the order of a bundle."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest

from recsys.bundle import open_bundle
from recsys.cli.app import main
from recsys.core.queries import NO_ITEM, Queries
from recsys.experiments.drawn_order import draw_order
from recsys.measure.other_order import LENGTH
from recsys.store import Event, ListDetails, Served, Store
from tests.support.bundles import make_bundle

USERS, K, LISTS = 150, 2, 300


@pytest.fixture(scope="module")
def best(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, ...]]]:
    """A bundle's folder, and the best items of each of its users."""
    folder = make_bundle(tmp_path_factory.mktemp("bundles"), name="shop", n_users=USERS)
    with open_bundle(folder) as bundle:
        now = np.full(USERS, int(time.time()), np.int64)
        queries = Queries(bundle.histories, np.arange(USERS, dtype=np.int32), now)
        items = bundle.recommender().recommend(queries, LENGTH).items[:, :K]
        assert (items != NO_ITEM).all()
        return folder, [tuple(bundle.catalogue.item_ids(row)) for row in items]


def shop(folder: Path, bundle: Path, lists: list[tuple[Served, list[Event]]]) -> Path:
    """A config of a shop with these lists and what was chosen from them."""
    with Store.open(f"sqlite:///{folder / 'store.sqlite'}") as store:
        store.upgrade()
        store.add_served([served for served, _ in lists])
        store.append([event for _, events in lists for event in events])
    path = folder / "shop.yaml"
    path.write_text(
        f"""
name: shop
data: {{format: store, interactions: [{folder / "store.sqlite"}], prepared_dir: {folder / "prepared"}}}
bundle: {{dir: {bundle.parent}}}
"""
    )
    return path


def drawn(best: list[tuple[str, ...]], chosen: Callable[[int, str], bool]) -> list[tuple[Served, list[Event]]]:
    """Two lists of each user, the best items in any order; `chosen`: of place and item, if it is the user's best.

    What is chosen is chosen after the last list, so that no list leaves it out.
    """
    coins, lists, now = Random(0), [], time.time() - 3600
    for number in range(LISTS):
        user = number % USERS
        order, chances = draw_order([0.0] * K, 1.0, coins)
        items = tuple(best[user][place] for place in order)
        name = f"{number:032x}"
        details = ListDetails(propensities=tuple(chances), personal=K)
        served = Served(name, f"user{user}", now + number, "v0", "full", items, (), name, details)
        clicks = [
            Event(f"{name}-{place}", f"user{user}", item, "click", now + LISTS + number, recommendation_id=name)
            for place, item in enumerate(items)
            if chosen(place, item) and item == best[user][0]
        ]
        lists.append((served, clicks))
    return lists


def test_the_order_that_shows_what_is_wanted_first_is_worth_all_its_clicks(
    tmp_path: Path, best: tuple[Path, list[tuple[str, ...]]], capsys: pytest.CaptureFixture[str]
) -> None:
    # The best item is chosen where it stands first: in half of the lists, and in all of the bundle's.
    folder, items = best
    lists = drawn(items, lambda place, _: place == 0)
    config = shop(tmp_path, folder, lists)
    assert main(["off-policy", "--config", str(config), "--json"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    estimate = report["estimate"]
    assert (report["drawn"], estimate["refusals"]) == (LISTS, [])
    first = sum(bool(events) for _, events in lists) / len(lists)
    assert estimate["drawn"]["clicks"] == pytest.approx(first)
    assert estimate["weighted"]["clicks"] == pytest.approx(1.0)
    assert estimate["doubly_robust"]["clicks"] == pytest.approx(1.0)
    assert estimate["gain"]["clicks"] == pytest.approx(1 - first)
    assert "gain" in err


def test_without_drawn_lists_it_says_so(
    tmp_path: Path, best: tuple[Path, list[tuple[str, ...]]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, items = best
    plain = Served("r", "user0", time.time() - 60, "v0", "full", items[0], (), "0" * 32, ListDetails(personal=K))
    view = Event("e", "user0", items[0][0], "view", time.time() - 50)
    config = shop(tmp_path, folder, [(plain, [view])])
    assert main(["off-policy", "--config", str(config)]) == 0
    assert "no list of the time can be used" in capsys.readouterr().out


def test_lists_that_the_bundle_puts_in_no_order_are_counted(
    tmp_path: Path, best: tuple[Path, list[tuple[str, ...]]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, items = best
    lists = drawn(items, lambda *_: True)
    strange, of_session = (served for served, _ in lists[:2])
    lists[0] = strange._replace(item_ids=("gone", "away")), []
    lists[1] = of_session._replace(user_id=None), []
    config = shop(tmp_path, folder, lists)
    assert main(["off-policy", "--config", str(config), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert sorted(report["skipped"].values()) == [1, 1]
    assert report["estimate"]["lists"] == LISTS - 2


def test_a_shop_without_a_store_is_told_what_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "events.csv").write_text("user_id,item_id,timestamp,event_type\nu,i,1,view\n")
    config = tmp_path / "shop.yaml"
    config.write_text(f"name: shop\ndata: {{format: events, interactions: [{tmp_path / 'events.csv'}]}}\n")
    assert main(["off-policy", "--config", str(config)]) == 3
    assert "a store among the inputs" in capsys.readouterr().err
