"""The recommendation file: the served lists of every user, for anyone to score with another tool."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.core.disk import writing
from recsys.core.errors import ConfigError
from recsys.core.queries import NO_ITEM, Candidates
from recsys.core.types import Int32Array
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset

SCHEMA = pa.schema([(c.USER_ID, pa.string()), (c.ITEM_ID, pa.string()), (c.RANK, pa.int32()), (c.SCORE, pa.float32())])


class RecommendationFile:
    """A Parquet file of user_id, item_id, rank (from 1) and score, written block by block.

    The file appears under its name only when the `with` block ends without an exception.

    Raises:
        ConfigError: it cannot be written (from every method).
    """

    def __init__(self, path: Path, dataset: PreparedDataset) -> None:
        """Write to `path`."""
        self._path, self._partial = path, path.with_name(path.name + ".partial")
        self._user_ids, self._item_ids = dataset.user_ids, dataset.item_ids

    def __enter__(self) -> Self:
        with self._writing():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._partial, SCHEMA)
        return self

    def _writing(self) -> AbstractContextManager[None]:
        return writing(f"a file at {self._path}", ConfigError, "free space there, or name another --recommendations")

    def write(self, users: Int32Array, lists: Candidates) -> None:
        """Append the lists [B, k] of the user rows [B]."""
        query, position = np.nonzero(lists.items != NO_ITEM)
        items = lists.items[query, position]
        columns = [
            pa.array(self._user_ids[users[query]], pa.string()),
            pa.array(self._item_ids[items], pa.string()),
            pa.array(position + 1, pa.int32()),
            pa.array(lists.scores[query, position], pa.float32()),
        ]
        with self._writing():
            self._writer.write_table(pa.table(columns, schema=SCHEMA))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            with self._writing():
                self._writer.close()
                if kind is None:
                    self._partial.replace(self._path)
        finally:
            self._partial.unlink(missing_ok=True)
