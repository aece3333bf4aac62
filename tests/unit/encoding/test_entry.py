from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.item_texts import item_text
from recsys.encoding import CatalogueEntry, ItemEncoder
from recsys.encoding.files import EncoderNotes, ItemInputs, PriceNotes, VocabularyNotes
from recsys.prepare.formats.base import RawItem
from recsys.prepare.item_cleaning import clean_item
from recsys.prepare.prices import PriceReader
from recsys.sources.text_lenders import TextLenders

MAX_CHARS = 40
TEXTS = st.text(st.sampled_from("ab <b></b>&amp;.>\n\t\u200béß🙂"), max_size=60)


def make_encoder() -> ItemEncoder:
    """One that only assembles texts."""
    notes = EncoderNotes(
        fingerprint="",
        weights_sha256="",
        layers=[0],
        pooling="mean",
        dim=1,
        max_tokens=8,
        text_max_chars=MAX_CHARS,
        category_separator=" > ",
        learned_dim=1,
    )
    inputs = ItemInputs(
        text_encoder="",
        text_weights_sha256="",
        price_scale=PriceNotes(mean=0.0, std=1.0),
        vocabulary=VocabularyNotes(brands=[], categories=[]),
    )
    lenders = TextLenders.of(np.zeros((0, 1), np.float32), np.zeros(0, np.bool_))
    return ItemEncoder(Path(), notes, inputs, lenders, np.zeros((0, 1), np.float16))


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


@settings(deadline=None)  # the machine may be busy
@given(title=TEXTS, brand=TEXTS, categories=st.lists(TEXTS, max_size=4), description=TEXTS)
def test_the_text_is_that_of_a_prepared_dataset(
    title: str, brand: str, categories: list[str], description: str
) -> None:
    raw = RawItem("1", title, brand, list(categories), None, description)
    _, clean_title, text, clean_brand, clean_categories, *_ = clean_item(raw, MAX_CHARS, Counter(), PriceReader())
    entry = CatalogueEntry.of(
        {"title": title, "brand": brand, "categories": tuple(categories), "description": description}
    )
    assert (entry.title, entry.brand, entry.categories) == (clean_title, clean_brand, tuple(clean_categories))
    assert make_encoder().text_of(entry) == text
