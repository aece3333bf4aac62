"""The formats of raw data there are, one entry each. The module of a format is imported when the format is used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FormatEntry:
    """A format that `data.format` may name.

    Attributes:
        name: by which configs and manifests call it.
        description: what it is, in a few words.
        path: dotted path of its `recsys.prepare.formats.base.Format`.
    """

    name: str
    description: str
    path: str


_ENTRIES = (
    FormatEntry("amazon_2014", "Amazon reviews, edition of 2014", "recsys.prepare.formats.amazon.AMAZON_2014"),
    FormatEntry("amazon_2018", "Amazon reviews, edition of 2018", "recsys.prepare.formats.amazon.AMAZON_2018"),
    FormatEntry("amazon_2023", "Amazon reviews, edition of 2023", "recsys.prepare.formats.amazon.AMAZON_2023"),
    FormatEntry("events", "CSV or Parquet event log", "recsys.prepare.formats.events.EVENTS"),
    FormatEntry("recbole", "RecBole's atomic files, .inter and .item", "recsys.prepare.formats.recbole.RECBOLE"),
    FormatEntry(
        "store",
        "the server's event store, an SQLite file or PostgreSQL URL",
        "recsys.prepare.formats.event_store.STORE",
    ),
)
FORMATS = {entry.name: entry for entry in _ENTRIES}
# Of what is neither events nor a catalogue, by the kind of the inputs.
FORMATS_OF_KINDS = {
    "properties": "recsys.prepare.formats.property_log.PROPERTY_LOG",
    "users": "recsys.prepare.formats.user_records.USER_RECORDS",
}
