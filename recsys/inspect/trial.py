"""A preparation of the heads of the files with a proposed config, to see whether it holds."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from recsys.config import Config
from recsys.core.errors import RecsysError
from recsys.inspect.proposal import Proposal
from recsys.inspect.samples import Sample
from recsys.inspect.tables import Table
from recsys.prepare import columns as c
from recsys.prepare.formats.json_documents import first_values
from recsys.prepare.prepare import prepare
from recsys.prepare.settings import InputConfig, SplitConfig

HEAD_BYTES = 1 << 20
HEAD_ROWS = 20_000
_SPLITS = SplitConfig.model_fields["method"].annotation


@dataclass(frozen=True)
class Trial:
    """What became of the heads.

    Attributes:
        lines, kept: number of lines of event logs, and of those that are events.
        dropped: number of lines that are none, by cause.
        dataset: users, items and interactions of what was prepared.
        error: why it could not be prepared; "" if it could.
    """

    lines: int = 0
    kept: int = 0
    dropped: dict[str, int] | None = None
    dataset: dict[str, int] | None = None
    error: str = ""


def try_out(proposal: Proposal, tables: Sequence[Table]) -> Trial:
    """Prepare the heads of the files as the proposal says, without the filters that small data would not pass."""
    with tempfile.TemporaryDirectory(prefix="recsys-inspect-") as name:
        folder = Path(name)
        heads = {str(table.path): _write_head(table.sample, folder / str(n)) for n, table in enumerate(tables)}
        try:
            prepared = _prepared(_of_heads(proposal, heads, folder))
        except RecsysError as error:
            return Trial(error=re.sub(rf"{re.escape(str(folder))}/\d*/?", "", str(error)))
        manifest = json.loads((prepared / c.MANIFEST_FILE).read_text("utf8"))
    logs = [entry for entry in manifest["sources"] if entry["kind"] == "interactions"]
    dropped: dict[str, int] = {}
    for log in logs:
        for cause, count in log["dropped"].items():
            dropped[cause] = dropped.get(cause, 0) + count
    lines, kept = (sum(log[key] for log in logs) for key in ("lines", "kept"))
    return Trial(lines, kept, dropped, {key: manifest["counts"][key] for key in ("users", "items", "interactions")})


def _prepared(config: Config) -> Path:
    """The dataset of the heads, split so that a few rows of a file suffice.

    Raises:
        RecsysError: it cannot be prepared, however it is split.
    """
    error: RecsysError | None = None
    for split in (config.data.split, *(SplitConfig(method=method) for method in get_args(_SPLITS))):
        data = config.data.model_copy(update={"split": split})
        try:
            return prepare(config.model_copy(update={"data": data}), Console(quiet=True))
        except RecsysError as raised:
            if "split" not in raised.expected:
                raise
            error = error or raised
    raise error or RuntimeError("there are ways to split")


def _of_heads(proposal: Proposal, heads: dict[str, Path | None], folder: Path) -> Config:
    """The proposed config for the heads in the place of the files."""
    data = proposal.config.data

    def of(entry: Any) -> Any:
        if isinstance(entry, InputConfig):
            return entry.model_copy(update={"path": heads.get(str(entry.path)) or entry.path})
        return heads.get(str(entry)) or entry

    update: dict[str, Any] = {
        key: [of(entry) for entry in getattr(data, key)] for key in ("interactions", "metadata", "properties", "users")
    }
    update |= {"prepared_dir": folder / "prepared", "k_core_users": 0, "k_core_items": 0, "encoding": "auto"}
    return proposal.config.model_copy(update={"data": data.model_copy(update=update)})


def _write_head(sample: Sample | None, folder: Path) -> Path | None:
    """The head of a file as a file of its own; None where there is no sample: the file itself is read then."""
    if sample is None:
        return None
    folder.mkdir()
    path = folder / sample.path.name
    if sample.layout == "Parquet":
        batch = next(pq.ParquetFile(sample.path).iter_batches(HEAD_ROWS))
        pq.write_table(pa.Table.from_batches([batch]), path)
    else:
        path.write_bytes(_lines_of_head(sample))
    return path


def _lines_of_head(sample: Sample) -> bytes:
    """The first lines; of JSON in another arrangement its first objects, a line each."""
    head = sample.head
    if sample.layout in ("a JSON array", "JSON objects"):
        objects = [each for each in first_values(head[:HEAD_BYTES], HEAD_ROWS) if isinstance(each, dict)]
        return "".join(json.dumps(each) + "\n" for each in objects).encode()
    return head if len(head) <= HEAD_BYTES else head[: head.rfind(b"\n", 0, HEAD_BYTES) + 1]
