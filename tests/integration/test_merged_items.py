"""Shops' catalogues with several records of an item: variants, pictures, files that complete each other."""

from pathlib import Path
from typing import Any

import pytest

from recsys.core.errors import DataError
from recsys.prepare.prepared import PreparedDataset
from tests.support.inputs import days, run

PRODUCTS = """Handle,Title,Vendor,Product Category,Variant Price,Colours,Stock,Image Src,Body (HTML)
i10,Blue mug,,Home > Mugs,,,,a.jpg,<p>Holds coffee.</p>
i10,,Holm,,12.50,blue|white,,b.jpg,
i10,Another title,Other,Other,13,red,5,,
i11,Plate,Holm,Home > Plates,4,,2,,
i99,Nobody's,,,,,,,
i99,,,,,,,,
"""
COLUMNS = {"item_id": "handle", "categories": "product category", "price": "variant price", "image": "image src"}
ATTRIBUTES = {"colours": "texts", "stock": "number"}


def prepared(tmp_path: Path, texts: list[str], **data: Any) -> PreparedDataset:
    log = tmp_path / "log.csv"
    log.write_text(days(1, 2))
    paths = [tmp_path / f"products{number}.csv" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, "utf8")
    return run(tmp_path, [log], metadata=paths, **data)


def items(dataset: PreparedDataset) -> dict[str, dict[str, Any]]:
    return {row["item_id"]: row for row in dataset.items.to_dict("records")}


def test_each_field_is_the_first_that_a_record_has(tmp_path: Path) -> None:
    names = COLUMNS | {"description": "Body (HTML)"}
    dataset = prepared(tmp_path, [PRODUCTS], metadata_columns=names, attributes=ATTRIBUTES, items="interacted")
    found = items(dataset)
    mug = found["i10"]
    assert (mug["title"], mug["brand"], list(mug["categories"])) == ("Blue mug", "Holm", ["Home", "Mugs"])
    assert (mug["price"], mug["image"], mug["description"]) == (12.5, "a.jpg", "Holds coffee.")
    assert (list(mug["colours"]), mug["stock"]) == (["blue", "white"], 5.0)
    assert mug["text"] == "Blue mug. Holm. Home > Mugs. Holds coffee"
    assert found["i11"]["title"] == "Plate"
    assert dataset.manifest["metadata"]["dropped"] == {"item_not_in_dataset": 2, "repeated_item": 2}


def test_files_complete_each_other(tmp_path: Path) -> None:
    dataset = prepared(
        tmp_path,
        ["item_id,title\ni10,Mug\ni11,\n", "SKU,price,title\ni10,3.5,Other\ni11,4,Plate\n"],
        items="interacted",
    )
    found = items(dataset)
    assert [(found[key]["title"], found[key]["price"]) for key in ("i10", "i11")] == [("Mug", 3.5), ("Plate", 4.0)]
    assert dataset.manifest["metadata"]["dropped"]["repeated_item"] == 2


def test_how_categories_were_split_and_names_were_found_is_in_the_manifest(tmp_path: Path) -> None:
    dataset = prepared(tmp_path, ["sku,name,category\ni10,Mug,Home > Mugs\ni11,Plate,Plates\n"])
    (entry,) = [each for each in dataset.manifest["sources"] if each["kind"] == "metadata"]
    assert entry["columns"] == {"item_id": "sku", "title": "name", "categories": "category"}
    assert entry["remarks"] == {"categories split at >": 1}


def test_a_column_that_no_catalogue_has_is_refused(tmp_path: Path) -> None:
    texts = ["item_id,title\ni10,Mug\n", "item_id,Costs\ni10,3\n"]
    with pytest.raises(DataError, match=r"cost \(data.metadata_columns.price\)(.|\n)*nearest: Costs"):
        prepared(tmp_path, texts, metadata_columns={"price": "cost"})
    dataset = prepared(tmp_path, texts, metadata_columns={"price": "costs"})
    assert items(dataset)["i10"]["price"] == 3.0


def test_fields_that_were_not_understood_are_counted_by_name(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(days(1, 2))
    path = tmp_path / "items.jsonl"
    path.write_text(
        '{"item_id": "i10", "title": ["Mug"], "price": 3}\n{"item_id": "i11", "title": {}, "price": "dear"}\n'
    )
    dataset = run(tmp_path, [log], metadata=[path])
    assert dataset.manifest["metadata"]["fields"] == {"price_not_understood": 1, "title_not_understood": 2}
    assert items(dataset)["i10"]["price"] == 3.0


def test_names_that_no_catalogue_is_read_by_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data.metadata_columns(.|\n)*none at data.metadata"):
        prepared(tmp_path, [], metadata_columns={"title": "name"})
    log, path = tmp_path / "log.csv", tmp_path / "meta.json"
    log.write_text(days(1, 2))
    path.write_text('{"asin": "i10", "title": "Mug", "imageURL": []}\n')
    with pytest.raises(DataError, match="in the format amazon_2018, whose names are known"):
        run(tmp_path, [log], metadata=[{"path": path, "format": "amazon_2018"}], metadata_columns={"title": "title"})
