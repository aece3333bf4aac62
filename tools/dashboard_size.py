"""What a browser loads before it shows a view of the page: `python -m tools.dashboard_size [FOLDER]`.

The index, and what it names: the script, what that imports, styles. Beside them, what the view alone needs: a script
that the first one loads when the view is opened, with what it imports in turn.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path("serve/dashboard/static")
ASSETS = "assets"
MOST_BYTES = 200_000
NAMED = re.compile(r"""(?:src|href)="/ui/assets/([\w.-]+\.(?:js|css))\"""")
IMPORTED = re.compile(r"""(?:\bfrom|\bimport)\s*["'`]\./([\w.-]+\.js)["'`]""")
OPENED = re.compile(r"""\bimport\(\s*["'`]\./([\w.-]+\.js)["'`]\s*\)""")


def first_loads(folder: Path = FOLDER) -> dict[str, int]:
    """Bytes in gzip of a first load, by the script of the view that it shows; without views, by the index.

    Raises:
        OSError: there is no build, or a file that another one names is missing.
    """
    index = folder / "index.html"
    named = with_imports(folder, NAMED.findall(index.read_text("utf8")))
    always = zipped_bytes([index]) + zipped_bytes(folder / ASSETS / name for name in named)
    views = {view for name in named if name.endswith(".js") for view in OPENED.findall(_text(folder, name))}
    if not views:
        return {index.name: always}
    return {
        view: always + zipped_bytes(folder / ASSETS / name for name in with_imports(folder, [view]) - named)
        for view in sorted(views)
    }


def with_imports(folder: Path, names: Iterable[str]) -> set[str]:
    """Scripts and styles with all that they import at once."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += IMPORTED.findall(_text(folder, name)) if name.endswith(".js") else []
    return found


def zipped_bytes(paths: Iterable[Path]) -> int:
    """As the server sends them."""
    return sum(len(gzip.compress(path.read_bytes(), 9, mtime=0)) for path in paths)


def _text(folder: Path, name: str) -> str:
    return (folder / ASSETS / name).read_text("utf8")


def main(folder: Path = FOLDER) -> int:
    """Say how much each view loads; 1 where one is too large."""
    loads = first_loads(folder)
    for view, size in sorted(loads.items(), key=lambda load: -load[1]):
        print(f"{size / 1000:6.1f} kB  {view}")
    largest = max(loads.values())
    if largest > MOST_BYTES:
        print(
            f"Expected {MOST_BYTES / 1000:.0f} kB in gzip at most at first load, got {largest / 1000:.1f}.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
