"""Columns of ids: blanks around them, ids that spreadsheets and pandas turned into numbers, words for no id."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.core.errors import DataError
from recsys.core.events import MAX_ID_CHARS
from recsys.core.values.ids import CONTROLS, check_id
from recsys.prepare.formats.column_texts import Mask, as_mask, is_plain, one_array
from recsys.prepare.formats.reports import InputReport

# Larger whole numbers are not all told apart by the type.
_EXACT_BELOW = {pa.float16(): 2**11, pa.float32(): 2**24, pa.float64(): 2**53}
_WHOLE_NUMBER = r"^-?\d+\.0+$"
_IN_QUOTES = r"""^(?:".*"|'.*')$"""
# How spreadsheets are kept from making numbers of ids.
_FORMULA = r'^="([^"]*)"$'
# As spreadsheets and floats write long numbers: the last digits are lost.
_ROUNDED = r"^-?\d(?:\.\d+)?[eE]\+\d{2,3}$"


class IdColumn:
    """One column of ids of an input, batch after batch.

    In a column of nothing but 13085.0 the ids are whole numbers: pandas writes them so where one is missing. The first
    rows decide for the whole input.
    """

    def __init__(self, name: str, report: InputReport, words: Collection[str], exact: bool = False) -> None:
        """Read column `name`; `words`, in small letters, are no ids. With `exact`, ids are taken as they are."""
        self._name, self._report, self._exact = name, report, exact
        self._words = pa.array(sorted(set(words) - {""}), pa.string())
        self._whole: bool | None = None

    def read(self, column: pa.ChunkedArray | pa.Array) -> tuple[pa.Array, Mask]:
        """The ids, null where there is none; and of each row whether it holds what is no id."""
        ids = one_array(column)
        plain = is_plain(ids)
        if not self._exact:
            ids = self._without_formulas(ids)
            ids = ids if plain else self._trimmed(ids)
            self._remark_quotes(ids)
        words = pc.is_in(pc.utf8_lower(ids), self._words)
        if pc.any(words).as_py():
            word = ids[pc.index(words, True).as_py()].as_py()
            self._report.explain(self._name, f"{word!r} stands for none, see data.no_user_ids")
        missing = pc.or_(pc.equal(ids, ""), words)
        ids = pc.if_else(missing, pa.scalar(None, pa.string()), ids)
        unfit = pc.greater(pc.utf8_length(ids), MAX_ID_CHARS)
        if not plain:
            unfit = pc.or_(unfit, pc.match_substring_regex(ids, f"[{CONTROLS}]"))
        rows = as_mask(unfit)
        self._explain(ids, rows)
        return (ids, rows) if self._exact else self._as_numbers(ids, rows)

    def _without_formulas(self, ids: pa.Array) -> pa.Array:
        if not pc.any(pc.starts_with(ids, '="')).as_py():
            return ids
        texts = pc.replace_substring_regex(ids, _FORMULA, r"\1")
        self._report.remark(f'{self._name} such as ="0123", read as 0123', pc.sum(pc.not_equal(texts, ids)).as_py())
        return texts

    def _remark_quotes(self, ids: pa.Array) -> None:
        if pc.any(pc.or_(pc.starts_with(ids, '"'), pc.starts_with(ids, "'"))).as_py():
            quoted = pc.match_substring_regex(ids, _IN_QUOTES)
            self._report.remark(
                f"{self._name} in quotes that belong to it; see data.quote", pc.sum(quoted).as_py() or 0
            )

    def _trimmed(self, ids: pa.Array) -> pa.Array:
        trimmed = pc.utf8_trim_whitespace(ids)
        self._report.remark(f"blanks around {self._name}", pc.sum(pc.not_equal(trimmed, ids)).as_py() or 0)
        return trimmed

    def _as_numbers(self, ids: pa.Array, unfit: Mask) -> tuple[pa.Array, Mask]:
        """Ids that other programs took for numbers: without the point that they added, unfit where digits are lost."""
        rounded = as_mask(pc.match_substring_regex(ids, _ROUNDED))
        whole, count, present = np.zeros(len(ids), bool), 0, len(ids) - ids.null_count
        if pc.any(pc.match_substring(ids, ".0")).as_py():
            whole = as_mask(pc.match_substring_regex(ids, _WHOLE_NUMBER))
            count = int(whole.sum())
        if self._whole is None and present:
            self._whole = count == present
        if count and not self._whole:
            self._report.remark(f"{self._name} that ends in .0, kept beside others that do not", count)
        elif count:
            self._report.remark(f"{self._name} such as 13085.0, read as 13085", count)
            ids = pc.if_else(pa.array(whole), pc.replace_substring_regex(ids, r"\.0+$", ""), ids)
            numbers = np.abs(ids.filter(pa.array(whole)).cast(pa.float64()).to_numpy())
            rounded[whole] = numbers > _EXACT_BELOW[pa.float64()]
        if rounded.any():
            example = ids[int(rounded.argmax())].as_py()
            self._report.explain(self._name, f"{example[:60]!r} is a number that has lost its last digits; write text")
        return ids, unfit | rounded

    def _explain(self, ids: pa.Array, unfit: Mask) -> None:
        if unfit.any():
            try:
                check_id(ids[int(unfit.argmax())].as_py())
            except ValueError as error:
                self._report.explain(self._name, str(error))


def whole_numbers(values: pa.Array, name: str, report: InputReport) -> pa.Array:
    """A Parquet column of floats as ids: whole numbers without a point, as pandas had them before one was missing.

    Raises:
        DataError: some are so large that the type does not tell neighbours apart.
    """
    limit = _EXACT_BELOW[values.type]
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())  # Arrow computes little with half precision
    values = pc.if_else(pc.is_finite(values), values, pa.scalar(None, values.type))
    largest = pc.max(pc.abs(values)).as_py()
    if largest is not None and largest > limit:
        raise DataError(
            f"ids in column {name} of {report.path} that floats tell apart, up to {limit:,}",
            f"{largest:.17g}, the nearest float to several ids",
            "write the column as whole numbers or as text, from the source: the file has lost their last digits",
        )
    if not pc.all(pc.equal(values, pc.floor(values))).as_py():
        return values.cast(pa.string())
    report.remark(f"{name} such as 13085.0, read as 13085", pc.count(values).as_py())
    return values.cast(pa.int64()).cast(pa.string())
