from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.pipeline.features import (
    CandidateFeatures,
    CatalogueData,
    ChangedItems,
    FeatureGroup,
    FeatureInput,
    FeatureParts,
    candidate_features,
)
from recsys.pipeline.features.names import NO_NAME
from recsys.pipeline.features.registry import GROUPS
from recsys.pipeline.features.source_scores import SourceScoreFeatures
from recsys.pipeline.finalists import ScoredCandidates
from recsys.sources.lending import Loans
from recsys.sources.registry import ENTRIES, RESERVED

NAN = float("nan")


def histories(items: list[int]) -> Histories:
    """One user who took these items at times 0, 1, 2 …"""
    return Histories.from_rows(1, np.zeros(len(items), int), np.array(items, int), np.arange(len(items)))


PARTS = FeatureParts("two_tower", (), None)
ARRAYS = {"price": ["log_price"], "brand": ["brand"], "category": ["categories"], "popularity": ["log_count", "trend"]}


class Learned:
    """The arrays that the groups of features hold, by name."""

    log_price: np.ndarray
    brand: np.ndarray
    categories: np.ndarray
    log_count: np.ndarray
    trend: np.ndarray

    def __init__(self, features: CandidateFeatures) -> None:
        for group, names in ARRAYS.items():
            for name in names:
                setattr(self, name, getattr(features.groups[group], name))


def fitted_on(
    known: Histories,
    prices: np.ndarray,
    brands: list[str | None],
    categories: list[list[str] | None],
    loans: Loans | None = None,
) -> CandidateFeatures:
    loans = Loans.none(len(prices)) if loans is None else loans
    return CandidateFeatures.fit(CatalogueData(known, prices, brands, categories, loans), PARTS)


def learned(*catalogue: Any) -> Learned:
    return Learned(fitted_on(*catalogue))


def counted(known: Histories, n_items: int) -> Learned:
    return learned(known, np.full(n_items, NAN), [None] * n_items, [None] * n_items)


def test_prices_brands_and_categories_by_hand() -> None:
    fitted = learned(
        histories([0]),
        np.array([10.0, NAN, 0.0, -3.0, np.inf]),
        ["Acme", None, "", "Bolt", "Acme"],
        [["All", "Hats"], [], None, ["Hats", "Hats"], ["Hats", "All"]],
    )
    np.testing.assert_allclose(fitted.log_price, [np.log(10), NAN, NAN, NAN, NAN], rtol=1e-6)
    acme, none, empty, bolt, again = fitted.brand.tolist()
    assert none == empty == NO_NAME
    assert acme == again
    assert len({acme, bolt, NO_NAME}) == 3
    rows = [set(row.tolist()) - {NO_NAME} for row in fitted.categories]
    assert rows[0] == rows[4]
    assert [len(row) for row in rows] == [2, 0, 0, 1, 2]
    assert rows[3] < rows[0]
    assert (fitted.categories[3] != NO_NAME).sum() == 1, "a name counts once"


def test_counts_and_trend_by_hand() -> None:
    # Ten interactions, of which the last is the latest tenth: item 0. Item 3 was never taken.
    fitted = counted(histories([1, 1, 1, 1, 1, 2, 2, 0, 0, 0]), 4)
    np.testing.assert_allclose(fitted.log_count, np.log([4, 6, 3, 1]), rtol=1e-6)
    expected = [2 / (0.1 * 3 + 1), 1 / (0.1 * 5 + 1), 1 / (0.1 * 2 + 1), 1]
    np.testing.assert_allclose(fitted.trend, np.log(expected), rtol=1e-6)


def test_nothing_known_is_neutral() -> None:
    fitted = counted(histories([]), 3)
    for values in (fitted.log_count, fitted.trend, fitted.brand, fitted.categories[:, 0]):
        assert values.tolist() == [0, 0, 0]


def test_items_keep_their_attributes_under_another_numbering() -> None:
    random = np.random.default_rng(0)
    items = random.integers(0, 20, 200)
    new_row = random.permutation(20)
    prices = random.uniform(1, 50, 20)
    before = learned(histories(items), prices, [None] * 20, [[]] * 20)
    old_row = np.argsort(new_row)
    after = learned(histories(new_row[items]), prices[old_row], [None] * 20, [[]] * 20)
    for name in ("log_price", "log_count", "trend"):
        np.testing.assert_array_equal(getattr(after, name)[new_row], getattr(before, name))


def test_load_gives_back_what_was_saved(tmp_path: Path) -> None:
    prices, brands, categories = np.array([1.0, NAN, 3.0]), ["a", None, "b"], [["x"], ["x", "y"], None]
    features = fitted_on(histories([0, 1, 1]), prices, brands, categories)
    features.save(tmp_path)
    loaded = CandidateFeatures.load(tmp_path, PARTS)
    assert loaded.names == features.names
    for names in ARRAYS.values():
        for name in names:
            before, after = getattr(Learned(features), name), getattr(Learned(loaded), name)
            assert after.dtype == before.dtype
            np.testing.assert_array_equal(after, before)
    assert {name for name, group in loaded.groups.items() if group.n_items == 3} == set(ARRAYS)
    assert {group.n_items for group in loaded.groups.values()} == {3, None}


def test_what_nobody_chose_yet_borrows_count_and_trend() -> None:
    text = np.array([[1, 0.1, 0], [0, 1, 0.2], [0, 0.9, 0.1], [0.2, 0, 1]], np.float32)
    columns = (np.full(4, NAN), [None] * 4, [None] * 4)
    alone = learned(histories([0, 1, 1, 1, 3]), *columns)
    loans = Loans.of(text, np.array([True, True, False, True]))
    fitted = learned(histories([0, 1, 1, 1, 3]), *columns, loans)
    assert loans.borrowers.tolist() == [2]
    assert loans.lenders[0, 0] == 1
    for name in ("log_count", "trend"):
        before, after = getattr(alone, name), getattr(fitted, name)
        np.testing.assert_allclose(after[2], loans.weights[0] @ before[loans.lenders[0]], rtol=1e-6)
        np.testing.assert_array_equal(np.delete(after, 2), np.delete(before, 2))


@pytest.mark.parametrize("categories", [[[], []], [None, None]])
def test_a_catalogue_without_categories_has_one_empty_column(categories: list[list[str] | None]) -> None:
    fitted = learned(histories([0]), np.full(2, NAN), [None, None], categories)
    assert fitted.categories.tolist() == [[NO_NAME], [NO_NAME]]


@dataclass(frozen=True)
class RowParity(FeatureGroup):
    """A group that is not in the registry: whether an item was chosen an odd number of times, and its opposite."""

    odd: np.ndarray

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        return {"parity": ("odd", "even")}

    @property
    def n_items(self) -> int:
        return len(self.odd)

    @classmethod
    def fit(cls, data: CatalogueData, parts: FeatureParts) -> RowParity:
        return cls(np.bincount(data.histories.items, minlength=len(data.prices)) % 2)

    def changed(self, items: ChangedItems, parts: FeatureParts) -> RowParity:
        return RowParity(np.concatenate([self.odd, np.zeros(len(items.new), np.int64)]))

    def save(self, folder: Path) -> None:
        np.save(folder / "odd.npy", self.odd)

    @classmethod
    def load(cls, folder: Path, parts: FeatureParts) -> RowParity:
        return cls(np.load(folder / "odd.npy"))

    def write(self, given: FeatureInput, features: np.ndarray, first: int) -> None:
        features[..., first] = self.odd[given.candidates.items]
        features[..., first + 1] = 1 - features[..., first]


def test_a_group_is_added_by_its_class_and_one_line_of_the_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = np.full(4, NAN), [None] * 4, [None] * 4
    before = fitted_on(histories([0, 1, 1, 3]), *columns)
    listed = list(GROUPS.items())
    monkeypatch.setattr(candidate_features, "GROUPS", dict([*listed[:3], ("parity", RowParity), *listed[3:]]))
    features = fitted_on(histories([0, 1, 1, 3]), *columns)
    features.save(tmp_path)
    loaded = CandidateFeatures.load(tmp_path, PARTS)
    assert loaded.headings["parity"] == ("odd", "even")
    assert [name for name in loaded.names if name not in ("odd", "even")] == list(before.names)
    items, scores = np.array([[3, 2, 1]], np.int32), np.array([[0.5, 2, 1]], np.float32)
    candidates = ScoredCandidates(("two_tower",), items, scores[None], 3 * scores)
    given = FeatureInput(histories([0, 1]), np.zeros((1, 2), np.float32), candidates, np.zeros((0, 1, 3), np.float32))
    values, others = loaded.compute(given)[0], before.compute(given)[0]
    assert values[:, loaded.column("odd")].tolist() == [1, 0, 0]
    assert values[:, loaded.column("even")].tolist() == [0, 1, 1]
    for name in before.names:
        assert values[:, loaded.column(name)].tolist() == others[:, before.column(name)].tolist(), name


def fitted_with(parts: FeatureParts) -> CandidateFeatures:
    data = CatalogueData(histories([0]), np.array([1.0]), ["a"], [["x"]], Loans.none(1))
    return CandidateFeatures.fit(data, parts)


@pytest.mark.parametrize("source", ["popularity", "price", "brand", "category", "history", "source_sum", "two_tower"])
def test_a_source_that_bears_the_name_of_a_heading_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=f"headings of different names, got {source} more than once"):
        fitted_with(FeatureParts("two_tower", (source,), None))


def test_two_features_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="features of different names, got brand_of_last_item more than once"):
        fitted_with(FeatureParts("two_tower", ("brand_of",), None))


def test_the_columns_of_the_groups_are_those_of_their_names() -> None:
    features = fitted_with(FeatureParts("two_tower", ("als", "ease"), None))
    assert [name for names in features.headings.values() for name in names] == list(features.names)
    first = 0
    for group, column in zip(features.groups.values(), features._first_columns, strict=False):
        names = [name for names in group.names.values() for name in names]
        assert column == first
        assert list(features.names[column : column + len(names)]) == names
        first += len(names)
    assert first == len(features.names)


def test_no_source_from_outside_may_bear_the_name_of_a_heading() -> None:
    features = fitted_with(FeatureParts("two_tower", (), None))
    parts = [name.removeprefix("als_") for name in SourceScoreFeatures(("als",)).names["als"]]
    prefixes = [name.removesuffix(f"_{part}") for name in features.names for part in parts if name.endswith(f"_{part}")]
    assert {"brand_of", "category_of"} <= set(prefixes)
    assert {*features.headings, *prefixes, "rating"} <= {*RESERVED, *ENTRIES}
