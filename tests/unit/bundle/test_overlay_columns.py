"""Columns with other values in some rows, held against columns made of all values anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.bundle.attributes import Attributes, column_of
from recsys.bundle.overlay.columns import changed_column
from recsys.core.attributes import AttributeType

VALUES = {
    "number": st.none() | st.integers(-5, 5).map(float),
    "bool": st.none() | st.booleans(),
    "text": st.none() | st.sampled_from("abcdefg"),
    "texts": st.none() | st.lists(st.sampled_from("abcdefg"), max_size=3, min_size=1).map(tuple),
}


@st.composite
def changed_columns(draw: st.DrawFn) -> tuple[AttributeType, list[object], dict[int, object], int]:
    kind = draw(st.sampled_from(sorted(VALUES)))
    before = draw(st.lists(VALUES[kind], min_size=1, max_size=8))
    n_items = len(before) + draw(st.integers(0, 4))
    return kind, before, draw(st.dictionaries(st.integers(0, n_items - 1), VALUES[kind], max_size=6)), n_items


def values_of(kind: AttributeType, column: object, n_items: int) -> list[object]:
    attributes = Attributes({"x": kind}, {"x": column})
    return [attributes.of_item(row).get("x") for row in range(n_items)]


@given(changed_columns())
def test_a_changed_column_is_that_of_the_changed_values(
    case: tuple[AttributeType, list[object], dict[int, object], int],
) -> None:
    kind, before, changes, n_items = case
    column = column_of(kind, before)
    changed = changed_column(kind, column, changes, n_items)
    now = {**dict(enumerate(before)), **changes}
    expected = column_of(kind, [now.get(row) for row in range(n_items)])
    assert values_of(kind, changed, n_items) == values_of(kind, expected, n_items)
    assert values_of(kind, column, len(before)) == values_of(kind, column_of(kind, before), len(before))


@pytest.mark.parametrize("kind", sorted(VALUES))
def test_a_column_of_which_nothing_changes_is_shared(kind: AttributeType) -> None:
    column = column_of(kind, [None, None])
    assert changed_column(kind, column, {}, 2) is column


MISFITS = [("number", "9"), ("number", True), ("bool", 1.0), ("text", 3.0), ("texts", "abc"), ("texts", (1,))]


@pytest.mark.parametrize(("kind", "value"), MISFITS)
def test_a_value_of_another_kind_counts_as_none(kind: AttributeType, value: object) -> None:
    known = {"number": 1.0, "bool": True, "text": "a", "texts": ("a",)}[kind]
    changed = changed_column(kind, column_of(kind, [known, known]), {0: value}, 2)
    expected = list(known) if isinstance(known, tuple) else known
    assert values_of(kind, changed, 2) == [None, expected]


def test_texts_keep_their_codes() -> None:
    column = column_of("text", ["b", "a"])
    changed = changed_column("text", column, {0: "c"}, 3)
    assert changed.names.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(changed.codes, [2, 0, -1])
