"""Generated shops: what their users choose has the chances that are told, and lists are the likeliest items."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.shops import catalogue
from benchmarks.shops.chances import Leanings, Shelf, Situations
from benchmarks.shops.parameters import NATURES, ShopParameters
from benchmarks.shops.users import choices, chunks, draw, profiles
from benchmarks.shops.world import PRICE_LEVELS, Tables, World

SMALL = ShopParameters(users=400, items=120, events=3200, fewest_events=3, days=900, periods=12)


@pytest.fixture(scope="module")
def worlds() -> dict[str, World]:
    return {
        nature: World.of(replace(SMALL, lifetime=4) if nature == "text" else SMALL.of_nature(nature))
        for nature in ("mixed", "text", "repeat")
    }


def by_hand() -> Tables:
    """Two clusters in one period: items 0, 1 and 2 of one, of two price levels, and item 3 of the other."""
    first = np.array([[0, 2, 3, 3, 3, 4, 4, 4]], np.int32)
    stop = np.array([[2, 3, 3, 3, 4, 4, 4, 4]], np.int32)
    return Tables(
        parts=np.array([0.5, 0.3, 0.2, 0.0]),
        repeats=False,
        weight=np.array([3.0, 1.0, 2.0, 4.0]),
        sums=np.array([0.0, 3.0, 4.0, 6.0, 10.0]),
        cell=np.array([0, 0, 1, 4], np.int32),
        first=first,
        stop=stop,
        drift=np.ones((1, 2)),
        in_favour=np.array([[0.6, 1.0]]),
        liked=np.array([0.0, 6.0, 10.0]),
        successors=np.array([[1, 1, 2, 2, 3, 3]] + [[0] * 6] * 3, np.int32),
        lengths=np.array([1.0]),
        fewest=1,
        days=1,
        seed=0,
    )


def test_chances_by_hand() -> None:
    tables = by_hand()
    world = World(SMALL, tables, *[np.zeros(4, np.int64)] * 3)
    zero = np.zeros(1, np.int64)
    likes = Leanings(np.array([0, 1]), zero, zero, np.ones(1))  # cluster 0, the lowest price level
    situation = Situations(zero, likes, np.array([0, 1]), zero)  # has item 0
    # A price level off fits exp(-(1 / .8)^2 / 2) = .457833 times as well:
    # the cluster weighs 3 + 1 + 2 x .457833 = 4.915667.
    # Item 1: .5 x (.4 + .2) + .3 / 4.915667 + .2 x .1 = .381029
    # Item 2: .5 x (.15 + .1) + .3 x .915667 / 4.915667 + .2 x .2 = .220883
    # Item 3: .5 x (.1 + .05) + .2 x .4 = .155
    masses = np.array([0.381029, 0.220883, 0.155])
    shelf = Shelf(world)
    np.testing.assert_allclose(shelf.chances(situation, 0, [0, 1, 2, 3]), [0, *masses / masses.sum()], atol=1e-5)
    items, chances = shelf.best(situation, 3)
    assert items.tolist() == [[1, 2, 3]]
    np.testing.assert_allclose(chances[0], masses / masses.sum(), atol=1e-5)
    # Where item 1 is in no catalogue, the others share what is left.
    kept = Shelf(world, np.array([True, False, True, True]))
    np.testing.assert_allclose(kept.chances(situation, 0, [1, 2, 3]), [0, *masses[1:] / masses[1:].sum()], atol=1e-5)
    assert kept.best(situation, 3)[0].tolist() == [[2, 3, -1]]
    # Without a history nothing follows: .3 x 3 / 4.915667 + .2 x .3 of .5 in all.
    fresh = Situations(zero, likes, np.array([0, 0]), np.empty(0, np.int64))
    assert shelf.chances(fresh, 0, zero)[0] == pytest.approx((0.183088 + 0.06) / 0.5, abs=1e-5)


def situations(world: World, users: np.ndarray, day: int) -> Situations:
    """What is known of users on a day."""
    chosen = choices(world, users)
    owners = np.repeat(np.arange(len(users)), np.diff(chosen.indptr))
    before = chosen.days < day
    indptr = np.concatenate([[0], np.cumsum(np.bincount(owners[before], minlength=len(users)))])
    periods = np.full(len(users), day * world.parameters.periods // world.parameters.days)
    return Situations(periods, Leanings.known(world, periods, *profiles(world, users)), indptr, chosen.items[before])


@pytest.mark.parametrize("nature", ["mixed", "text", "repeat"])
def test_draws_have_the_chances_that_are_told(worlds: dict[str, World], nature: str) -> None:
    world, users, day, draws = worlds[nature], np.arange(40), 800, 8000
    known = situations(world, users, day)
    row = int(np.diff(known.indptr).argmax())
    tastes, levels = profiles(world, users[row : row + 1])
    history = known.items[known.indptr[row] : known.indptr[row + 1]]
    assert len(history) > 3
    state = np.array([7], np.uint64)
    arguments = (world.tables, state, int(known.periods[row]), tastes[0], int(levels[0]), history)
    drawn = np.bincount([draw(*arguments) for _ in range(draws)], minlength=SMALL.items)
    wanted = Shelf(world).chances(known, row, np.arange(SMALL.items))
    assert wanted.sum() == pytest.approx(1, abs=1e-9)
    assert not drawn[wanted == 0].any()
    spread = np.sqrt(draws * wanted * (1 - wanted))
    assert np.abs(drawn - draws * wanted).max() < 5 * spread.max()
    likely = draws * wanted > 5
    assert (((drawn - draws * wanted) / np.maximum(spread, 1e-9))[likely] ** 2).mean() < 2


@pytest.mark.parametrize("nature", ["mixed", "text", "repeat"])
def test_lists_hold_the_likeliest_of_all_items(worlds: dict[str, World], nature: str) -> None:
    world, users = worlds[nature], np.arange(60)
    known = situations(world, users, 700)
    kept = np.random.default_rng(0).random(SMALL.items) < 0.8
    shelf = Shelf(world, kept)
    items, chances = shelf.best(known, 12)
    for row in users.tolist():
        every = shelf.chances(known, row, np.arange(SMALL.items))
        assert every.sum() == pytest.approx(1, abs=1e-9)
        np.testing.assert_allclose(chances[row], np.sort(every)[::-1][:12], atol=1e-12)
        listed = items[row][items[row] >= 0]
        assert len(set(listed.tolist())) == len(listed)
        np.testing.assert_allclose(every[listed], chances[row][: len(listed)], atol=1e-12)


@pytest.mark.parametrize("nature", ["mixed", "text", "repeat"])
def test_what_users_choose_is_on_sale_and_new_to_them(worlds: dict[str, World], nature: str) -> None:
    world = worlds[nature]
    chosen = choices(world, np.arange(SMALL.users))
    periods = chosen.days * SMALL.periods // SMALL.days
    ends = np.full(SMALL.items, SMALL.periods) if nature != "text" else world.launch + 4
    assert (world.launch[chosen.items] <= periods).all()
    assert (periods < ends[chosen.items]).all()
    pairs = chosen.users * SMALL.items + chosen.items
    assert (len(np.unique(pairs)) == len(pairs)) is (nature != "repeat")
    days = chosen.users * SMALL.days + chosen.days
    assert (np.diff(days) > 0).all(), "a user's choices are in the order of days, one a day"
    assert chosen.days.max() < SMALL.days


def test_a_user_is_the_same_in_every_chunk(worlds: dict[str, World]) -> None:
    world = worlds["mixed"]
    parts = list(chunks(world, users=150))
    assert [len(part.chosen_by) for part in parts] == [150, 150, 100]
    alone = choices(world, np.array([399, 151]))
    both = np.split(alone.items, alone.indptr[1:-1])
    for user, items in zip((399, 151), both, strict=True):
        part = parts[user // 150]
        np.testing.assert_array_equal(items, part.items[part.users == user])


def test_lengths_have_the_wanted_mean_and_a_long_tail() -> None:
    parameters = ShopParameters(users=1000, items=2000, events=12_000, fewest_events=5)
    chances = np.diff(parameters.length_chances, prepend=0)
    lengths = np.arange(5, 5 + len(chances))
    assert (lengths * chances).sum() == pytest.approx(12, abs=1e-6)
    assert chances[lengths >= 50].sum() > 0.01


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"taste": 0.6}, "must sum to 1"),
        ({"popular": 0.0, "taste": 0.7}, "popular above 0"),
        ({"again": 0.1, "taste": 0.4}, "again needs repeats"),
        ({"events": 100}, "from fewest_events"),
        ({"items": 3}, "16 items"),
    ],
)
def test_impossible_shops_are_refused(changes: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(SMALL, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("nature", NATURES)
def test_every_nature_is_a_mixture(nature: str) -> None:
    assert sum(World.of(SMALL.of_nature(nature)).tables.parts) == pytest.approx(1)


def test_texts_and_prices_tell_what_an_item_is(worlds: dict[str, World]) -> None:
    world = worlds["mixed"]
    items = list(catalogue.items(world))
    known = [row for row, item in enumerate(items) if item.categories]
    names = {(int(world.cluster[row]), items[row].categories[-1]) for row in known}
    assert len(names) == len({cluster for cluster, _ in names}) == len({name for _, name in names})
    branded = {(int(world.series[row]) // 2, item.brand) for row, item in enumerate(items) if item.brand}
    assert len({brand for _, brand in branded}) == len(branded), "two series share a brand, and no others"
    level = world.price_level
    medians = [np.median(catalogue.prices(world)[level == number]) for number in range(PRICE_LEVELS)]
    assert medians == sorted(medians)
    np.testing.assert_array_equal(
        catalogue.rows_of_codes(world, catalogue.item_codes(world)[::-1]), np.arange(120)[::-1]
    )
