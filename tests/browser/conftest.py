"""A browser, servers of the sample shop, and visitors whose test fails by itself where a page does what it must not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.browsing.chromium import leave_out, no_page, no_program
from tests.support.browsing.shops import Shop, running_shop, sample_bundle
from tests.support.browsing.visitor import CONTEXT, Visitor
from tests.support.browsing.watch import Watch
from tools.chromium import program

Visit = Callable[[Shop], Visitor]

# A machine that is busy makes no page wrong.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder are tests of the browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests of a process."""
    if missing := no_program():
        leave_out(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def bundle(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's."""
    if missing := no_page():
        leave_out(missing)
    return sample_bundle(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def shop(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Open to everyone; its tests leave it as it was, but for events of users of their own."""
    with running_shop(bundle, tmp_path_factory.mktemp("shop")) as running:
        yield running


@pytest.fixture(scope="session")
def locked_shop(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """It asks for a key (`tests.support.browsing.shops.KEYS`)."""
    with running_shop(bundle, tmp_path_factory.mktemp("locked"), keys=True) as running:
        yield running


@pytest.fixture(scope="session")
def storeless_shop(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Without a store: no events, no search, no rules."""
    with running_shop(bundle, tmp_path_factory.mktemp("storeless"), store=False) as running:
        yield running


@pytest.fixture
def own_shop(bundle: Path, tmp_path: Path) -> Iterator[Shop]:
    """For one test, which may change rules, stop it, or take its store away."""
    with running_shop(bundle, tmp_path) as running:
        yield running


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Makes a visitor of a shop, with a browser profile of its own."""
    visitors: list[Visitor] = []

    def make(shop: Shop) -> Visitor:
        context = browser.new_context(**CONTEXT)
        visitors.append(Visitor(context.new_page(), shop, Watch(context, urlsplit(shop.url).netloc)))
        return visitors[-1]

    yield make
    faults = [fault for visitor in visitors for fault in visitor.watch.faults]
    for visitor in visitors:
        visitor.page.context.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def visitor(visit: Visit, shop: Shop) -> Visitor:
    """Of the shop that is open to everyone."""
    return visit(shop)
