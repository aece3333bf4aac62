"""All formats of raw data by the name that `data.format` gives them."""

from __future__ import annotations

from pkgutil import resolve_name

from recsys.prepare.formats.base import Format

# Name -> where its `Format` is defined; only the module of the format in use is imported.
FORMATS = {
    "amazon_2014": "recsys.prepare.formats.amazon:AMAZON_2014",
    "amazon_2018": "recsys.prepare.formats.amazon:AMAZON_2018",
    "amazon_2023": "recsys.prepare.formats.amazon:AMAZON_2023",
    "events": "recsys.prepare.formats.events:EVENTS",
    "recbole": "recsys.prepare.formats.recbole:RECBOLE",
    "store": "recsys.prepare.formats.event_store:STORE",
}


def load_format(name: str) -> Format:
    """The format of a name in `FORMATS`."""
    entry = resolve_name(FORMATS[name])
    if not isinstance(entry, Format):
        raise TypeError(f"{FORMATS[name]} is no Format")
    return entry
