"""Catalogues of shops, read as a preparation reads them."""

from pathlib import Path
from typing import Any

from recsys.prepare.formats.events import EVENTS
from recsys.prepare.formats.files import open_file
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.settings import DataConfig


def read(path: Path, **changes: Any) -> tuple[list[Any], InputReport]:
    config = DataConfig.model_validate(
        {"format": "events", "interactions": ["x"], "metadata": [path], "max_bad_line_share": 1.0, **changes}
    )
    report = open_file(path, "metadata")
    report.text = config
    EVENTS.check(report)
    return [item for batch in EVENTS.items(report, config, lambda _: None) for item in batch], report
