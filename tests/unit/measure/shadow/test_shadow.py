"""Served lists, replayed on two bundles."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from recsys.bundle import Bundle, open_bundle
from recsys.core.item_changes import AVAILABLE
from recsys.core.queries import NO_ITEM, Queries
from recsys.measure.shadow import Latency, ShadowReport, shadow
from recsys.measure.shadow.compare import refusals_of
from recsys.measure.shadow.served import EMPTY, SESSIONS
from recsys.measure.shadow.shadow import OUT_OF_TIME, UNKNOWN_HISTORY
from recsys.report.replayed import print_shadow
from recsys.retraining_config import ShadowConfig
from recsys.store import Event, ItemWrite, ListDetails, Served, Store
from tests.support.bundles import DAY, START, make_bundle

NOW = float(START + 1000 * DAY)
SETTINGS = ShadowConfig(least_lists=1, fast_enough_ms=1e6)  # this machine may be busy
K = 5


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bundle, Bundle]]:
    """Two bundles of other embeddings and histories."""
    folder = tmp_path_factory.mktemp("bundles")
    with (
        open_bundle(make_bundle(folder / "old", seed=0)) as old,
        open_bundle(make_bundle(folder / "new", seed=1)) as new,
    ):
        yield old, new


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        store.upgrade()
        yield store


def served(user_id: str | None, hours_ago: float = 1.0, **fields: object) -> Served:
    """A list of `K` items that was served to a user."""
    items = tuple(f"item{n}" for n in range(K))
    return Served("r", user_id, NOW - 3600 * hours_ago, "v0", "full", items)._replace(**fields)


def own_list(bundle: Bundle, user: int, k: int = K) -> tuple[str, ...]:
    """What a bundle recommends to one of its users."""
    histories = bundle.histories.select([user])
    queries = Queries(histories, np.array([user], np.int32), np.array([int(NOW)], np.int64))
    items = bundle.recommender().recommend(queries, k).items[0]
    return tuple(bundle.catalogue.item_ids(items[items != NO_ITEM]))


def test_a_bundle_agrees_with_itself(bundles: tuple[Bundle, Bundle], store: Store) -> None:
    old, _ = bundles
    store.add_served(
        [
            served(f"user{n}", item_ids=own_list(old, n), bundle_version=old.version, request_id=f"r{n}")
            for n in range(8)
        ]
    )
    report = shadow(store, old, old, SETTINGS, seed=0, now=NOW)
    assert report.state == "compared"
    assert report.replayed == 8
    assert report.overlap is not None
    assert (report.overlap.mean, report.overlap.jaccard, report.overlap.unchanged) == (1, 1, 1)
    assert report.overlap.rank_biased == pytest.approx(1)
    assert [one.depth for one in report.overlap.by_rank] == [1, 3, 5]
    assert report.as_served == 1  # the replay makes what the server made
    assert (report.entered, report.left, report.gone) == (0, 0, 0)
    assert report.refusals == ()


def test_both_bundles_make_the_lists_that_they_would_serve(bundles: tuple[Bundle, Bundle], store: Store) -> None:
    users = list(range(49))
    store.add_served([served(f"user{n}", request_id=f"r{n}") for n in users])
    report = shadow(store, *bundles, SETTINGS, seed=0, now=NOW)
    old, new = ([own_list(bundle, n) for n in users] for bundle in bundles)
    shared = [len({*first} & {*second}) / K for first, second in zip(old, new, strict=True)]
    assert report.overlap is not None
    assert report.overlap.mean == pytest.approx(np.mean(shared))
    assert report.overlap.p5 == pytest.approx(np.percentile(shared, 5))
    before, after = {item for one in old for item in one}, {item for one in new for item in one}
    assert (report.entered, report.left) == (len(after - before), len(before - after))
    assert report.old is not None
    assert report.new is not None
    assert (report.old.items, report.new.items) == (len(before), len(after))
    assert report.old.latency is not None
    assert 0 < report.old.latency.p50 <= report.old.latency.p95


def test_histories_are_those_of_the_time_of_the_list(bundles: tuple[Bundle, Bundle], store: Store) -> None:
    """What happened later counts for neither bundle, what happened before for both."""
    old, _ = bundles
    seen = own_list(old, 3)[0]
    store.append([Event("e1", "user3", seen, "purchase", NOW - 1800)])
    store.add_served(
        [
            served("user3", hours_ago=1, item_ids=own_list(old, 3), bundle_version=old.version),
            served("user3", hours_ago=0.25, item_ids=own_list(old, 3), bundle_version=old.version),
        ]
    )
    report = shadow(store, old, old, SETTINGS, seed=0, now=NOW)
    assert report.replayed == 2
    assert report.as_served is not None
    assert report.as_served < 1


def test_a_user_of_the_store_alone_gets_a_personal_list(bundles: tuple[Bundle, Bundle], store: Store) -> None:
    store.append([Event("e1", "stranger", "item7", "view", NOW - 7200)])
    store.add_served([served("stranger"), served("nobody")])
    report = shadow(store, *bundles, SETTINGS, seed=0, now=NOW)
    assert report.old is not None
    assert report.new is not None
    assert report.old.filled == report.new.filled == 0.5  # who is unknown gets popular items


def test_a_list_of_popular_items_is_asked_for_again_as_it_was(bundles: tuple[Bundle, Bundle], store: Store) -> None:
    old, new = bundles
    store.append([Event("e1", "stranger", "item7", "view", NOW - 1800)])
    popular = ListDetails(asked="full", fallback="unknown user")
    store.add_served(
        [
            served("nobody", model="popularity", details=popular),
            served("stranger", model="popularity", details=popular),
            served("stranger", hours_ago=0.25, model="popularity", details=popular),
            served("user1", model="popularity"),  # nobody asked for another model
        ]
    )
    report = shadow(store, old, new, SETTINGS, seed=0, now=NOW)
    assert report.replayed == 4
    assert report.old is not None
    assert report.new is not None
    assert report.old.filled == report.new.filled == 0.5  # once the stranger has seen something, the list is personal


def test_what_cannot_be_replayed_is_counted(bundles: tuple[Bundle, Bundle], store: Store) -> None:
    visitor = served("visitor", details=ListDetails(history=3))
    old_list = served("user1", hours_ago=30)
    store.add_served([served(None), served("user1", item_ids=()), visitor, old_list, served("user2")])
    report = shadow(store, *bundles, SETTINGS, seed=0, now=NOW)
    assert report.logged == 4  # one is of another day
    assert report.skipped == {SESSIONS: 1, EMPTY: 1, UNKNOWN_HISTORY: 1}
    assert report.replayed == 1


def test_a_page_is_replayed_as_that_page(bundles: tuple[Bundle, Bundle], store: Store) -> None:
    old, _ = bundles
    whole = own_list(old, 4, 10)
    details = ListDetails(offset=5, history=3)
    store.add_served([served("user4", item_ids=whole[5:], details=details, bundle_version=old.version)])
    report = shadow(store, old, old, SETTINGS, seed=0, now=NOW)
    assert report.as_served == 1


def test_live_items_and_rules_of_the_shop_are_obeyed(bundles: tuple[Bundle, Bundle], store: Store) -> None:
    old, _ = bundles
    first, second, *_ = own_list(old, 5)
    store.items.write([ItemWrite("patch", first, {AVAILABLE: False}, known=True)], timestamp=NOW, who=None)
    body = f'{{"id": "no", "action": {{"type": "hide"}}, "where": "item.id == \\"{second}\\""}}'
    store.rules.put("no", body, who=None, timestamp=NOW, most=10)
    store.add_served([served("user5", item_ids=own_list(old, 5), bundle_version=old.version)])
    report = shadow(store, old, old, SETTINGS, seed=0, now=NOW)
    assert report.as_served == pytest.approx((K - 2) / K)


def test_the_sample_is_seeded_and_of_the_size_asked_for(bundles: tuple[Bundle, Bundle], store: Store) -> None:
    old, new = bundles
    store.add_served([served(f"user{n}", request_id=f"r{n}") for n in range(40)])
    few = replace_lists(SETTINGS, 10)
    one, again, other = (shadow(store, old, new, few, seed=seed, now=NOW) for seed in (1, 1, 2))
    assert one.replayed == 10
    assert one.logged == 40
    assert one.overlap == again.overlap
    assert (one.overlap, one.entered) != (other.overlap, other.entered)


def replace_lists(settings: ShadowConfig, lists: int) -> ShadowConfig:
    return settings.model_copy(update={"lists": lists})


def test_time_is_bounded(bundles: tuple[Bundle, Bundle], store: Store) -> None:
    store.add_served([served(f"user{n}", request_id=f"r{n}") for n in range(5)])
    report = shadow(store, *bundles, SETTINGS.model_copy(update={"seconds": 1e-9}), seed=0, now=NOW)
    assert report.skipped == {OUT_OF_TIME: 5}
    assert report.replayed == 0
    assert report.overlap is None
    assert report.refusals == ()


def test_a_bundle_that_fails_is_refused(bundles: tuple[Bundle, Bundle], store: Store, tmp_path: Path) -> None:
    old, _ = bundles
    store.add_served([served("user1"), served("user2", model="bpr")])
    without = tmp_path / "without" / old.version
    with open_bundle(make_bundle(tmp_path / "own", seed=2)) as made:
        shutil.copytree(made.path, without)
    with open_bundle(without) as new:
        del new.manifest.sources["bpr"]
        object.__setattr__(new, "ranker", None)
        report = shadow(store, old, new, ShadowConfig(), seed=0, now=NOW)  # too few lists for anything else
    assert report.new is not None
    assert report.new.failures == {"'bpr'": 1}
    assert len(report.refusals) == 1
    assert "failed on the new bundle" in report.refusals[0]


def test_other_lists_slower_lists_and_filled_lists_are_refused(bundles: tuple[Bundle, Bundle], store: Store) -> None:
    store.add_served([served(f"user{n}", request_id=f"r{n}") for n in range(10)])
    report = shadow(store, *bundles, SETTINGS, seed=0, now=NOW)
    assert report.old is not None
    assert report.new is not None
    assert report.overlap is not None
    strict = ShadowConfig(least_lists=1)
    quick = Latency(5, 10)  # not those of this machine
    same = replace(
        report,
        overlap=replace(report.overlap, mean=1.0),
        old=replace(report.old, latency=quick),
        new=replace(report.new, latency=quick),
    )
    apart = replace(same, overlap=replace(report.overlap, mean=0.05))
    slow = replace(
        same, old=replace(report.old, latency=Latency(5, 30)), new=replace(report.new, latency=Latency(5, 61))
    )
    filled = replace(same, new=replace(report.new, latency=quick, filled=report.old.filled + 0.06))
    assert [len(list(refusals_of(one, strict))) for one in (same, apart, slow, filled)] == [0, 1, 1, 1]
    cautious = strict.model_copy(update={"least_lists": 11})
    assert not list(refusals_of(apart, cautious))  # ten lists say nothing
    fast = replace(slow, new=replace(report.new, latency=Latency(5, 60)))
    assert not list(refusals_of(fast, strict))


def test_what_there_is_not_is_said(bundles: tuple[Bundle, Bundle], store: Store, tmp_path: Path) -> None:
    assert shadow(None, *bundles, SETTINGS, seed=0, now=NOW).state == "no store"
    assert shadow(store, *bundles, replace_lists(SETTINGS, 0), seed=0, now=NOW).state == "off"
    report = shadow(store, *bundles, SETTINGS, seed=0, now=NOW)
    assert report.state == "no lists"
    assert "none of a user" in report.says
    with Store.open(f"sqlite:///{tmp_path / 'never_made.sqlite'}") as gone:
        report = shadow(gone, *bundles, SETTINGS, seed=0, now=time.time())
    assert report.state == "store unavailable"
    assert "does not answer" in report.says


def test_the_report_is_plain_and_printed(bundles: tuple[Bundle, Bundle], store: Store) -> None:
    store.add_served([served("user1"), served("user2"), served(None)])
    report = shadow(store, *bundles, SETTINGS.model_copy(update={"least_overlap": 1.0}), seed=0, now=NOW)
    plain = report.as_json()
    assert plain["state"] == "compared"
    assert plain["overlap"]["mean"] == report.overlap.mean
    printed = printed_of(report)
    for word in ("2 of 3 served lists", SESSIONS, "in use", "Overlap of lists", "Against it"):
        assert word in printed


def printed_of(report: ShadowReport) -> str:
    text = StringIO()
    print_shadow(Console(file=text, width=200), report)
    return text.getvalue()
