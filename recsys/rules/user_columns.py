"""The fields of the users of a batch, as expressions read them: `user.segment`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.core.events import SECONDS_PER_DAY
from recsys.core.queries import Queries
from recsys.core.types import Float32Array, Float64Array
from recsys.rules.columns import NO_NAME, FieldType, TextColumn, TextsColumn
from recsys.rules.spending import Spending

USER_TYPES: Mapping[str, FieldType] = {
    "id": "text",
    "segment": "text",
    "mean_price": "number",
    "interactions": "number",
    "days_since_last": "number",
    "new": "bool",
}


@dataclass(frozen=True, eq=False)
class UserColumns:
    """The fields of B users. Each is computed when it is first asked for, and kept.

    Attributes:
        queries: who they are, and what they did up to now.
        spending: of all users.
    """

    queries: Queries
    spending: Spending

    @property
    def size(self) -> int:
        """B."""
        return len(self.queries)

    @property
    def types(self) -> Mapping[str, FieldType]:
        """The same for every batch."""
        return USER_TYPES

    def numbers(self, field: str) -> Float64Array | Float32Array:
        """See `Columns`."""
        if field == "mean_price":
            return self.mean_prices
        if field == "interactions":
            return self._interactions
        return self._days_since_last if field == "days_since_last" else self._new

    def texts(self, field: str) -> TextColumn:
        """See `Columns`."""
        return self._segments if field == "segment" else self._ids

    def text_lists(self, field: str) -> TextsColumn:
        """See `Columns`; users have no such field."""
        raise KeyError(field)

    @cached_property
    def mean_prices(self) -> Float32Array:
        """float32 [B], mean of the known prices in each history; NaN where there is none."""
        return self.spending.mean_prices(self.queries.histories)

    @cached_property
    def _interactions(self) -> Float64Array:
        return self.queries.histories.lengths.astype(np.float64)

    @cached_property
    def _new(self) -> Float64Array:
        return np.equal(self.queries.histories.lengths, 0).astype(np.float64)

    @cached_property
    def _days_since_last(self) -> Float64Array:
        """NaN without a history; 0 for an interaction that a clock puts ahead of the request."""
        histories, days = self.queries.histories, np.full(self.size, np.nan)
        some = histories.lengths > 0
        last = histories.timestamps[histories.indptr[1:][some] - 1]
        days[some] = np.maximum(self.queries.now[some] - last, 0) / SECONDS_PER_DAY
        return days

    @cached_property
    def _segments(self) -> TextColumn:
        return self.spending.segments(self.mean_prices)

    @cached_property
    def _ids(self) -> TextColumn:
        """Of users, not of sessions; of nobody where the batch does not say who they are."""
        ids = self.queries.ids or (None,) * self.size
        places = {text: place for place, text in enumerate(dict.fromkeys(text for text in ids if text is not None))}
        codes = [NO_NAME if text is None else places[text] for text in ids]
        return TextColumn(np.array(codes, np.int32), np.array(list(places), np.dtypes.StringDType()))
