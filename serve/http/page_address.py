"""Where the page lies that a browser opens. It holds no data: who may see any is settled where the page asks for it."""

from __future__ import annotations

PAGE = "/ui"
BELOW = f"{PAGE}/"
