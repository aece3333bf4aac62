"""What is known of items beside the records of catalogues: what events and property logs tell, and live changes.

record of a catalogue ─ what it lacks: told by rows with a time ─ what the shop said since: live changes ─► metadata
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from recsys.core.item_changes import AVAILABLE, CATEGORIES, PRICE, TEXT_FIELDS, ItemChange
from recsys.core.item_texts import item_text
from recsys.prepare import columns as c
from recsys.prepare.attribute_settings import AttributeConfig, Attributes, types_of
from recsys.prepare.attributes import AttributeReader
from recsys.prepare.categories import CategoryReader, as_list
from recsys.prepare.engine import item_metadata
from recsys.prepare.engine.staging import Database
from recsys.prepare.engine.told import Told
from recsys.prepare.formats.base import ATTRIBUTE_FIELD, RawItem, with_attributes
from recsys.prepare.inputs import Input
from recsys.prepare.item_cleaning import clean_item
from recsys.prepare.prices import PriceReader
from recsys.prepare.schema import METADATA_SCHEMA, attribute_fields
from recsys.prepare.settings import DataConfig

NO_SUCH_ATTRIBUTE = "live_field_that_is_no_attribute"
DELETED_ITEM = "deleted_item"
_FIELDS: Final = (*TEXT_FIELDS, CATEGORIES, PRICE)
_TEXTS: Final = (c.TITLE, c.BRAND, c.CATEGORIES, c.DESCRIPTION)
Values = dict[str, Any]
"""Of an item by the names of the columns of table `metadata`; empty or None where nothing is known."""


class KnownItems:
    """What is known of items beside their records.

    Attributes:
        attributes: those of the config, and `available` where a live change takes an item out of all lists.
    """

    def __init__(
        self, db: Database, told: Told, changes: Sequence[ItemChange], data: DataConfig, source: Input
    ) -> None:
        """Tables `items`, of those with interactions, and `told_items` hold all that they will.

        Args:
            db: with these tables.
            told: what events and property logs tell.
            changes: live ones, each item once.
            data: the settings.
            source: is told why values are not understood.
        """
        told.close()
        self._db, self._told, self._data = db, told, data
        self._changes = {change.item_id: change for change in changes}
        deleted = {change.item_id for change in changes if change.deleted}
        self._gone = deleted - item_metadata.with_interactions(db, deleted)
        self.attributes: Attributes = dict(data.attributes)
        if any(_is_unavailable(change) for change in changes if change.item_id not in self._gone):
            self.attributes.setdefault(AVAILABLE, AttributeConfig(type="bool"))
        self._columns = attribute_fields(types_of(self.attributes))
        categories = CategoryReader(data.category_separator, source.report)
        self._told_reader = _Reader(self.attributes, data, source, categories)
        self._live_reader = _Reader(self.attributes, data.model_copy(update={"decimal": "."}), source)

    def complete(self, causes: Counter[str]) -> set[str]:
        """Complete table `metadata`, which holds what records say, and add the items without a record.

        Args:
            causes: counts what was not understood, and records of deleted items; added to.

        Returns:
            Names of the attributes that any of it has.
        """
        item_metadata.add_columns(self._db, self._columns[len(self._data.attributes) :])
        if gone := item_metadata.remove(self._db, self._gone):
            causes[DELETED_ITEM] += gone
        for rows in item_metadata.take_known(self._db, self._changes, self._columns):
            self._insert([dict(zip(self._names, row, strict=True)) for row in rows], causes)
        created = [item_id for item_id, change in self._changes.items() if c.TITLE in change.fields]
        nothing: Values = dict.fromkeys(METADATA_SCHEMA.names, "") | {c.CATEGORIES: [], c.PRICE: None}
        nothing |= dict.fromkeys(self.attributes)
        kept = self._data.items_kept
        for ids in item_metadata.without_record(self._db, self._changes, created, self._gone, kept):
            self._insert([nothing | {c.ITEM_ID: item_id} for item_id in ids], causes)
        return self._told_reader.found | self._live_reader.found

    @property
    def _names(self) -> list[str]:
        return [*METADATA_SCHEMA.names, *self.attributes]

    def _insert(self, items: Sequence[Values], causes: Counter[str]) -> None:
        """Put completed items into table `metadata`."""
        told = self._told.of([item[c.ITEM_ID] for item in items])
        told_values = self._told_reader.read(told, causes)
        changes = {
            item_id: self._said(change, causes)
            for item in items
            if (change := self._changes.get(item_id := item[c.ITEM_ID]))
        }
        said_values = self._live_reader.read(changes, causes)
        rows = []
        for item in items:
            item_id = item[c.ITEM_ID]
            said = {name: said_values[item_id][name] for name in changes.get(item_id, ())}
            values = self._completed(item, told_values.get(item_id, {}), said)
            rows.append(tuple(values[name] for name in self._names))
        item_metadata.insert_metadata(self._db, rows, self._columns)

    def _completed(self, item: Values, told: Values, said: Values) -> Values:
        """An item with what was told where it has nothing, and with what was said whatever it has."""
        values = item | {name: value for name, value in told.items() if item[name] in ("", None, [])} | said
        if any(values[name] != item[name] for name in _TEXTS):
            values[c.TEXT] = _text_of(values, self._data.text_max_chars)
        return values

    def _said(self, change: ItemChange, causes: Counter[str]) -> Values:
        """What a live change says, of the fields that items have here."""
        fields: Values = dict(change.fields)
        if change.deleted:
            fields[AVAILABLE] = False
        known = {name: value for name, value in fields.items() if name in _FIELDS or name in self.attributes}
        if unknown := fields.keys() - known.keys() - {AVAILABLE}:
            causes[NO_SUCH_ATTRIBUTE] += len(unknown)
        return known


def _text_of(values: Values, max_chars: int) -> str:
    return item_text(values[c.TITLE], values[c.BRAND], values[c.CATEGORIES], values[c.DESCRIPTION], max_chars)


def _is_unavailable(change: ItemChange) -> bool:
    return change.deleted or change.fields.get(AVAILABLE) is False


def _read_list(value: object) -> list[Any] | None:
    """A list that was told as a text; None: it is none."""
    return as_list(value) if isinstance(value, str) else None


class _Reader:
    """Reads values of items as those of a catalogue are read.

    Attributes:
        found: names of attributes that have had a value.
    """

    def __init__(
        self, attributes: Attributes, data: DataConfig, source: Input, categories: CategoryReader | None = None
    ) -> None:
        """`categories` splits those that are one text, as rows of files have them."""
        self._categories = categories
        self._types, self._max_chars = types_of(attributes), data.text_max_chars
        self._item_type = with_attributes(RawItem, attributes)
        self._prices = PriceReader(data.decimal_mark)
        self._attributes = AttributeReader(attributes, data.decimal_mark, source)

    @property
    def found(self) -> set[str]:
        return self._attributes.found

    def read(self, fields_of: Mapping[str, Mapping[str, Any]], causes: Counter[str]) -> dict[str, Values]:
        """Values of items, by id, as their columns hold them."""
        items = [self._item(item_id, fields) for item_id, fields in fields_of.items()]
        self._prices.see(item.price for item in items)
        self._attributes.see(items)
        if self._categories:
            self._categories.see(item.categories for item in items)
        return {item.item_id: self._values(item, causes) for item in items}

    def _item(self, item_id: str, fields: Mapping[str, Any]) -> RawItem:
        values: Values = {}
        for name, value in fields.items():
            kind = self._types.get(name)
            listed = list(value) if isinstance(value, tuple) else _read_list(value) if kind == "texts" else None
            values[ATTRIBUTE_FIELD + name if kind else name] = value if listed is None else listed
        return self._item_type(item_id=item_id, **values)

    def _values(self, item: RawItem, causes: Counter[str]) -> Values:
        row = clean_item(item, self._max_chars, causes, self._prices, self._categories)
        values = dict(zip(METADATA_SCHEMA.names, row, strict=True))
        return values | dict(zip(self._types, self._attributes.read(item, causes), strict=True))
