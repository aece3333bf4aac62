"""Pictures of every page of the dashboard, light and dark, wide and narrow: `python -m tools.screenshots`.

A server of the sample is started for them. The browser's clock stands still and nothing moves, so that pictures differ
where pages do. A picture more is one line in `shots`.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, Route, ViewportSize, sync_playwright

from recsys.bundle import open_bundle
from recsys.core.errors import RecsysError
from tools.chromium import needed_program
from tools.pictured_experiment import EXPERIMENT, write_experiment

FOLDER = Path("docs/images/dashboard")
SIZES: dict[str, ViewportSize] = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
NOW = "2026-12-01T12:00:00Z"  # what the browser takes for now
STILL: Mapping[str, Any] = {
    "generated_at": NOW,
    "total_ms": 8.0,
    "uptime_s": 3600.0,
    "as_of": NOW,
}  # by names in answers
COLOURS = 128
READY_S, LOADED_MS = 300.0, 30_000
LOADING = "[aria-busy=true]"


@dataclass(frozen=True)
class Shot:
    """A picture.

    Attributes:
        name: of its files, before theme and width.
        path: of the page, with its state, behind /ui.
        prepare: what is done to the page before; it leaves everything loaded.
        tried: of a shop whose store holds an experiment (`tools.pictured_experiment`), and what its users did.
    """

    name: str
    path: str
    prepare: Callable[[Page], None] | None = None
    tried: bool = False


def shots(user: str, item: str) -> Sequence[Shot]:
    """Every picture, of a user and of an item, both ready for an address."""
    listed = f"/?user={user}"
    return [
        Shot("recommendations", listed),
        Shot("why", listed, why),
        Shot("similar", listed, similar),
        Shot("comparison", f"{listed}&against=popularity"),
        Shot("users", "/users"),
        Shot("user", f"/user?id={user}"),
        Shot("items", "/items?query=kettle"),
        Shot("item", f"/item?id={item}"),
        Shot("popular", "/popular"),
        Shot("rules", "/rules?new=1&action=hide&brand=Halcyon"),
        Shot("experiment", f"/experiments?experiment={EXPERIMENT.key}", verdict, tried=True),
        Shot("system", "/system"),
    ]


def why(page: Page) -> None:
    """Open the first item's explanation, and bring it into sight."""
    opener = page.get_by_role("article").first.get_by_role("button", name=re.compile("^Why"))
    opener.click()
    page.get_by_role("heading", name="How the score comes about").first.wait_for(timeout=LOADED_MS)
    opener.evaluate("opener => window.scrollBy(0, opener.getBoundingClientRect().top - 16)")


def similar(page: Page) -> None:
    """Open the window of what is similar to the first item."""
    page.get_by_role("button", name=re.compile("similar to", re.IGNORECASE)).first.click()


def verdict(page: Page) -> None:
    """Bring what came of the experiment into sight."""
    title = page.get_by_role("heading", name="Verdict")
    title.wait_for(timeout=LOADED_MS)
    title.evaluate("title => window.scrollBy(0, title.getBoundingClientRect().top - 40)")


def somebody(path: Path) -> tuple[str, str]:
    """The user whose history is longer than that of 95 in 100, and the last item of it, ready for an address."""
    with open_bundle(path, verify="quick") as bundle:
        lengths = bundle.histories.lengths
        row = int(np.argsort(lengths, kind="stable")[int(0.95 * len(lengths))])
        last = bundle.histories.select([row]).items[-1:]
        user, item = bundle.catalogue.user_ids([row])[0], bundle.catalogue.item_ids(last)[0]
        return quote(user, safe=""), quote(item, safe="")


def take(browser: Browser, url: str, shot: Shot, folder: Path) -> None:
    """Take a picture in every theme and width."""
    for width, size in SIZES.items():
        for theme in THEMES:
            context = browser.new_context(
                viewport=size, color_scheme=theme, reduced_motion="reduce", locale="en-GB", timezone_id="UTC"
            )
            page = context.new_page()
            page.clock.set_fixed_time(NOW)
            page.route(is_answer, stand_still)
            page.goto(f"{url}/ui{shot.path}")
            settle(page)
            if shot.prepare:
                shot.prepare(page)
                settle(page)
            write(page.screenshot(animations="disabled", caret="hide"), folder / file_name(shot, theme, width))
            context.close()


def file_name(shot: Shot, theme: str, width: str) -> str:
    """Of a picture."""
    return f"{shot.name}-{theme}-{width}.png"


def is_answer(url: str) -> bool:
    """Whether the API answers there, and not with a file of the dashboard."""
    return not urlsplit(url).path.startswith("/ui/")


def stand_still(route: Route) -> None:
    """Answer as the server does, but for times that differ whenever it is asked."""
    answer = route.fetch()
    if "json" in answer.headers.get("content-type", ""):
        route.fulfill(response=answer, json=stilled(answer.json()))
    else:
        route.fulfill(response=answer)


def stilled(value: Any) -> Any:
    """The same with the values of STILL."""
    if isinstance(value, dict):
        return {
            key: stilled(inner) if inner is None else STILL.get(key, stilled(inner)) for key, inner in value.items()
        }
    return [stilled(inner) for inner in value] if isinstance(value, list) else value


def settle(page: Page) -> None:
    """Wait until everything has been loaded and shown."""
    page.locator("h1").wait_for(timeout=LOADED_MS)
    page.wait_for_load_state("networkidle")
    page.locator(LOADING).first.wait_for(state="detached", timeout=LOADED_MS)


def write(picture: bytes, path: Path) -> None:
    """Write a picture with few colours, which a page of flat areas and text does not miss."""
    with Image.open(io.BytesIO(picture)) as image:
        few = image.convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


@contextmanager
def running_server(bundle: Path, *, tried: bool = False) -> Iterator[str]:
    """A server of the bundle on a free port, with a store of its own in which search finds the items: its URL.

    Args:
        bundle: what is served.
        tried: let the store hold an experiment.

    Raises:
        RecsysError: it ended before it was ready, or it was not ready in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/store.sqlite"
        options = ["--bundle", str(bundle), "--port", "0", "--store", store, "--log-level", "warning"]
        if tried:
            with open_bundle(bundle, verify="quick") as opened:
                write_experiment(store, opened.catalogue.item_ids(range(100)))
            options += ["--served-days", "0", "--list-events-days", "0"]
        command = [sys.executable, "-m", "serve", *options]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            announced = re.search(r"http://\S+", server.stdout.readline() if server.stdout else "")
            if announced is None:
                raise RecsysError("a server", f"exit code {server.wait()}", "see its message above")
            wait_until(lambda: b'"item_id"' in answer_of(f"{announced.group()}/items?limit=1"))
            yield announced.group()
        finally:
            server.terminate()
            server.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    """Raises RecsysError: it does not hold in time."""
    end = time.monotonic() + READY_S
    while not condition():
        if time.monotonic() > end:
            raise RecsysError("a server that is ready", f"none after {READY_S:.0f} s", "see its messages above")
        time.sleep(0.1)


def answer_of(url: str) -> bytes:
    """What the server answers; nothing where that is an error."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=READY_S) as response:
            return bytes(response.read())
    except urllib.error.URLError:
        return b""


def main() -> None:
    """Take all pictures, or those whose names are given."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of pictures, such as items; default: all")
    parser.add_argument("--bundle", type=Path, default=Path("saved_model/sample"))
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder of the pictures")
    arguments = parser.parse_args()
    arguments.to.mkdir(parents=True, exist_ok=True)
    wanted = [
        shot for shot in shots(*somebody(arguments.bundle)) if not arguments.names or shot.name in arguments.names
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=needed_program(), args=["--no-sandbox"])
        for tried in sorted({shot.tried for shot in wanted}):
            with running_server(arguments.bundle, tried=tried) as url:
                for shot in wanted:
                    if shot.tried == tried:
                        take(browser, url, shot, arguments.to)
        browser.close()


if __name__ == "__main__":
    main()
