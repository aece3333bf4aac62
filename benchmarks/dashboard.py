"""How fast the dashboard is in a browser: its first load, and what a person does in it.

    python benchmarks/dashboard.py --bundle data/generated/generated-500000 --rounds 7

A server of the bundle, and Chromium over it on the same machine. Rounds alternate between the dashboard and the floor,
a nearly empty page of the same server in the same browser; each round begins with an empty browser profile. Measured
is what browsers report themselves:

- *first load*: the largest contentful paint, from the beginning of the navigation.
- *an interaction*: from the event to the next frame that is painted, the longest of its events (Event Timing, in steps
  of 8 ms; what is not reported took less than 16 ms and counts as 16).
- *at rest*: from the same beginning to the last change of the page, answers of the server included.

Exit code 1: a goal is missed by the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # replaces the script's own folder, where this file hides others
    sys.path[0] = str(ROOT)

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from benchmarks.floor import FLOOR_PAGE  # noqa: E402
from benchmarks.serve_process import fill_store, running_server  # noqa: E402
from recsys.bundle import open_bundle  # noqa: E402
from tools.chromium import needed_program  # noqa: E402

FIRST_LOAD_MS, INTERACTION_MS = 1000.0, 100.0
SHORTEST_MS = 16.0  # browsers report no shorter events
QUIET_MS, PATIENCE_S = 600, 20
WATCH = """
const seen = {paint: 0, events: [], changed: 0, began: 0};
window.seen = seen;
new PerformanceObserver(list => { for (const entry of list.getEntries()) seen.paint = entry.startTime; })
  .observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver(list => { for (const entry of list.getEntries()) seen.events.push(entry.duration); })
  .observe({type: 'event', durationThreshold: 16, buffered: true});
new MutationObserver(() => { seen.changed = performance.now(); })
  .observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
for (const name of ['keydown', 'pointerdown'])
  addEventListener(name, event => { seen.began = event.timeStamp; }, {capture: true});
"""
AT_REST = f"performance.now() - Math.max(seen.changed, seen.began) > {QUIET_MS}"


class Figures(NamedTuple):
    """Milliseconds: until the paint, and until the page changes no more."""

    painted: float
    at_rest: float


class Interaction(NamedTuple):
    """What a person does on a page; `ready` makes sure that it can be done."""

    name: str
    path: str
    ready: Callable[[Page], Any]
    act: Callable[[Page], Any]


def at(field: str) -> Callable[[Page], Any]:
    """Put the focus into a field."""
    return lambda page: page.get_by_label(field, exact=True).first.focus()


def over(role: Literal["button", "link"], name: str, within: str = "body") -> Callable[[Page], Any]:
    """Bring something to click into sight, with the pointer over it."""
    return lambda page: page.locator(within).first.get_by_role(role, name=re.compile(name)).first.hover()


def letter(page: Page) -> None:
    """Press the key of a letter that ids of users and words of titles begin with."""
    page.keyboard.press("a")


def click(page: Page) -> None:
    """Press and release the pointer's button."""
    page.mouse.down()
    page.mouse.up()


FLOOR_ACTIONS = (
    Interaction("typing", FLOOR_PAGE, at("Field"), letter),
    Interaction("clicking", FLOOR_PAGE, over("button", "Button"), click),
)


def dashboard_actions(user: str) -> Sequence[Interaction]:
    """What is measured of the dashboard."""
    of_user = f"/ui/?user={user}"
    return (
        Interaction("typing in the field of users", "/ui/", at("User"), letter),
        Interaction("opening why", of_user, over("button", "^Why", "article"), click),
        Interaction("opening similar items", of_user, over("button", "imilar", "article"), click),
        Interaction("the next page of a list", of_user, over("button", "Next"), click),
        Interaction("typing in the search of items", "/ui/items", at("Search"), letter),
        Interaction("sorting items", "/ui/items", over("button", "^Price$"), click),
        Interaction("the next page of items", "/ui/items", over("button", "Next"), click),
        Interaction("typing in the search of users", "/ui/users", at("Find a user"), letter),
        Interaction("going to another page", of_user, over("link", "Popular"), click),
    )


def first_load(browser: Browser, url: str, path: str) -> Figures:
    """Of a page in a new profile."""
    page = new_page(browser)
    page.goto(url + path)
    wait(page, AT_REST)
    seen: Mapping[str, float] = page.evaluate("seen")
    page.context.close()
    return Figures(seen["paint"], seen["changed"])


def interaction(browser: Browser, url: str, asked: Interaction) -> Figures:
    """Of an interaction with a page in a new profile that is at rest."""
    page = new_page(browser)
    page.goto(url + asked.path)
    wait(page, AT_REST)
    asked.ready(page)
    wait(page, AT_REST)
    page.evaluate("seen.events.length = 0; seen.began = seen.changed = 0")
    asked.act(page)
    wait(page, f"seen.began > 0 && {AT_REST}")
    seen: dict[str, Any] = page.evaluate("seen")
    page.context.close()
    longest = max(seen["events"], default=SHORTEST_MS)
    return Figures(longest, max(seen["changed"] - seen["began"], 0.0))


def wait(page: Page, condition: str) -> None:
    """Ask from here, since the page's Content-Security-Policy lets no page evaluate texts by itself.

    Raises:
        RuntimeError: it does not hold in time.
    """
    end = time.monotonic() + PATIENCE_S
    while not page.evaluate(condition):
        if time.monotonic() > end:
            raise RuntimeError(f"{page.url}: still not true after {PATIENCE_S} s: {condition}")
        page.wait_for_timeout(50)


def new_page(browser: Browser) -> Page:
    """In a profile of its own, watched."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB").new_page()
    page.add_init_script(WATCH)
    return page


def measure(url: str, user: str, rounds: int) -> Mapping[str, list[Figures]]:
    """The figures of every round by name; the floor's begin with the word floor."""
    figures: dict[str, list[Figures]] = defaultdict(list)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=needed_program(), args=["--no-sandbox"])
        for _ in range(rounds):
            figures["floor: first load"].append(first_load(browser, url, FLOOR_PAGE))
            figures["first load"].append(first_load(browser, url, f"/ui/?user={user}"))
            for floor in FLOOR_ACTIONS:
                figures[f"floor: {floor.name}"].append(interaction(browser, url, floor))
            for asked in dashboard_actions(user):
                figures[asked.name].append(interaction(browser, url, asked))
        browser.close()
    return figures


def print_figures(title: str, figures: Mapping[str, list[Figures]]) -> bool:
    """A table of medians and worst rounds; whether every goal is met."""
    lines, met = [], True
    for name, rounds in figures.items():
        goal = FIRST_LOAD_MS if "first load" in name else INTERACTION_MS
        painted = [figure.painted for figure in rounds]
        median = statistics.median(painted)
        good = median <= goal
        met &= good
        rest = statistics.median(figure.at_rest for figure in rounds)
        lines.append(
            (name, f"{median:.0f}", f"{max(painted):.0f}", f"{goal:.0f}", "yes" if good else "NO", f"{rest:.0f}")
        )
    print_table(title, ("", "painted, ms", "worst", "goal", "met", "at rest, ms"), lines)
    return met


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """As wide as its contents; figures stand to the right."""
    widths = [max(len(row[column]) for row in (columns, *rows)) for column in range(len(columns))]
    print(title)
    for row in (columns, *rows):
        first, *others = (
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join((first, *others)))


def main() -> int:
    """Measure, print, and say whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures of all rounds")
    arguments = parser.parse_args()
    path, load_before = arguments.bundle.resolve(), os.getloadavg()
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/store.sqlite"
        with open_bundle(path, verify="quick") as bundle:
            fill_store(store, bundle)
            n_items, user = bundle.catalogue.n_items, bundle.catalogue.user_ids([0])[0]
        with running_server(path, store) as running:
            running.wait_for_search()
            figures = measure(running.url, user, arguments.rounds)
    met = print_figures(f"{path.name}, {n_items:,} items, {arguments.rounds} rounds", figures)
    if load_before[0] > 0.5:
        print(f"Other processes kept about {load_before[0]:.1f} cores busy before: times vary.")
    if arguments.json:
        machine = {"cores": os.cpu_count(), "load_before": load_before, "load_after": os.getloadavg()}
        rounds = {name: [figure._asdict() for figure in of_name] for name, of_name in figures.items()}
        arguments.json.write_text(
            json.dumps({"bundle": path.name, "machine": machine, "rounds": rounds}, indent=1), "utf8"
        )
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
