"""How many users stand behind the entries of neighbour lists, held against histories that are counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM
from recsys.sources.content.fit import fit_text_vectors
from recsys.sources.item_to_item import transitions_fit
from recsys.sources.item_to_item.ease_fit import fit_ease
from recsys.sources.item_to_item.neighbours_fit import fit_neighbours
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.item_to_item.support import chosen_both
from recsys.sources.item_to_item.transitions_fit import fit_transitions
from tests.support.counting import both, later

N_ITEMS = 12


def shop(seed: int, n_users: int = 40) -> Histories:
    """Histories of up to 30 items of a few, many of them again and many at one moment."""
    random = np.random.default_rng(seed)
    rows = np.repeat(np.arange(n_users), random.integers(0, 30, n_users))
    items = random.choice(N_ITEMS, len(rows), p=random.dirichlet(np.full(N_ITEMS, 0.5)))
    times = np.sort(random.integers(0, 12, len(rows)))
    return Histories.from_rows(n_users, rows, items, times, weights=random.integers(1, 4, len(rows)))


def entries(lists: ItemToItem) -> dict[tuple[int, int], int]:
    """Support by item and neighbour."""
    assert lists.support is not None
    return {
        (item, int(neighbour)): int(count)
        for item in range(lists.n_items)
        for neighbour, count in zip(lists.neighbours[item], lists.support[item], strict=True)
        if neighbour != NO_ITEM
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "fit", [fit_ease, lambda *data, **settings: fit_neighbours(*data, weighting="cosine", **settings), fit_neighbours]
)
def test_lists_of_behaviour_count_who_chose_both(seed: int, fit: Callable[..., ItemToItem]) -> None:
    histories = shop(seed)
    found = entries(fit(histories, N_ITEMS, k=9))
    assert found == {pair: both(histories, *pair) for pair in found}
    assert len(found) > N_ITEMS


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("window", [1, 3, 50])
@pytest.mark.parametrize("reverse", [0.0, 0.5])
def test_transitions_count_who_chose_the_target_later(
    seed: int, window: int, reverse: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transitions_fit, "WINDOW", window)
    histories = shop(seed)
    found = entries(fit_transitions(histories, N_ITEMS, k=9, reverse=reverse, itself=True))
    assert found == {pair: later(histories, *pair, window) for pair in found}
    assert len(found) > N_ITEMS


def test_the_other_direction_and_one_moment_are_no_support_of_a_transition() -> None:
    # The first user chose 1 a day after 0; the second chose 2 and 3 at once.
    histories = Histories.from_rows(2, np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3]), np.array([0, 86_400, 7, 7]))
    assert entries(fit_transitions(histories, 4, reverse=0.5)) == {(0, 1): 1, (1, 0): 0, (2, 3): 0, (3, 2): 0}
    assert entries(fit_neighbours(histories, 4))[1, 0] == entries(fit_neighbours(histories, 4))[2, 3] == 1


def test_a_weight_of_ease_may_have_nobody_behind_it() -> None:
    histories = shop(1, 12)
    found = entries(fit_ease(histories, N_ITEMS, l2=0.05, k=N_ITEMS))
    assert 0 in found.values()
    assert found == {pair: both(histories, *pair) for pair in found}


def test_counts_stop_at_the_largest_number() -> None:
    n_users = 65_600
    rows, items = np.repeat(np.arange(n_users), 2), np.tile([0, 1], n_users)
    histories = Histories.from_rows(n_users, rows, items, np.arange(2 * n_users))
    assert chosen_both(histories, np.array([[1, NO_ITEM], [0, NO_ITEM]], np.int32)).tolist() == [[65_535, 0]] * 2


def test_support_is_kept_with_the_lists(tmp_path: Path) -> None:
    lists = fit_transitions(shop(0), N_ITEMS, k=N_ITEMS)
    lists.with_decay(0.5).save(tmp_path)
    loaded = ItemToItem.load(tmp_path)
    assert loaded.support is not None
    assert loaded.support.dtype == np.uint16
    np.testing.assert_array_equal(loaded.support, lists.support)
    assert {pair: loaded.supporters(*pair) for pair in entries(lists)} == entries(lists)


def test_who_is_not_in_a_list_has_no_supporters() -> None:
    lists = fit_neighbours(shop(0), N_ITEMS, k=2)
    absent = next(other for other in range(N_ITEMS) if other not in lists.neighbours[0])
    assert lists.supporters(0, absent) == 0


def test_lists_of_content_count_nobody(tmp_path: Path) -> None:
    lists = fit_text_vectors(np.random.default_rng(0).normal(size=(N_ITEMS, 4)), k=3)
    lists.save(tmp_path)
    assert lists.support is None
    assert ItemToItem.load(tmp_path).support is None
    assert lists.supporters(0, 1) is None
