"""Where the page lies that a browser opens. It holds no data: who may see any is settled where the page asks for it."""

from __future__ import annotations

PAGE = "/ui"


def of_page(path: str) -> bool:
    """Whether a path is the page's, or of one of its files."""
    return path.startswith(PAGE) and path[len(PAGE) : len(PAGE) + 1] in ("", "/")
