"""Somebody who looks at the dashboard of a shop."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from tests.support.browsing.axe import sideways, violations
from tests.support.browsing.chromium import axe_script, leave_out
from tests.support.browsing.shops import Shop
from tests.support.browsing.watch import Watch

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
THEMES = ("light", "dark")
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"  # colours change by then
CONTEXT: dict[str, Any] = {
    "locale": "en-GB",
    "timezone_id": "UTC",
    "viewport": WIDE,
    "reduced_motion": "reduce",
    "color_scheme": "light",
}


@dataclass(frozen=True)
class Visitor:
    """A page in a browser profile of its own."""

    page: Page
    shop: Shop
    watch: Watch

    def go(self, path: str = "/", **query: str) -> Page:
        """Type the address of a page."""
        self.page.goto(self.shop.address(path, **query))
        return self.page

    def types_in_the_key(self, key: str) -> None:
        """On a page that needs none, so that nothing is refused before."""
        page = self.go("/nowhere")
        page.get_by_role("button", name="API key").click()
        window = page.get_by_role("dialog", name="API key")
        window.locator("input").fill(key)
        window.get_by_role("button", name="Use this key").click()
        expect(window).to_be_hidden()

    def finds_it_accessible(self) -> None:
        """Nothing for axe to say of the page as it is now, in both themes, wide and narrow, and nothing beside it."""
        if axe_script() is None:
            leave_out("no axe-core: npm ci in dashboard/")
        expect(self.page.locator("h1")).to_be_attached()  # before that there is no page
        found = []
        for size in (WIDE, NARROW):
            self.page.set_viewport_size(size)
            for theme in THEMES:
                self.page.emulate_media(color_scheme=theme)
                self.page.evaluate(PAINTED)
                found += [f"{theme}, {size['width']} px: {line}" for line in violations(self.page)]
            if sideways(self.page):
                found.append(f"{size['width']} px: {sideways(self.page)} px stand beside the window")
        self.page.set_viewport_size(WIDE)
        self.page.emulate_media(color_scheme="light")
        assert not found, "\n".join(found)
