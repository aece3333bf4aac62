"""Columns of event types: compared whatever their case, with the weight of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.core.events import LIST_EVENT_TYPES
from recsys.core.values.event_types import check_event_type, normal_event_type
from recsys.prepare.formats.column_texts import Mask, numbers_of, one_array, read_each
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.mapping_settings import IGNORE


class EventTypes(NamedTuple):
    """The types of a batch of events.

    Attributes:
        names: known types in normal form, null for others.
        weights: of the types, 0 for others.
        missing: rows without a type.
        unknown: rows of types that have no weight and undo nothing.
        ignored: rows of types that are to be ignored.
        of_lists: rows that are told of lists, and are no choice of anybody's.
    """

    names: pa.Array
    weights: npt.NDArray[np.float32]
    missing: Mask
    unknown: Mask
    ignored: Mask
    of_lists: Mask


class TypeColumn:
    """The column of event types of an input."""

    def __init__(
        self,
        report: InputReport,
        weights: Mapping[str, float],
        undoing: Mapping[str, float],
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        """Know some types, all in normal form.

        Args:
            report: of the input.
            weights: of types that count.
            undoing: weights of the types that take back events, those of what they take back.
            renamed: types of the input -> ours, or `IGNORE`; an empty text stands for rows without a type.
        """
        self._report, self._counting, self._weights = report, weights, {**undoing, **weights}
        self._renamed = renamed or {}

    def read(self, column: pa.ChunkedArray | pa.Array) -> EventTypes:
        """The types of a batch of texts."""
        read = read_each(one_array(column), self._known)
        weights = [self._weights.get(name or "", 0.0) for name in read.values]
        self._report.explain("event_type", read.why_not)
        missing = read.rows_where(read.missing) | (read.codes < 0)
        ignores = IGNORE in self._renamed.values()
        ignored = read.rows_where(np.array([ignores and name == IGNORE for name in read.values], bool))
        if self._renamed.get("") == IGNORE:
            ignored, missing = ignored | missing, np.zeros(len(missing), bool)
        return EventTypes(
            names=pa.DictionaryArray.from_arrays(
                pa.array(read.codes, mask=read.codes < 0), pa.array(read.values, pa.string())
            ),
            weights=numbers_of(weights, read.codes, np.float32),
            missing=missing,
            unknown=read.rows_where(read.wrong),
            ignored=ignored,
            of_lists=read.rows_where(np.array([name in LIST_EVENT_TYPES for name in read.values], bool)),
        )

    def _known(self, text: str) -> str:
        name = normal_event_type(text)
        if (renamed := self._renamed.get(name)) == IGNORE:
            return IGNORE
        name = renamed or name
        return name if name in self._weights or name in LIST_EVENT_TYPES else check_event_type(text, self._counting)
