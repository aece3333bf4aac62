"""The place of a preparation's tables on Spark: a folder of Parquet files for each, which all machines see."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq


class Scratch:
    """A new folder of one preparation, on a disk or in an object store."""

    def __init__(self, parent: str) -> None:
        """`parent`: a path or a URL, as Spark and fsspec both read it."""
        parent = parent if "://" in parent else Path(parent).absolute().as_uri()
        self._root = f"{parent.rstrip('/')}/recsys-{uuid.uuid4().hex}"
        self._files, _ = fsspec.core.url_to_fs(parent)

    def folder(self, name: str) -> str:
        """The URL of a folder in it."""
        return f"{self._root}/{name}"

    def write(self, folder: str, reader: pa.RecordBatchReader) -> None:
        """Write batches of Arrow into a new folder, as one file."""
        self._files.makedirs(self._path(folder), exist_ok=True)
        with (
            self._files.open(f"{self._path(folder)}/part-0.parquet", "wb") as file,
            pq.ParquetWriter(file, reader.schema) as writer,
        ):
            for batch in reader:
                writer.write_batch(batch)

    def reader(self, folder: str, schema: pa.Schema, batch_size: int) -> pa.RecordBatchReader:
        """The rows of a folder that Spark has written, in their order, which is that of the names of its files.

        The folder goes when all are read.
        """
        return pa.RecordBatchReader.from_batches(schema, self._batches(folder, schema, batch_size))

    def _batches(self, folder: str, schema: pa.Schema, batch_size: int) -> Iterator[pa.RecordBatch]:
        for path in sorted(self._files.glob(f"{self._path(folder)}/part-*.parquet")):
            with self._files.open(path, "rb") as file:
                for batch in pq.ParquetFile(file).iter_batches(batch_size):
                    yield batch.cast(schema)
        self.remove_folder(folder)

    def remove_folder(self, folder: str) -> None:
        """Remove one folder."""
        self._files.rm(self._path(folder), recursive=True)

    def remove(self) -> None:
        """Remove all of it."""
        if self._files.exists(self._path(self._root)):
            self._files.rm(self._path(self._root), recursive=True)

    def _path(self, url: str) -> str:
        path: str = self._files._strip_protocol(url)
        return path
