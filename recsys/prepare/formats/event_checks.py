"""Tables of strings as checked, typed events; bad rows are counted by cause."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.core.values.amounts import AMOUNTS, QUANTITIES
from recsys.core.values.event_types import normal_event_type
from recsys.core.values.missing import MISSING_IDS
from recsys.prepare import columns as c
from recsys.prepare.formats import reports
from recsys.prepare.formats.column_texts import Mask
from recsys.prepare.formats.id_columns import IdColumn
from recsys.prepare.formats.number_columns import NumberColumn
from recsys.prepare.formats.plausible_times import PlausibleTimes
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.formats.rows import Rows
from recsys.prepare.formats.time_columns import TimeColumn
from recsys.prepare.formats.type_columns import TypeColumn
from recsys.prepare.mapping_settings import OF_ITEM, OF_USER
from recsys.prepare.settings import DataConfig

NUMBERS = (c.RATING, c.PRICE, c.QUANTITY)
OPTIONAL = (*NUMBERS, c.EVENT_ID)
# Of a row with several faults, the first of these causes is counted. Implausible times come last, because a row that
# is bad in another way too is a bad line. What is ignored, or is no event of a history, needs not be sound.
CAUSES = (
    reports.IGNORED_EVENT_TYPE,
    reports.LIST_EVENT,
    reports.MISSING_FIELD,
    reports.INVALID_ID,
    reports.MISTYPED_FIELD,
    reports.TIMESTAMP_OUT_OF_RANGE,
    reports.RATING_OUT_OF_RANGE,
    reports.AMOUNT_OUT_OF_RANGE,
    reports.UNKNOWN_EVENT_TYPE,
    *reports.IMPLAUSIBLE_TIMES,
)


def checked_tables(
    rows: Rows,
    batches: Iterator[pa.Table],
    config: DataConfig,
    event_weights: Mapping[str, float],
    first_seq: int,
    *,
    event_types: Mapping[str, str] | None = None,
    typed: Collection[str] = (),
    acknowledged: bool = False,
) -> Iterator[pa.Table]:
    """Yield tables of strings as typed tables (see `Format.interactions`) without their bad rows, which are counted.

    Args:
        rows: the rows of the input that the tables are read from.
        batches: tables with the `REQUIRED` columns (event_type may be missing) and any of the `OPTIONAL` ones; and what
            rows tell of items and users, in columns item.FIELD and user.FIELD, which are yielded as they are.
        config: how values are written, their ranges, and the greatest share of bad rows.
        event_weights: the weight of each event type; without a column event_type, all rows are of the first type.
        first_seq: `seq` counts up from it.
        event_types: types of the input -> ours, see `TypeColumn`.
        typed: columns that had a type where they come from: numbers with a point, times in seconds.
        acknowledged: whether a server has accepted these events: ids are taken as they are, and bad rows never stop.

    Raises:
        DataError: too many bad rows; NoEventsError, if there are no rows.
    """
    report = rows.report
    reader = _EventReader.of(report, config, event_weights, event_types, typed, acknowledged)
    for batch in batches:
        first = rows.account(batch)
        events, faults = reader.read(batch)
        for position in np.flatnonzero(faults.codes).tolist():
            rows.drop(CAUSES[faults.codes[position] - 1], first + position, batch, position)
        sound = np.flatnonzero(faults.codes == 0)
        events = {**events, c.SEQ: pa.array(np.arange(first_seq + first, first_seq + first + len(batch)))}
        yield pa.table(events).take(pa.array(sound)) if len(sound) < len(batch) else pa.table(events)
    reader.remark_currencies()
    if acknowledged:
        return
    report.check_bad_share(config.max_bad_line_share)
    report.check_times()
    if not report.lines:
        raise reports.NoEventsError(f"rows in {report.path}", "a header alone", "check how the file was exported")


class _Faults:
    """What is wrong with each row of a batch: 0 for nothing, else 1 + the position in `CAUSES`."""

    def __init__(self, count: int) -> None:
        self.codes: npt.NDArray[np.uint8] = np.zeros(count, np.uint8)

    def add(self, cause: str, rows: Mask) -> None:
        """Causes are added in the order of `CAUSES`: the first stays."""
        self.codes[rows & (self.codes == 0)] = 1 + CAUSES.index(cause)


@dataclass
class _EventReader:
    """The columns of one input."""

    config: DataConfig
    ids: dict[str, IdColumn]
    times: TimeColumn
    plausible: PlausibleTimes
    numbers: dict[str, NumberColumn]
    types: TypeColumn
    only_weight: float

    @classmethod
    def of(
        cls,
        report: InputReport,
        config: DataConfig,
        event_weights: Mapping[str, float],
        event_types: Mapping[str, str] | None,
        typed: Collection[str],
        acknowledged: bool,
    ) -> _EventReader:
        weights = {normal_event_type(name): weight for name, weight in event_weights.items()}
        undoing = {name: weights.get(undone or "", 1.0) for name, undone in config.undo_events.items()}
        words = {c.USER_ID: frozenset(config.no_user_ids), c.ITEM_ID: MISSING_IDS}
        return cls(
            config=config,
            ids={name: IdColumn(name, report, words[name], exact=acknowledged) for name in words},
            times=TimeColumn(report, config, "s" if c.TIMESTAMP in typed else None),
            plausible=PlausibleTimes(report, config),
            numbers={
                name: NumberColumn(name, report, "." if name in typed else config.decimal_mark, prices=name == c.PRICE)
                for name in NUMBERS
            },
            types=TypeColumn(report, weights, undoing, event_types),
            only_weight=next(iter(weights.values())),
        )

    def read(self, batch: pa.Table) -> tuple[dict[str, Any], _Faults]:
        """The columns of a batch, typed, and the faults of its rows."""
        names = batch.column_names
        faults = _Faults(len(batch))
        users, unfit_user = self.ids[c.USER_ID].read(batch[c.USER_ID])
        items, unfit_item = self.ids[c.ITEM_ID].read(batch[c.ITEM_ID])
        times = self.times.read(batch[c.TIMESTAMP])
        types = self.types.read(batch[c.EVENT_TYPE]) if c.EVENT_TYPE in names else None
        numbers = {name: reader.read(batch[name]) for name, reader in self.numbers.items() if name in names}
        no_id = users.is_null().to_numpy(zero_copy_only=False) | items.is_null().to_numpy(zero_copy_only=False)
        if types:
            faults.add(reports.IGNORED_EVENT_TYPE, types.ignored)
            faults.add(reports.LIST_EVENT, types.of_lists)
        faults.add(reports.MISSING_FIELD, no_id | times.missing)
        if types:
            faults.add(reports.MISSING_FIELD, types.missing)
        faults.add(reports.INVALID_ID, unfit_user | unfit_item)
        faults.add(reports.MISTYPED_FIELD, times.wrong)
        for column in numbers.values():
            faults.add(reports.MISTYPED_FIELD, column.wrong)
        faults.add(reports.TIMESTAMP_OUT_OF_RANGE, times.beyond)
        self._check_numbers({name: column.values for name, column in numbers.items()}, faults)
        if types:
            faults.add(reports.UNKNOWN_EVENT_TYPE, types.unknown)
        for cause, implausible in self.plausible.faults(times.seconds).items():
            faults.add(cause, implausible)
        none = np.full(len(batch), np.nan, np.float32)
        events = {
            c.USER_ID: users,
            c.ITEM_ID: items,
            c.TIMESTAMP: pa.array(times.seconds),
            c.WEIGHT: pa.array(types.weights if types else np.full(len(batch), self.only_weight, np.float32)),
            **{name: _nullable(numbers[name].values if name in numbers else none) for name in NUMBERS},
        }
        if types:
            events[c.EVENT_TYPE] = types.names
        if c.EVENT_ID in names:
            events[c.EVENT_ID] = _event_ids(batch[c.EVENT_ID])
        events |= {name: batch[name] for name in names if name.startswith((OF_ITEM, OF_USER))}
        return events, faults

    def remark_currencies(self) -> None:
        """Say how many prices there are of each currency, where there are several."""
        self.numbers[c.PRICE].remark_currencies()

    def _check_numbers(self, values: dict[str, npt.NDArray[np.float32]], faults: _Faults) -> None:
        """The bounds of `recsys.core.values.amounts`. What is missing is NaN, which no comparison finds."""
        for name, cause, (low, high) in (
            (c.RATING, reports.RATING_OUT_OF_RANGE, self.config.rating_range),
            (c.PRICE, reports.AMOUNT_OUT_OF_RANGE, AMOUNTS),
            (c.QUANTITY, reports.AMOUNT_OUT_OF_RANGE, QUANTITIES),
        ):
            if name in values:
                faults.add(cause, (values[name] < low) | (values[name] > high))


def _event_ids(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Ids of events, null where a word stands for none."""
    missing = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(ids)), pa.array(sorted(MISSING_IDS)))
    return pc.if_else(missing, pa.scalar(None, pa.string()), ids)


def _nullable(values: npt.NDArray[np.float32]) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
