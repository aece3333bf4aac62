"""Messages about event logs that lack columns, with the lines of a config that help."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from recsys.core.errors import DataError
from recsys.prepare import columns as c
from recsys.prepare.formats.names import missing_names, nearest_names
from recsys.prepare.mapping_settings import EVENT_FIELDS, MappingConfig

_NUMBER_OR_TIME = re.compile(r"^\s*[-+]?\d[\d.,:/TZ+ -]*$")
_PLAIN = re.compile(r"[A-Za-z_][\w.-]*(?:\[\])?(?:\.[\w-]+)*")
_SHOWN_CHARS = 100


def refuse_missing(
    missing: Sequence[str], names: Sequence[str], columns: Mapping[str, str], mapping: MappingConfig, file_name: str
) -> DataError:
    """The error of a file without required columns.

    Args:
        missing: our names of what is missing.
        names: of the columns that there are.
        columns: what was found.
        mapping: what settings say.
        file_name: names the file.
    """
    wanted = ", ".join((c.USER_ID, c.ITEM_ID, c.EVENT_TYPE, c.TIMESTAMP))
    got, remedy = _got_and_remedy(missing, names, columns, mapping)
    return DataError(f"the columns {wanted} in {file_name}", got, remedy)


def _got_and_remedy(
    missing: Sequence[str], names: Sequence[str], columns: Mapping[str, str], mapping: MappingConfig
) -> tuple[str, str]:
    if mapping.header is None and is_data(names):
        places = ", ".join(["_"] * len(names))
        return (
            f"a first line that holds data and no names: {','.join(names)[:_SHOWN_CHARS]!r}",
            f"name its columns in their order, for example data.header: [user_id, item_id, event_type, timestamp], "
            f"with _ for one that is not read ({len(names)} columns: [{places}])",
        )
    if len(names) == 1 and all(name in names[0].casefold() for name in missing):
        return missing_names(missing, names), "set data.delimiter to what stands between the names"
    taken = {*columns.values(), *EVENT_FIELDS}
    nearest = nearest_names(missing, [name for name in names if name not in taken])
    remedies = [f"set data.columns: {as_yaml({**mapping.columns, **nearest})}"] if nearest else []
    left = [name for name in missing if name not in nearest]
    if c.EVENT_TYPE in left:
        remedies.append("set data.event_type: purchase, if every row is one, or what they are")
        left.remove(c.EVENT_TYPE)
    if left:
        remedies.append(f"add {', '.join(left)} (from another table of the shop), or name them in data.columns")
    if c.TIMESTAMP in left:
        remedies.append("numbers that order events can stand for times, with data.time_unit: order")
    gone = [f"{theirs} for {ours}" for ours, theirs in mapping.columns.items() if ours in missing]
    words = f"; data.columns says {', '.join(gone)}" if gone else ""
    return missing_names(missing, names) + words, "; ".join([*remedies, "or set data.format to what the file is"])


def as_yaml(columns: Mapping[str, str]) -> str:
    """A map of names as a line of a config."""
    return "{" + ", ".join(f"{ours}: {_quoted(theirs)}" for ours, theirs in columns.items()) + "}"


def _quoted(name: str) -> str:
    plain = _PLAIN.fullmatch(name) and "[" not in name
    return name if plain else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def is_data(names: Sequence[str]) -> bool:
    """Whether a first line holds values in the place of names: numbers, times, or nothing that begins as a name."""
    names = [name for name in names if name]
    return bool(names) and (
        any(_NUMBER_OR_TIME.match(name) for name in names)
        or not any(name[:1].isalpha() or name.startswith(("_", "#", "@")) for name in names)
    )
