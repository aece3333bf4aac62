from recsys.encoding.vocabulary import UNKNOWN, ItemVocabulary

BRANDS = ("Holm", "Holm", "Holm", "Alba", "Alba", "Zed", "Zed", "Once", "")
CATEGORIES = (("Shop", "Tea"), ("Shop", "Tea", "Tea"), ("Shop",), ("Shop", "Rare"), (), (), (), (), ())


def test_rows_follow_frequency_then_name() -> None:
    vocabulary = ItemVocabulary.fit(BRANDS, CATEGORIES)
    assert vocabulary.brands == ("Holm", "Alba", "Zed")
    assert vocabulary.categories == ("Shop", "Tea")
    assert (vocabulary.n_brands, vocabulary.n_categories) == (4, 3)


def test_the_least_frequent_are_left_out() -> None:
    vocabulary = ItemVocabulary.fit(BRANDS, CATEGORIES, max_brands=2, max_categories=1, min_items=1)
    assert vocabulary.brands == ("Holm", "Alba")
    assert vocabulary.categories == ("Shop",)
    assert "Once" in ItemVocabulary.fit(BRANDS, CATEGORIES, min_items=1).brands


def test_rows_of_known_and_unknown_values() -> None:
    vocabulary = ItemVocabulary(("Holm", "Alba"), ("Shop", "Tea"))
    brands = vocabulary.brand_rows(["Alba", "Other", ""])
    categories = vocabulary.category_rows([("Tea", "Shop"), ("Other", "Tea"), ()])
    assert brands.tolist() == [2, UNKNOWN, UNKNOWN]
    assert categories.tolist() == [[2, 1], [2, UNKNOWN], [UNKNOWN, UNKNOWN]]
    assert (brands.dtype, categories.dtype) == ("int32", "int32")


def test_no_categories_at_all_still_give_a_column() -> None:
    assert ItemVocabulary((), ()).category_rows([(), ()]).tolist() == [[UNKNOWN], [UNKNOWN]]
    assert ItemVocabulary((), ()).category_rows([]).shape == (0, 1)
