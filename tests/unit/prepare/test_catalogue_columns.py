"""Names of the columns of catalogues: ours, well-known ones, those of the config, whatever the case; and none."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from recsys.core.errors import DataError
from tests.support.catalogues import read


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "products.csv"
    path.write_text(text, "utf8")
    return path


def fields(item: Any) -> dict[str, Any]:
    names = ("item_id", "title", "brand", "categories", "price", "description", "image")
    return {name: getattr(item, name) for name in names if getattr(item, name) is not None}


MUG = {"item_id": "7", "title": "Mug", "brand": "Holm", "categories": "Cups", "price": "3.5"}


@pytest.mark.parametrize(
    "header",
    [
        "item_id,title,brand,categories,price",
        "ITEM_ID,Title,Brand,CATEGORIES,Price",
        "Product ID,Name,Vendor,Category,Unit price",
        "sku,name,manufacturer,category_code,price",
        "id,title,brand,genres,price",
    ],
)
def test_ours_whatever_the_case_and_well_known_ones(tmp_path: Path, header: str) -> None:
    (item,), report = read(write(tmp_path, f"{header}\n7,Mug,Holm,Cups,3.5\n"))
    assert fields(item) == MUG
    assert report.columns == {
        ours: theirs for ours, theirs in zip(MUG, header.split(","), strict=True) if ours != theirs
    }
    assert report.assumed == []


def test_the_config_says_what_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "sku,ID,name,Titel,maker\nm-1,7,no,Mug,Holm\n")
    (item,), report = read(path, metadata_columns={"item_id": "id", "title": "titel", "brand": "maker"})
    assert fields(item) == {"item_id": "7", "title": "Mug", "brand": "Holm"}
    assert report.columns == {"item_id": "ID", "title": "Titel", "brand": "maker"}


def test_ours_come_before_well_known_ones(tmp_path: Path) -> None:
    (item,), report = read(write(tmp_path, "item_id,id,name,title\n7,1,no,Mug\n"))
    assert fields(item) == {"item_id": "7", "title": "Mug"}
    assert report.columns == {}


def test_two_well_known_names_of_one_field_are_told_and_not_read(tmp_path: Path) -> None:
    (item,), report = read(write(tmp_path, "id,title,category,product_type\n7,Mug,Cups,Ware\n"))
    assert fields(item) == {"item_id": "7", "title": "Mug"}
    remark = "categories is not read: it may be category or product_type; set data.metadata_columns: "
    assert report.assumed == [remark + "{categories: category}"]


def test_a_column_of_an_attribute_is_no_alias(tmp_path: Path) -> None:
    (item,), _ = read(write(tmp_path, "id,Vendor\n7,Holm\n"), attributes={"vendor": "text"})
    assert (item.brand, item.attribute_vendor) == (None, "Holm")


def test_attributes_whatever_the_case_and_by_the_config(tmp_path: Path) -> None:
    path = write(tmp_path, "id,STOCK,Inventory Qty\n7,3,4\n8,,\n")
    items, _ = read(path, attributes={"stock": "number"})
    assert [item.attribute_stock for item in items] == ["3", None]
    items, _ = read(path, attributes={"stock": "number"}, metadata_columns={"stock": "inventory qty"})
    assert [item.attribute_stock for item in items] == ["4", None]


@pytest.mark.parametrize(
    ("text", "got", "remedy"),
    [
        ("code,name\n7,Mug\n", "no item_id among code, name", "item_id: THE_COLUMN_OF_IDS"),
        (
            "product_code,name\n7,Mug\n",
            "nearest: product_code",
            "metadata_columns:\n             item_id: product_code",
        ),
        ("ID,SKU,Name\n7,m-1,Mug\n", "ID and SKU among ID, SKU, Name: any of them may be", "item_id: ID"),
        ("ID,id,Name\n7,m-1,Mug\n", "ID and id among ID, id, Name", "item_id: ID"),
        ("Item_ID,ITEM_ID,Name\n7,8,Mug\n", "Item_ID and ITEM_ID", "as it is written"),
    ],
)
def test_ids_that_cannot_be_told(tmp_path: Path, text: str, got: str, remedy: str) -> None:
    with pytest.raises(DataError) as raised:
        read(write(tmp_path, text))
    assert got in raised.value.got
    assert remedy in raised.value.remedy


def test_an_id_that_the_config_names_and_the_file_lacks(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the item's id \(code\)(.|\n)*no code among Code number, name"):
        read(write(tmp_path, "Code number,name\n7,Mug\n"), metadata_columns={"item_id": "code"})


def test_a_field_that_the_config_names_and_the_file_lacks_is_kept_in_mind(tmp_path: Path) -> None:
    _, report = read(write(tmp_path, "id,name\n7,Mug\n"), metadata_columns={"price": "cost"})
    assert report.absent == {"price": "cost"}


@pytest.mark.parametrize(
    ("names", "format_name"),
    [("asin,title,brand,imUrl", "amazon_2014"), ("parent_asin,title,store,images", "amazon_2023")],
)
def test_amazons_names_belong_to_its_formats(tmp_path: Path, names: str, format_name: str) -> None:
    path = write(tmp_path, f"{names}\n7,a,b,c\n")
    with pytest.raises(DataError, match=f"format: {format_name}"):
        read(path)
    (item,), _ = read(path, metadata_columns={"item_id": names.partition(",")[0]})
    assert item.title == "a"


def test_fields_that_are_not_understood_do_not_cost_the_others(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(
        '{"id": 1, "name": ["Mug"], "brand": "Holm", "price": true}\n'
        '{"id": 2, "name": {"en": "Mug"}, "brand": "\\ud800", "price": [1]}\n'
        '{"id": 3, "name": "Mug", "brand": NaN, "price": "NaN", "image": 5}\n'
    )
    items, report = read(path)
    assert [fields(item) for item in items] == [
        {"item_id": "1", "brand": "Holm"},
        {"item_id": "2"},
        {"item_id": "3", "title": "Mug"},
    ]
    assert report.left_out == {
        "title_not_understood": 2,
        "price_not_understood": 2,
        "brand_not_understood": 1,
        "image_not_understood": 1,
    }
    assert report.bad == 0


SHOPIFY = """Handle,Title,Vendor,Product Category,Variant SKU,Variant Price,Stock,Image Src
mug,Mug,Holm,Home > Mugs,mug-blue,3.5,0,a.jpg
mug,,,,mug-red,4.5,2,
mug,,,,,,,b.jpg
plate,Plate,,,plate-1,,1,
,,,,,,,c.jpg
"""


def test_rows_of_one_product_share_its_texts(tmp_path: Path) -> None:
    names = {"item_id": "Variant SKU", "group": "Handle", "categories": "product category", "image": "image src"}
    names |= {"price": "Variant Price"}
    items, report = read(write(tmp_path, SHOPIFY), metadata_columns=names, attributes={"stock": "number"})
    mug = {"title": "Mug", "brand": "Holm", "categories": "Home > Mugs", "image": "a.jpg"}
    assert [fields(item) for item in items] == [
        {"item_id": "mug-blue", **mug, "price": "3.5"},
        {"item_id": "mug-red", **mug, "price": "4.5"},
        {"item_id": "plate-1", "title": "Plate"},
    ]
    assert [item.attribute_stock for item in items] == ["0", "2", "1"]
    assert report.dropped == {"row_without_id": 1, "missing_field": 1}
    assert report.bad == 1


def test_a_row_without_a_group_is_that_of_its_id(tmp_path: Path) -> None:
    text = "SKU,Parent,Name,Categories\ncup,,Cup,Home > Cups\ncup-s,cup,Cup S,\ncup-l,cup,,\nlid,,Lid,\n"
    items, _ = read(write(tmp_path, text), metadata_columns={"group": "Parent"})
    assert [(item.item_id, item.title, item.categories) for item in items] == [
        ("cup", "Cup", "Home > Cups"),
        ("cup-s", "Cup S", "Home > Cups"),
        ("cup-l", "Cup", "Home > Cups"),
        ("lid", "Lid", None),
    ]


def test_categories_of_several_columns(tmp_path: Path) -> None:
    text = "article_id,prod_name,Section,group_name\n0108,Top,Women,Jersey\n0109,Belt,Women,\n0110,Hat,,\n"
    items, _ = read(write(tmp_path, text), metadata_columns={"categories": ["section", "group_name"]})
    assert [(item.item_id, item.categories) for item in items] == [
        ("0108", ["Women", "Jersey"]),
        ("0109", ["Women"]),
        ("0110", None),
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"titel": "Name"}, "titel, which is no field of items; there are item_id, title"),
        ({"title": ["a", "b"]}, "several columns for title; only categories may"),
        ({"categories": ["a", "a"]}, "a more than once"),
    ],
)
def test_settings_that_mean_nothing(tmp_path: Path, names: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        read(write(tmp_path, "id\n1\n"), metadata_columns=names)


def test_a_catalogue_without_a_first_line_of_names(tmp_path: Path) -> None:
    text = "7;x;Mug;3,5\n8;y;Plate;4\n"
    with pytest.raises(DataError, match=r"holds data(.|\n)*data.metadata_header"):
        read(write(tmp_path, text))
    items, report = read(
        write(tmp_path, text), metadata_header=["sku", "_", "title", "cost"], metadata_columns={"price": "cost"}
    )
    assert [fields(item) for item in items] == [
        {"item_id": "7", "title": "Mug", "price": "3,5"},
        {"item_id": "8", "title": "Plate", "price": "4"},
    ]
    assert report.lines == 2
