import pytest

from recsys.core.item_texts import item_text
from recsys.encoding import CatalogueEntry


def test_fields_are_cleaned_as_those_of_a_prepared_dataset() -> None:
    entry = CatalogueEntry.of(
        {
            "title": "Marks &amp; Spencer <b>Soap</b>",
            "brand": " Holm\n& Sons ",
            "categories": ("Beauty", "Bath &amp; Body", "Beauty", " "),
            "price": 9.5,
            "description": "First.<br>Second.",
            "stock": 3.0,
            "available": True,
        }
    )
    assert entry == CatalogueEntry(
        "Marks & Spencer Soap", "Holm & Sons", ("Beauty", "Bath & Body"), 9.5, "First. Second."
    )
    assert item_text(entry.title, entry.brand, entry.categories, entry.description, 2000) == (
        "Marks & Spencer Soap. Holm & Sons. Beauty > Bath & Body. First. Second"
    )


def test_an_item_of_which_nothing_is_said_is_an_empty_entry() -> None:
    assert CatalogueEntry.of({"title": None, "categories": None, "price": None}) == CatalogueEntry()


@pytest.mark.parametrize("fields", [{"title": 3.0}, {"categories": "Tea"}, {"price": "3"}, {"price": True}])
def test_a_field_of_another_type_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        CatalogueEntry.of(fields)  # type: ignore[arg-type]
