"""The README's table of the server's settings, from serve/settings.py: `python -m serve.settings_docs README.md`."""

from __future__ import annotations

import argparse
from pathlib import Path

from recsys.settings_table import between_marks, settings_table
from serve.settings import Settings


def with_table(text: str) -> str:
    """`text` with the table between its two marks."""
    return between_marks(text, "server settings", settings_table(Settings.model_fields.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default="README.md", help="Markdown file with the two marks")
    path = parser.parse_args().file
    path.write_text(with_table(path.read_text("utf8")), "utf8")
