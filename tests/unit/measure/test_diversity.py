from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from recsys.measure.diversity import Diversity


def items(*rows: tuple[list[str] | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame({"categories": [categories for categories, _ in rows], "brand": [brand for _, brand in rows]})


def test_by_hand() -> None:
    diversity = Diversity(
        items((["hair"], "a"), (["hair"], "a"), (["hair", "care"], "b"), (["nails"], None), ([], ""), (None, None))
    )
    assert diversity.described_share == 4 / 6
    lists = np.array(
        [
            [0, 1, -1],  # the same
            [0, 2, -1],  # one of four attributes
            [0, 3, -1],  # nothing
            [0, 1, 2],  # 0, 3/4 and 3/4
            [0, 4, 1],  # item 4 says nothing of itself
            [0, 4, 5],
            [0, -1, -1],
            [-1, -1, -1],
        ]
    )
    found = diversity.of(lists)
    assert found[:5] == pytest.approx([0, 3 / 4, 1, (0 + 3 / 4 + 3 / 4) / 3, 0])
    assert np.isnan(found[5:]).all()


def test_a_category_named_like_a_brand_is_another_attribute() -> None:
    assert Diversity(items((["dove"], None), ([], "dove"))).of(np.array([[0, 1]]))[0] == 1


def test_agrees_with_sets() -> None:
    random = np.random.default_rng(0)
    rows = [(list(random.choice(list("abcdefg"), random.integers(0, 6))), str(random.integers(3))) for _ in range(40)]
    lists = np.array([random.choice(40, 7, replace=False) for _ in range(30)])
    sets = [{*categories, f"brand {brand}"} for categories, brand in rows]
    expected = [
        np.mean([1 - len(sets[a] & sets[b]) / len(sets[a] | sets[b]) for a, b in itertools.combinations(own, 2)])
        for own in lists
    ]
    np.testing.assert_allclose(Diversity(items(*rows)).of(lists), expected)


def test_a_catalogue_without_attributes_knows_nothing() -> None:
    diversity = Diversity(items(([], None), ([], None)))
    assert diversity.described_share == 0
    assert np.isnan(diversity.of(np.array([[0, 1]]))).all()
