"""The fields of a catalogue, and what shops and their programs call them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from recsys.prepare import columns as c
from recsys.prepare.formats.matching import plain_name
from recsys.prepare.mapping_settings import ITEM_FIELDS

# In plain form, see `plain_name`. Names that hardly mean anything else; a file that has two of one field is unclear.
_USUAL: Final = {
    c.ITEM_ID: "id productid sku articleid itemnumber stockcode movieid",
    c.TITLE: "name productname productname itemname producttitle itemtitle prodname",
    c.BRAND: "vendor manufacturer brandname productbrand",
    c.CATEGORIES: "category categorycode categoryname categorypath productcategory productcategories producttype genre "
    "genres",
    c.PRICE: "unitprice productprice itemprice regularprice variantprice",
    c.DESCRIPTION: "desc productdescription itemdescription longdescription body bodyhtml detaildesc",
    c.IMAGE: "images imageurl imageurls imagelink imagesrc picture pictureurl thumbnail img",
}
_ALIASES: Final = {field: frozenset((field.replace("_", ""), *_USUAL[field].split())) for field in ITEM_FIELDS}


def aliases_among(field: str, names: Iterable[str]) -> list[str]:
    """Those of the names that are well-known ones of a field."""
    return [name for name in names if plain_name(name) in _ALIASES[field]]
