"""What is worth knowing of an event log: repeats, outstanding users, items that no catalogue has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.inspect.samples import Sample
from recsys.inspect.tables import Table
from recsys.prepare.formats.delimited_blocks import BlockReader
from recsys.prepare.formats.files import read_blocks
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.settings import DataConfig

_PATH_MARKS = frozenset(".[]")
MOST_READ = 64 << 20  # bytes of a catalogue whose ids are all read
_LEAST_EVENTS = 200  # of a sample, below which nobody stands out
_OUTSTANDING = 10  # times as many events as the median user
_NAMED = 3
_FEW_KNOWN = 0.5  # of the events
_WORTH_TELLING = 0.001  # of the rows
_NO_USER = frozenset(DataConfig.model_fields["no_user_ids"].default)


@dataclass(frozen=True)
class Fact:
    """A sentence, and whether it asks for a look."""

    text: str
    is_warning: bool = False


def facts_of(log: Table, catalogues: Sequence[Table]) -> Iterator[Fact]:
    """What a sample of an event log shows."""
    user, item = log.column("user_id"), log.column("item_id")
    if log.sample is None or user is None or item is None:
        return
    of_sample = "" if log.sample.is_whole else " of the sample"
    yield Fact(f"{user.distinct:,} users and {item.distinct:,} items in {len(user.texts):,} rows{of_sample}.")
    yield from _missing(log)
    yield from _no_users(user.texts)
    yield from _repeats(log)
    yield from _outstanding(user.texts)
    quantity = log.column("quantity")
    if quantity is not None and len(quantity.numbers) and (share := float((quantity.numbers < 0).mean())):
        yield Fact(f"{share:.1%} of the quantities are negative: returns, each takes back an earlier purchase.")
    if catalogues:
        yield _in_catalogues(item.texts, catalogues)


def _missing(log: Table) -> Iterator[Fact]:
    for role in ("user_id", "item_id", "timestamp", "event_type"):
        column = log.column(role)
        if column is not None and column.missing > 0:
            yield Fact(
                f"{column.missing:.1%} of the rows have no {role}: such rows are not read.", column.missing > 0.01
            )


def _no_users(users: pa.Array) -> Iterator[Fact]:
    lower = pc.utf8_lower(users.drop_null())
    guests = pc.is_in(lower, pa.array(sorted(_NO_USER)))
    if count := pc.sum(guests).as_py():
        words = ", ".join(pc.unique(lower.filter(guests)).to_pylist()[:_NAMED])
        yield Fact(f"{count:,} rows have a word for no user ({words}): such rows are not read.", True)


def _repeats(log: Table) -> Iterator[Fact]:
    """Of the head alone, where rows follow each other as they do in the file."""
    if log.sample is None:
        return
    head = log.sample.of_head
    names = [log.roles[role].column for role in ("user_id", "item_id", "event_type", "timestamp") if role in log.roles]
    rows = head.select([name for name in names if name in head.column_names])
    whole = len(rows) - rows.group_by(rows.column_names).aggregate([]).num_rows
    pairs = len(rows) - rows.group_by(rows.column_names[:2]).aggregate([]).num_rows
    if whole >= _WORTH_TELLING * len(rows):
        yield Fact(
            f"{whole / len(rows):.1%} of the first {len(rows):,} rows repeat another in user, item, type and time."
        )
    if pairs > max(whole, _WORTH_TELLING * len(rows)):
        text = f"{pairs / len(rows):.1%} of the first {len(rows):,} rows are of a user and an item that came before"
        yield Fact(f"{text} (data.repeats).")


def _outstanding(users: pa.Array) -> Iterator[Fact]:
    counts = pc.value_counts(users.drop_null())
    if not len(counts) or len(users) < _LEAST_EVENTS:
        return
    events = counts.field("counts").to_numpy()
    median, limit = float(np.median(events)), 0.05 * len(users)
    order = np.argsort(-events)[:_NAMED]
    for position in order.tolist():
        if events[position] > max(limit, _OUTSTANDING * median):
            name, count = counts.field("values")[position].as_py(), int(events[position])
            yield Fact(
                f"User {name[:40]!r} has {count / len(users):.1%} of the events: a crawler, a till or a test account? "
                "(data.max_user_events)",
                True,
            )


def _in_catalogues(items: pa.Array, catalogues: Sequence[Table]) -> Fact:
    names = ", ".join(catalogue.path.name for catalogue in catalogues[:_NAMED])
    found = [ids_of(catalogue) for catalogue in catalogues]
    ids = [each for each in found if each is not None]
    if len(ids) < len(found):
        return Fact(f"It was not looked up whether the items of the events are in {names}: that would take long.")
    given = items.drop_null()
    known = pc.is_in(given, pa.concat_arrays(ids))
    share = float(pc.mean(known).as_py() or 0)
    distinct, there = len(pc.unique(given)), len(pc.unique(given.filter(known)))
    text = f"{share:.1%} of the events are of items in {names}: {there:,} of {distinct:,} items."
    return Fact(text, share < _FEW_KNOWN)


def ids_of(catalogue: Table) -> pa.Array | None:
    """The ids of all items of a catalogue; None of one that is too large."""
    sample, column = catalogue.sample, catalogue.column("item_id")
    if sample is None or column is None:
        return None
    if sample.is_whole:
        return pc.unique(column.texts.drop_null())
    return None if sample.size > MOST_READ else _all_ids(sample, column.name)


def _all_ids(sample: Sample, name: str) -> pa.Array | None:
    if sample.layout == "Parquet":
        return pc.unique(pq.read_table(sample.path, columns=[name])[0].cast(pa.string()).combine_chunks())
    if sample.layout == "delimited text" and sample.reader is not None:
        return _ids_in_table(sample, sample.reader, name)
    if sample.layout in ("JSON lines", "Python literals") and _PATH_MARKS.isdisjoint(name):
        return _ids_in_lines(sample, name)
    return None


def _ids_in_table(sample: Sample, reader: BlockReader, name: str) -> pa.Array:
    found, rest = [], b""
    for block in read_blocks(InputReport(sample.path, "metadata"), allow_truncated=True):
        read = reader.read(rest + block, False)
        found.append(read.table[name].combine_chunks())
        rest = read.rest
    if rest:
        found.append(reader.read(rest, True).table[name].combine_chunks())
    return pc.unique(pc.utf8_trim_whitespace(pa.concat_arrays(found)))


def _ids_in_lines(sample: Sample, name: str) -> pa.Array:
    """The values behind a field's name, wherever it stands: parsing every line would take long."""
    pattern = re.compile(rb"[\"']%b[\"']\s*:\s*[\"']?([^\"',}]+)" % re.escape(name.encode()))
    found: set[bytes] = set()
    for block in read_blocks(InputReport(sample.path, "metadata"), allow_truncated=True):
        found.update(pattern.findall(block))
    return pa.array([each.decode("utf8", "replace") for each in found], pa.string())
