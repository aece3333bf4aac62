"""Columns of event types: compared whatever their case, with the weight of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.core.values.event_types import check_event_type, normal_event_type
from recsys.prepare.formats.column_texts import Mask, numbers_of, one_array, read_each
from recsys.prepare.formats.reports import InputReport


class EventTypes(NamedTuple):
    """The types of a batch of events.

    Attributes:
        names: known types in normal form, null for others.
        weights: of the types, 0 for others.
        missing: rows without a type.
        unknown: rows of types that have no weight and undo nothing.
    """

    names: pa.Array
    weights: npt.NDArray[np.float32]
    missing: Mask
    unknown: Mask


class TypeColumn:
    """The column of event types of an input."""

    def __init__(self, report: InputReport, weights: Mapping[str, float], undoing: Mapping[str, float]) -> None:
        """Know the types that `weights` has, in normal form, and those `undoing` an event of such a weight."""
        self._report, self._counting, self._weights = report, weights, {**undoing, **weights}

    def read(self, column: pa.ChunkedArray | pa.Array) -> EventTypes:
        """The types of a batch of texts."""
        read = read_each(one_array(column), self._known)
        weights = [0.0 if name is None else self._weights[name] for name in read.values]
        self._report.explain("event_type", read.why_not)
        return EventTypes(
            names=pa.DictionaryArray.from_arrays(
                pa.array(read.codes, mask=read.codes < 0), pa.array(read.values, pa.string())
            ),
            weights=numbers_of(weights, read.codes, np.float32),
            missing=read.rows_where(read.missing) | (read.codes < 0),
            unknown=read.rows_where(read.wrong),
        )

    def _known(self, text: str) -> str:
        name = normal_event_type(text)
        return name if name in self._weights else check_event_type(text, self._counting)
