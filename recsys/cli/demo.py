"""From synthetic raw reviews to recommendations over HTTP: every command of the product, on the generated sample.

`make demo` and `recsys demo` run it, in any folder. Everything shown is made up: users, items, reviews and so the
scores too.
"""

from __future__ import annotations

import http.client
import json
import math
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from recsys.bundle import Bundle, open_bundle
from recsys.config import Config, load_config
from recsys.core.errors import RecsysError
from recsys.core.types import Int64Array

CONFIG = Path("configs/sample.yaml")
HERE = Path(__file__).parent
CONFIGS = (HERE / CONFIG.name, HERE.parents[1] / CONFIG)  # in the wheel and in a checkout
RAW_FOLDER = Path("data/raw/sample")
REPORT_FILE = "report.html"
PAGE = "/ui/"  # of the server
USER_SHARES = (0.3, 0.6, 0.95)  # where the users shown stand among all, ordered by length of history
SHOWN_HISTORY = 8
K = 10
REASON_INDENT = 9
REQUEST_TIMEOUT_S = 600  # of a machine many times slower than one that takes a hundredth of a second
READY_TIMEOUT_S = 5  # a server that compiles may take that long to answer; it is asked again
READY_POLL_S = 0.1
STOP_TIMEOUT_S = 60  # then it is killed

console = Console()


def main(*, keep: bool = False) -> int:
    """Run every stage, show three users, stop the server, at once or, to `keep` it up, at Ctrl-C.

    Returns the exit code of the stage that failed, else 0.
    """
    started = time.perf_counter()
    console.print(
        "[bold]Demo on synthetic data:[/bold] the shop, its users and their reviews are generated, none is real."
    )
    write_config()
    config = load_config(CONFIG)
    stages = {
        "Generate raw review files": ["sample", str(RAW_FOLDER)],
        "Prepare the dataset": ["prepare", "--config", str(CONFIG)],
        "Train, export and index": ["train", "--config", str(CONFIG)],
        "Evaluate": ["evaluate", "--config", str(CONFIG)],
    }
    last = len(stages) + 1
    for number, (title, arguments) in enumerate(stages.items(), start=1):
        exit_code = run_stage(f"{number}/{last}  {title}", ["-m", "recsys", *arguments])
        if exit_code:
            return exit_code
    console.rule(f"{last}/{last}  Serve", align="left")
    bundle_option = ["--bundle", str(config.bundle_path)]
    with demo_store(keep) as store, running_server([*bundle_option, "--store", store]) as url:
        with open_bundle(config.bundle_path) as bundle:
            show_users(url, bundle)
        print_results(config, time.perf_counter() - started)
        if keep:
            show_page(url)
            wait_for_interrupt()
    if not keep:
        print_how_to_open_the_page()
    return 0


@contextmanager
def demo_store(keep: bool) -> Iterator[str]:
    """URL of the server's store. For people who try the page there is one, and nothing is left of it."""
    if not keep:
        yield "none"
        return
    with tempfile.TemporaryDirectory(prefix="recsys-demo-") as folder:
        yield f"sqlite:///{folder}/store.sqlite"


def write_config() -> None:
    """Where the current folder has no config of the sample, write one, to look at and to start from."""
    if not CONFIG.is_file():
        CONFIG.parent.mkdir(exist_ok=True)
        shutil.copy(next(path for path in CONFIGS if path.is_file()), CONFIG)


def run_stage(title: str, arguments: Sequence[str]) -> int:
    """Run one of the product's programs in this terminal; its exit code."""
    console.rule(title, align="left")
    console.print(f"[dim]$ python {' '.join(arguments)}[/dim]")
    started = time.perf_counter()
    exit_code = subprocess.run([sys.executable, *arguments], check=False).returncode
    if exit_code:
        console.print(f"[red]The demo stops: this command ended with exit code {exit_code}.[/red]")
    else:
        console.print(f"[dim]{time.perf_counter() - started:.0f} s[/dim]")
    return exit_code


@contextmanager
def running_server(options: Sequence[str]) -> Iterator[str]:
    """Start `python -m serve` on a free port; give its URL once it is ready, and stop it at the end.

    Raises:
        RecsysError: it ended before it was ready.
    """
    command = [sys.executable, "-m", "serve", "--port", "0", "--log-level", "warning", *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        with console.status("The server starts ...") as status:
            announced = re.search(r"http://\S+", server.stdout.readline() if server.stdout else "")
            if announced is None:
                raise RecsysError("a server", f"exit code {server.wait()}", "see its message above")
            wait_until_ready(announced.group(), server, status.update)
        yield announced.group()
    finally:
        server.terminate()
        try:
            server.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until_ready(url: str, server: subprocess.Popen[str], say: Callable[[str], None]) -> None:
    """Ask /ready until it says so, as long as the server lives, and say what it is waiting for.

    Raises:
        RecsysError: the server ended.
    """
    while server.poll() is None:
        reason = what_it_waits_for(url)
        if reason is None:
            return
        say(f"Waiting for the server: {escape(reason)}")
        time.sleep(READY_POLL_S)
    raise RecsysError("a server that gets ready", f"exit code {server.returncode}", "see its messages above")


def what_it_waits_for(url: str) -> str | None:
    """The server's own reason for not being ready, or None where it is."""
    try:
        try:
            get_json(f"{url}/ready", READY_TIMEOUT_S)
        except urllib.error.HTTPError as error:
            return str(json.load(error)["detail"])
    except (OSError, ValueError, http.client.HTTPException):  # a busy server may not get to the end of its answer
        return "no answer yet"
    return None


def get_json(url: str, timeout_s: float = REQUEST_TIMEOUT_S) -> Any:
    """What a server on this machine answers to a GET; a proxy in the environment is none of its business."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=timeout_s) as response:
        return json.load(response)


def show_users(url: str, bundle: Bundle) -> None:
    """Ask the server for a few users and print what they reviewed and what they are offered."""
    for row in pick_users(bundle.histories.lengths):
        user_id = bundle.catalogue.user_ids([row])[0]
        address = f"{url}/recommendations/{urllib.parse.quote(user_id, safe='')}?k={K}&explain=cheap"
        answer = get_json(address)
        console.print(f"[dim]$ curl '{address}'[/dim]")
        console.print(history_table(bundle, row), "", recommendations_table(answer), sep="\n")


def pick_users(lengths: Int64Array) -> list[int]:
    """User rows of a shorter, a middling and a longer history, of those that have one."""
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    return [int(order[int(share * (len(order) - 1))]) for share in USER_SHARES] if len(order) else []


def history_table(bundle: Bundle, row: int) -> Table:
    """The most recent reviews of a user, newest first."""
    history = bundle.histories.select([row])
    (user_id,) = bundle.catalogue.user_ids([row])
    table = shop_table(f"Synthetic user {user_id}: {len(history.items)} reviews, the newest first", "Rating")
    newest = list(zip(history.items.tolist(), history.ratings.tolist(), strict=True))[::-1][:SHOWN_HISTORY]
    records = bundle.catalogue.items([item for item, _ in newest])
    for record, (_, rating) in zip(records, newest, strict=True):
        table.add_row(escape(record.title or record.item_id), "" if math.isnan(rating) else f"{rating:.0f}")
    return table


def recommendations_table(answer: dict[str, Any]) -> Group:
    """What the server answered, with a reason under each item that has one.

    "Proposed by" counts the sources that had the item among their candidates.
    """
    reason = answer["fallback_reason"]
    title = f"Top {len(answer['items'])} for {answer['user_id']}" + (f" (popular items: {reason})" if reason else "")
    numbers = "Price", "Proposed by", "Score", "Rating, predicted"
    parts: list[RenderableType] = [shop_table(title, *numbers, ranked=True)]
    for item in answer["items"]:
        price, score, rating = (
            "" if item[name] is None else f"{item[name]:.2f}" for name in ("price", "score", "predicted_rating")
        )
        # A table of its own for each item: a reason is as wide as all columns together.
        row = shop_table("", *numbers, ranked=True, headed=False)
        named = escape(item["title"] or item["item_id"])
        row.add_row(f"{item['rank']}.", named, price, str(len(item["sources"])), score, rating)
        parts.append(row)
        if why := item.get("why"):
            parts.append(Padding(Text(why["text"], style="dim"), (0, 2, 0, REASON_INDENT)))
    return Group(*parts, "")


def shop_table(title: str, *numbers: str, ranked: bool = False, headed: bool = True) -> Table:
    """A table as wide as the terminal: a column for titles, behind one for ranks, and those of the `numbers` named."""
    table = Table(
        title=escape(title) if headed else None,
        title_justify="left",
        expand=True,
        show_header=headed,
        show_edge=False,
        box=SIMPLE_HEAD,
    )
    if ranked:
        table.add_column("", justify="right", min_width=len(f"{K}."))
    table.add_column("Title", ratio=1)
    for number in numbers:
        table.add_column(number, justify="right", no_wrap=True, min_width=len(number))
    return table


def print_results(config: Config, seconds: float) -> None:
    """Where the results are."""
    console.rule("Done", align="left")
    report = config.report_path / REPORT_FILE
    console.print(f"Raw files to recommendations in {seconds:.0f} s. All of it is synthetic; real data: see README.md.")
    console.print(f"Report:  {report.resolve()}", soft_wrap=True, highlight=False)
    console.print(f"Bundle:  {config.bundle_path.resolve()}", soft_wrap=True, highlight=False)


def show_page(url: str) -> None:
    """Where to look at all of it, as long as the server runs."""
    console.print(f"Page:    [bold]{url}{PAGE}[/bold]", soft_wrap=True, highlight=False)
    console.print("Open it in a browser. The server runs until Ctrl-C; rules and events made in it are gone then.")


def wait_for_interrupt() -> None:
    """Until Ctrl-C, or whatever else tells the process to end: the server is stopped then, too."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell lets what it starts behind it ignore the first one
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def print_how_to_open_the_page() -> None:
    """How to go on without the demo."""
    console.print(f"Page:    http://127.0.0.1:8000{PAGE}, once a server runs:", soft_wrap=True, highlight=False)
    console.print(
        "The one of the demo was stopped. [bold]make serve[/bold] in a checkout, or [bold]recsys serve[/bold], starts "
        "one that stays up until Ctrl-C; so does [bold]make demo KEEP=1[/bold], or [bold]recsys demo --keep[/bold]."
    )
