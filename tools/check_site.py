"""Fail where a built site would load something from the network: `python -m tools.check_site site`.

Links are fine: a reader follows them, or not. Scripts, styles, pictures and frames must lie in the site.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

_LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "link": "href",
}
_MERE_LINKS = {"canonical", "next", "prev", "alternate", "license", "edit"}  # of `rel`
_REMOTE = re.compile(r"^(?:https?:)?//", re.IGNORECASE)
_IN_STYLES = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)


class Resources(HTMLParser):
    """Collects the addresses elsewhere from which a page loads something."""

    def __init__(self) -> None:
        super().__init__()
        self.remote: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        address = given.get(_LOADS.get(tag, ""))
        mere_link = tag == "link" and (given.get("rel") or "") in _MERE_LINKS
        if address and not mere_link and _REMOTE.match(address):
            self.remote.append(address)
        self.remote += _IN_STYLES.findall(given.get("style") or "")


def remote_resources(site: Path) -> list[str]:
    """Everything in the pages and styles of a site that comes from elsewhere, each as `FILE: ADDRESS`."""
    remote = []
    for path in sorted(site.rglob("*")):
        if path.suffix == ".html":
            page = Resources()
            page.feed(path.read_text("utf8"))
            addresses = page.remote
        elif path.suffix == ".css":
            addresses = _IN_STYLES.findall(path.read_text("utf8"))
        else:
            continue
        remote += [f"{path.relative_to(site)}: {address}" for address in addresses]
    return remote


def main(folder: str) -> int:
    """Print what is loaded from elsewhere; the exit code says whether anything is."""
    remote = remote_resources(Path(folder))
    for line in remote:
        print(f"Loaded from the network: {line}", file=sys.stderr)
    return int(bool(remote))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
