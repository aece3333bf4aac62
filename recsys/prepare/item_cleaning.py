"""Raw items of all formats, cleaned to the metadata of a prepared dataset."""

from __future__ import annotations

from collections import Counter
from typing import Any

from recsys.core import item_texts
from recsys.prepare.categories import CategoryReader
from recsys.prepare.formats.base import Picture, RawItem, RawTaggedItem
from recsys.prepare.prices import PriceReader

PRICES_IN = "prices_in_"


def clean_item(
    item: RawItem,
    max_chars: int,
    causes: Counter[str],
    prices: PriceReader,
    splitter: CategoryReader | None = None,
) -> tuple[Any, ...]:
    """The fields of `schema.METADATA_SCHEMA`.

    Args:
        item: as the raw file has it.
        max_chars: longest text for the text encoder.
        causes: counts fields that have a value but no meaning, or two, by cause; added to.
        prices: reads the price.
        splitter: splits categories that are one text; None: each text is one.
    """
    title = item_texts.clean_text(item.title or "")
    brand = item_texts.clean_name(item.brand or "")
    listed = splitter.read(item.categories) if splitter else _flat(item.categories)
    categories = item_texts.clean_all(listed, item_texts.clean_name)
    description = " ".join(item_texts.clean_all(_flat(item.description)))
    price = _price(item.price, prices, causes)
    if item.title and not title:
        causes["title_without_text"] += 1
    year = item.year if isinstance(item, RawTaggedItem) else ""
    separator = item_texts.category_separator(are_tags=isinstance(item, RawTaggedItem))
    text = item_texts.item_text(title, brand, categories, description, max_chars, year=year, separator=separator)
    return item.item_id, title, text, brand, categories, price, description, _first_picture(item.image)


def forget_single_currency(causes: Counter[str]) -> None:
    """Leave out the count of prices by currency where there is but one: only several are worth a word."""
    currencies = [cause for cause in causes if cause.startswith(PRICES_IN)]
    if len(currencies) == 1:
        del causes[currencies[0]]


def _price(raw: str | float | None, prices: PriceReader, causes: Counter[str]) -> float | None:
    try:
        price = prices.read(raw)
    except ValueError:
        causes["price_not_understood"] += 1
        return None
    if price is None:
        return None
    if price.ambiguous:
        causes["price_ambiguous"] += 1
    if price.currency:
        causes[PRICES_IN + price.currency_name] += 1
    return price.amount


def _flat(values: list[list[str] | str] | list[str] | str | None) -> list[str]:
    """The strings of a string, a list or a list of lists, from first to last."""
    if isinstance(values, str):
        return [values]
    return [text for value in values or () for text in ([value] if isinstance(value, str) else value)]


def _first_picture(images: list[str | Picture] | str | None) -> str:
    """Address of the first picture, empty if there is none."""
    if isinstance(images, str):
        return images
    for image in images or ():
        url = image if isinstance(image, str) else image.large or image.hi_res
        if url:
            return url
    return ""
