"""What the metadata of 2023 says of an item in other fields than those of the earlier editions.

Most items have no description there: what they are stands in `features` and `details`, and where `categories` is empty,
`main_category` is what there is (Hou et al. 2024).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from recsys.core.values.missing import is_missing
from recsys.prepare.formats.base import ATTRIBUTE_FIELD, OnBytes, RawItem
from recsys.prepare.formats.json_lines import raw_items
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.settings import DataConfig

_LAYOUT = "amazon_2023"


def described_items(report: InputReport, config: DataConfig, on_bytes: OnBytes) -> Iterator[list[RawItem]]:
    """Yield a metadata file of 2023, see `Format.items`; features and details are part of the descriptions."""
    # A field that is an attribute, too, is read under the name of the attribute.
    fields = {entry.column or name: ATTRIBUTE_FIELD + name for name, entry in config.attributes.items()}
    names = {name: fields.get(name, name) for name in ("features", "details", "main_category")}
    for records in raw_items(_LAYOUT, report, config, on_bytes):
        for record in records:
            _describe(record, *(getattr(record, name) for name in names.values()))
        yield records


def _describe(record: RawItem, features: Any, details: Any, main_category: Any) -> None:
    record.description = [*_texts(features), *_texts(record.description), *_stated(details)]
    if not record.categories:
        record.categories = [*_texts(main_category)]


def _texts(value: Any) -> list[str]:
    """A text, or the texts of a list; what is neither says nothing."""
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in entries if isinstance(entry, str) and not is_missing(entry)]


def _stated(details: Any) -> Iterator[str]:
    """The details that are a text or a number: `Material: Wood`."""
    if isinstance(details, str):
        try:
            details = json.loads(details)
        except ValueError:
            return
    if not isinstance(details, Mapping):
        return
    for name, value in details.items():
        if isinstance(value, int | float) or (isinstance(value, str) and not is_missing(value)):
            yield f"{name}: {value}"
