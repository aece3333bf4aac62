"""What came of the lists in a store: on a terminal, or as JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final, get_args

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.cli.json_lines import print_json
from recsys.core.errors import ConfigError
from recsys.core.events import SECONDS_PER_DAY
from recsys.core.values.times import TimeRules, parse_time
from recsys.outcomes import ATTRIBUTION_S, CAUSES, Dimension, OutcomeRow, Outcomes, as_json, tell_outcomes
from recsys.outcomes.intervals import Rate
from recsys.store import Store

DEFAULT_DAYS: Final = 7.0
STORE_TIMEOUT_S: Final = 30.0
WIDE: Final = 110  # columns of a terminal, from which on tables show all
_AS_SAID: Final = TimeRules(counted=True)


def outcomes_of(
    store: str,
    *,
    since: float,
    until: float | None = None,
    by: Sequence[Dimension] = (),
    experiment: str | None = None,
    window_s: float = ATTRIBUTION_S,
) -> Outcomes:
    """What came of the lists of a store, which is only read.

    Args:
        store: its URL.
        since, by, experiment, window_s: as of `tell_outcomes`.
        until: None: now.

    Raises:
        StoreError: there is no such store, or it has not the tables of this version.
    """
    now = time.time()
    with Store.open(store, timeout_s=STORE_TIMEOUT_S, pool_size=2) as opened:
        return tell_outcomes(
            opened, since, now if until is None else until, by, now=now, experiment=experiment, window_s=window_s
        )


def tell(
    store: str,
    *,
    since: str | None,
    until: str | None,
    by: Sequence[str],
    experiment: str | None,
    attribution_days: float,
    wants_json: bool,
) -> None:
    """Print what came of the lists of a store; times and dimensions as texts of the command line.

    Raises:
        ConfigError: a time or a dimension is none.
        StoreError: see `outcomes_of`.
    """
    ends = time.time() if until is None else _time(until, "--until")
    begins = ends - DEFAULT_DAYS * SECONDS_PER_DAY if since is None else _time(since, "--since")
    if begins >= ends:
        raise ConfigError(
            "--since before --until", f"{since or begins} and {until or 'now'}", "name an earlier --since"
        )
    found = outcomes_of(
        store,
        since=begins,
        until=ends,
        by=_dimensions(by),
        experiment=experiment,
        window_s=attribution_days * SECONDS_PER_DAY,
    )
    if wants_json:
        print_json(as_json(found))
    else:
        console = Console()
        print_outcomes(console if console.is_terminal else Console(width=WIDE), found)


def _time(text: str, option: str) -> float:
    try:
        return parse_time(text, _AS_SAID)
    except ValueError as error:
        raise ConfigError(
            f"a time after {option}", f"{text!r} ({error})", "write 2024-05-01, 2024-05-01T12:00:00Z or seconds"
        ) from None


def _dimensions(names: Sequence[str]) -> list[Dimension]:
    known = {name: name for name in get_args(Dimension)}
    for name in names:
        if name not in known:
            raise ConfigError("dimensions after --by", repr(name), f"choose among {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def print_outcomes(console: Console, found: Outcomes) -> None:
    """Print the tables, and how many events are the outcome of no list.

    Args:
        console: where to.
        found: outcomes.
    """
    text = as_json(found)
    console.print(
        f"Lists served from {text['since']} to {text['until']}, and what named them within "
        f"{found.window_s / SECONDS_PER_DAY:g} days.",
        highlight=False,
    )
    for title, rows in (("All lists", (found.total,)), *found.tables.items()):
        console.print(_table(str(title), rows, wide=console.width >= WIDE))
    for name, known in (("complete", found.complete), ("settled", found.settled)):
        if not known:
            console.print(_CAVEATS[name], highlight=False)
    if found.unnamed_lists:
        console.print(
            f"{found.unnamed_lists:,} lists are from before lists had ids, and in no number.", highlight=False
        )
    if found.unattributed:
        console.print(_unattributed(found))


_CAVEATS: Final = {
    "complete": "The store has removed a part of these lists or events since it kept them long enough.",
    "settled": "The latest lists may have further outcomes.",
}


def _table(title: str, rows: Sequence[OutcomeRow], *, wide: bool) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("", no_wrap=True)
    headings = ("Lists", "Served", "Seen", "Clicked", "CTR", "CTR of\nserved", "Bought", "Revenue")
    for heading in (*headings, "Carts", "Conversion") if wide else headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        counts = (row.lists, row.served, row.impressions, row.clicks)
        table.add_row(
            "–" if row.value is None else escape(row.value),
            *(f"{count:,}" for count in counts),
            _rate(row.ctr),
            _rate(row.ctr_served),
            f"{row.purchases:,}",
            f"{row.revenue:,.2f}",
            *((f"{row.carts:,}", _rate(row.conversion_rate)) if wide else ()),
        )
    return table


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return "–"
    reach = "" if rate.high is None else f"\n±{rate.high - rate.value:.2%}"
    return f"{rate.value:.2%}{reach}"


def _unattributed(found: Outcomes) -> Table:
    table = Table(title="Events of no list", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("Why", "Type"):
        table.add_column(heading)
    table.add_column("Events", justify="right")
    for each in found.unattributed:
        table.add_row(CAUSES[each.cause], escape(each.event_type), f"{each.events:,}")
    return table
