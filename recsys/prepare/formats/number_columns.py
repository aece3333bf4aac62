"""Columns of ratings, prices and quantities: most by Arrow, what is written otherwise one by one."""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.core.values.numbers import DecimalMark, read_number, shown_mark
from recsys.prepare.formats.column_texts import Mask, as_mask, numbers_of, read_each, trimmed_texts
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.prices import Price, read_price

_UNCLEAR: Final = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"


class Numbers(NamedTuple):
    """The numbers of a column, row by row.

    Attributes:
        values: NaN where there is none.
        wrong: rows that hold what is no number.
    """

    values: npt.NDArray[np.float32]
    wrong: Mask


class NumberColumn:
    """One column of numbers of an input, batch after batch.

    Where its decimal mark is not set, the first texts that show one decide what `1.299` and `1,299` mean in the column.
    """

    def __init__(self, name: str, report: InputReport, mark: DecimalMark | None, prices: bool = False) -> None:
        """Read column `name`, whose decimal mark is `mark`; with `prices`, a currency may stand beside the number."""
        self._name, self._report, self._set, self._prices = name, report, mark, prices
        self._shown: DecimalMark | None = mark
        self._currencies: Counter[str] = Counter()

    def read(self, column: pa.ChunkedArray | pa.Array) -> Numbers:
        """The numbers of a batch of texts."""
        texts = trimmed_texts(column)
        if texts.null_count == len(texts):
            return Numbers(np.full(len(texts), np.nan, np.float32), np.zeros(len(texts), bool))
        if self._shown != ",":
            try:
                values = pc.fill_null(texts.cast(pa.float32()), np.nan).to_numpy()
            except pa.ArrowInvalid:
                pass  # some are written otherwise
            else:
                self._see_mark(texts)
                if self._shown is None:
                    self._remark_ambiguous(as_mask(pc.match_substring_regex(texts, _UNCLEAR)))
                return Numbers(values, np.isinf(values))
        return self._read_each(texts)

    def remark_currencies(self) -> None:
        """Say how many numbers there are of each currency, where there are several: sums of them mean nothing."""
        if len(self._currencies) > 1:
            for currency, count in self._currencies.most_common():
                self._report.remark(f"{self._name} in {currency}", count)

    def _read_each(self, texts: pa.Array) -> Numbers:
        self._see_mark(texts)
        read = read_each(texts, self._one)
        numbers = [price and price.amount for price in read.values]
        values = numbers_of([np.nan if value is None else value for value in numbers], read.codes, np.float32)
        values[read.codes < 0] = np.nan
        wrong = read.rows_where(read.wrong) | np.isinf(values)
        self._report.explain(self._name, read.why_not)
        self._remark_ambiguous(
            read.rows_where(np.array([bool(price and price.ambiguous) for price in read.values], bool))
        )
        counts = np.bincount(read.codes + 1, minlength=len(read.values) + 1)[1:]
        for price, count in zip(read.values, counts.tolist(), strict=True):
            if price and price.currency:
                self._currencies[price.currency_name] += count
        return Numbers(values, wrong)

    def _one(self, text: str) -> Price:
        price = self._with_mark(text, self._set)
        return self._with_mark(text, self._shown) if price.ambiguous and self._shown else price

    def _with_mark(self, text: str, mark: DecimalMark | None) -> Price:
        if self._prices:
            return read_price(text, mark) or Price(np.nan)
        value, ambiguous = read_number(text, mark)
        return Price(value, "", ambiguous)

    def _see_mark(self, texts: pa.Array) -> None:
        if self._shown is None:
            self._shown = shown_mark(pc.unique(texts.drop_null()).to_pylist())

    def _remark_ambiguous(self, rows: Mask) -> None:
        self._report.remark(f"{self._name} that may be 1.299 or 1299; set data.decimal", int(rows.sum()))
