"""Pictures of every page of the dashboard, light and dark, wide and narrow: `python -m tools.screenshots`.

A server of the sample is started for them. The browser's clock stands still and nothing moves, so that pictures differ
where pages do. A picture more is one line in `shots`.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from recsys.bundle import open_bundle
from recsys.core.errors import RecsysError

FOLDER = Path("docs/images/dashboard")
SIZES: dict[str, ViewportSize] = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
NOW = "2026-12-01T12:00:00Z"  # what the browser takes for now
COLOURS = 64
READY_S, LOADED_MS = 300.0, 30_000
PROGRAMS = ("chromium", "chromium-browser")
LOADING = "[aria-busy=true]"


@dataclass(frozen=True)
class Shot:
    """A picture.

    Attributes:
        name: of its files, before theme and width.
        path: of the page, with its state, behind /ui.
        prepare: what is done to the page before; it leaves everything loaded.
    """

    name: str
    path: str
    prepare: Callable[[Page], None] | None = None


def shots(bundle: Path) -> Sequence[Shot]:
    """Every picture, of a user with a long history and of the item that the user chose last."""
    user, item = somebody(bundle)
    return [
        Shot("recommendations", f"/?user={user}"),
        Shot("users", "/users"),
        Shot("user", f"/user?id={user}"),
        Shot("items", "/items"),
        Shot("item", f"/item?id={item}"),
        Shot("popular", "/popular"),
        Shot("rules", "/rules"),
        Shot("system", "/system"),
    ]


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
            page.goto(f"{url}/ui{shot.path}")
            settle(page)
            if shot.prepare:
                shot.prepare(page)
                settle(page)
            write(page.screenshot(animations="disabled", caret="hide"), folder / f"{shot.name}-{theme}-{width}.png")
            context.close()


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
def running_server(bundle: Path) -> Iterator[str]:
    """A server of the bundle on a free port, with a store of its own in which search finds the items: its URL.

    Raises:
        RecsysError: it ended before it was ready, or it was not ready in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/store.sqlite"
        options = ["--bundle", str(bundle), "--port", "0", "--store", store, "--log-level", "warning"]
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


def chromium() -> str:
    """The browser: the one that CHROMIUM names, else Debian's or Ubuntu's.

    Raises:
        RecsysError: there is none.
    """
    named = os.environ.get("CHROMIUM")
    found = next((path for name in ([named] if named else PROGRAMS) if (path := shutil.which(name))), None)
    if found is None:
        raise RecsysError("Chromium", "none", "install the package chromium, or name the program in CHROMIUM")
    return found


def main() -> None:
    """Take all pictures, or those whose names are given."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of pictures, such as items; default: all")
    parser.add_argument("--bundle", type=Path, default=Path("saved_model/sample"))
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder of the pictures")
    arguments = parser.parse_args()
    arguments.to.mkdir(parents=True, exist_ok=True)
    with running_server(arguments.bundle) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for shot in shots(arguments.bundle):
            if not arguments.names or shot.name in arguments.names:
                take(browser, url, shot, arguments.to)
        browser.close()


if __name__ == "__main__":
    main()
