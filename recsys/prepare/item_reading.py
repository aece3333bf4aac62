"""The records of one catalogue, cleaned: what its first ones show of how values are written holds for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from recsys.prepare.attributes import AttributeReader
from recsys.prepare.categories import CategoryReader
from recsys.prepare.formats.base import RawItem
from recsys.prepare.inputs import Input
from recsys.prepare.item_cleaning import clean_item
from recsys.prepare.prices import PriceReader
from recsys.prepare.settings import DataConfig


class ItemReader:
    """Reads the records of one catalogue.

    Attributes:
        merges: whether several records of one item are merged.
    """

    def __init__(self, catalogue: Input, data: DataConfig, causes: Counter[str]) -> None:
        """`causes` counts fields that were not understood; added to."""
        self.merges = catalogue.format.is_catalogue
        self._max_chars, self._causes = data.text_max_chars, causes
        self._prices = PriceReader(data.decimal_mark)
        splits = self.merges or data.category_separator is not None
        self._categories = CategoryReader(data.category_separator, catalogue.report) if splits else None
        self._attributes = AttributeReader(data.attributes, data.decimal_mark, catalogue)

    @property
    def found(self) -> set[str]:
        """Names of the attributes that a record has had."""
        return self._attributes.found

    def see(self, records: Sequence[RawItem]) -> None:
        """Look at the next records, before they are read."""
        self._prices.see(record.price for record in records)
        self._attributes.see(records)
        if self._categories:
            self._categories.see(record.categories for record in records)

    def rows(self, records: Iterable[RawItem]) -> list[tuple[Any, ...]]:
        """The fields of `schema.METADATA_SCHEMA` of each record, then its attributes."""
        return [
            clean_item(record, self._max_chars, self._causes, self._prices, self._categories)
            + self._attributes.read(record, self._causes)
            for record in records
        ]
