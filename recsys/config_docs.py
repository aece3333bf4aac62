"""The README's table of config keys, made from recsys/config.py: `python -m recsys.config_docs README.md`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from recsys.config import Config, Section
from recsys.settings_table import between_marks, settings_table


def with_table(text: str) -> str:
    """`text` with the table between its two marks."""
    return between_marks(text, "config keys", settings_table(_fields(Config, "")))


def _fields(section: type[Section], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _fields(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, field


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default="README.md", help="Markdown file with the two marks")
    path = parser.parse_args().file
    path.write_text(with_table(path.read_text("utf8")), "utf8")
