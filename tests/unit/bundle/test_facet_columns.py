"""Columns that are read in one pass are those that the items give one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.bundle.attributes import column_of
from recsys.bundle.facet_columns import FacetColumns
from recsys.core.attributes import TextColumn, TextsColumn

ITEMS = [
    ("Zeta", ("All", "Tools"), 9.99),
    (None, ("All",), None),
    ("Acme", (), 0.0),
    ("", ("All",), 1.0),
    ("Zeta", ("Tools", "Tools", "Garden"), None),
]
RANDOM_ITEMS = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["", "b", "a", "c"]),
        st.lists(st.sampled_from("xyz"), max_size=3).map(tuple),
        st.none() | st.sampled_from([1.0, 2.0]),
    ),
    max_size=8,
)


def test_columns_of_some_items() -> None:
    columns = FacetColumns.of(ITEMS)
    np.testing.assert_array_equal(columns.prices, np.array([9.99, np.nan, 0, 1, np.nan], np.float32))
    assert (columns.brands, columns.brand.tolist()) == (("Zeta", "Acme"), [0, -1, 1, -1, 0])
    assert columns.path.tolist() == [0, 1, 2, 1, 3]
    assert columns.first_of_brands.tolist() == [0, 2]
    assert columns.first_of_paths.tolist() == [0, 1, 2, 4]
    assert {name: rows.tolist() for name, rows in columns.rows_of_brands().items()} == {"Zeta": [0, 4], "Acme": [2]}
    categories = {name: rows.tolist() for name, rows in columns.rows_of_categories().items()}
    assert list(categories.items()) == [("All", [0, 1, 3]), ("Tools", [0, 4]), ("Garden", [4])], "general ones first"


@given(RANDOM_ITEMS)
def test_columns_of_attributes_are_the_same_column(
    items: list[tuple[str | None, tuple[str, ...], float | None]],
) -> None:
    columns = FacetColumns.of(items)
    brands, expected = columns.brand_column(), column_of("text", [brand or None for brand, _, _ in items])
    assert isinstance(expected, TextColumn)
    assert (brands.names.tolist(), brands.codes.tolist()) == (expected.names.tolist(), expected.codes.tolist())
    lists, of_items = columns.category_column(), column_of("texts", [names for _, names, _ in items])
    assert isinstance(of_items, TextsColumn)
    assert lists.names.tolist() == of_items.names.tolist()
    assert (lists.indptr.tolist(), lists.codes.tolist()) == (of_items.indptr.tolist(), of_items.codes.tolist())
    assert (lists.codes.dtype, lists.indptr.dtype) == (of_items.codes.dtype, of_items.indptr.dtype)
