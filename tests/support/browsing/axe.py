"""axe-core, run in a page."""

from typing import Any

from playwright.sync_api import Page

from tests.support.browsing.chromium import axe_script

RUN = "axe.run(document, {resultTypes: ['violations']})"


def violations(page: Page) -> list[str]:
    """What axe finds in the page as it is now, a line for each element."""
    script = axe_script()
    assert script is not None
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(script.read_text("utf8"))  # by the debugger, which the page's Content-Security-Policy lets pass
    found: dict[str, Any] = page.evaluate(RUN)
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['html']}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def sideways(page: Page) -> int:
    """How many pixels of the page stand beside its window, as far as it scrolls there."""
    return int(page.evaluate("(window.scrollTo(1e6, window.scrollY), window.scrollX)"))
