import pandas as pd

from recsys.prepare.vocabulary import UNKNOWN, ItemVocabulary


def items(*rows: tuple[str, list[str]]) -> pd.DataFrame:
    return pd.DataFrame({"brand": [brand for brand, _ in rows], "categories": [names for _, names in rows]})


CATALOGUE = items(
    ("Holm", ["Shop", "Tea"]), ("Holm", ["Shop", "Tea", "Tea"]), ("Holm", ["Shop"]), ("Alba", ["Shop", "Rare"]),
    ("Alba", []), ("Zed", []), ("Zed", []), ("Once", []), ("", []),
)  # fmt: skip


def test_rows_follow_frequency_then_name() -> None:
    vocabulary = ItemVocabulary.fit(CATALOGUE)
    assert vocabulary.brands == ("Holm", "Alba", "Zed")
    assert vocabulary.categories == ("Shop", "Tea")
    assert (vocabulary.n_brands, vocabulary.n_categories) == (4, 3)


def test_the_least_frequent_are_left_out() -> None:
    vocabulary = ItemVocabulary.fit(CATALOGUE, max_brands=2, max_categories=1, min_items=1)
    assert vocabulary.brands == ("Holm", "Alba")
    assert vocabulary.categories == ("Shop",)
    assert "Once" in ItemVocabulary.fit(CATALOGUE, min_items=1).brands


def test_rows_of_known_and_unknown_values() -> None:
    vocabulary = ItemVocabulary(("Holm", "Alba"), ("Shop", "Tea"))
    new = items(("Alba", ["Tea", "Shop"]), ("Other", ["Other", "Tea"]), ("", []))
    brands, categories = vocabulary.brand_rows(new), vocabulary.category_rows(new)
    assert brands.tolist() == [2, UNKNOWN, UNKNOWN]
    assert categories.tolist() == [[2, 1], [2, UNKNOWN], [UNKNOWN, UNKNOWN]]
    assert (brands.dtype, categories.dtype) == ("int32", "int32")


def test_no_categories_at_all_still_give_a_column() -> None:
    assert ItemVocabulary((), ()).category_rows(items(("", []), ("", []))).tolist() == [[UNKNOWN], [UNKNOWN]]
    assert ItemVocabulary((), ()).category_rows(items()).shape == (0, 1)


def test_json_round_trip() -> None:
    vocabulary = ItemVocabulary(("Café", 'Quote "q"'), ("Shop",))
    assert ItemVocabulary.from_json(vocabulary.to_json()) == vocabulary
