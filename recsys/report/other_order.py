"""What another order would have been worth, in the terminal."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.markup import escape

from recsys.experiments.off_policy.estimate import Worth
from recsys.experiments.off_policy.support import Refusal, RefusalCode
from recsys.measure.other_order import OrderReport

_REFUSALS: Final[dict[RefusalCode, str]] = {
    "no_drawn_lists": "no list of the time can be used",
    "unsupported": "of {got:.1%} of the lists it wants items where they are hardly ever drawn; {allowed:.0%} may be so",
    "few_users": "the lists are of {got:g} users; {allowed:g} are needed",
    "few_effective": "place {place} is worth {got:.0f} lists after weighting; {allowed:g} are needed",
    "weights_off": "the mean weight of place {place} is {got:.1f} standard errors from 1; {allowed:g} are allowed",
}


def print_order_report(console: Console, report: OrderReport) -> None:
    """Print the estimate, or why there is none."""
    found = report.estimate
    console.print(f"{report.drawn} lists were drawn; {found.lists} of {found.users} users are judged.", highlight=False)
    for cause, count in [*report.skipped.items(), *found.left_out.items()]:
        if count:
            console.print(escape(f"  left out: {count} ({cause})"), highlight=False)
    if found.refusals:
        console.print(escape(f"No estimate for {report.bundle}:"), highlight=False)
        for refusal in found.refusals:
            console.print(f"  {_said(refusal)}", highlight=False)
        return
    lines = {
        "as drawn": found.drawn,
        f"in the order of {report.bundle}": found.doubly_robust,
        "  by weights alone": found.weighted,
        "gain": found.gain,
    }
    for name, worth in lines.items():
        if worth is not None:
            console.print(escape(f"{name}: {_clicks(worth)}"), highlight=False)


def _said(refusal: Refusal) -> str:
    return _REFUSALS[refusal.code].format(got=refusal.got, allowed=refusal.allowed, place=refusal.place)


def _clicks(worth: Worth) -> str:
    return f"{worth.clicks:.4f} clicks a list (95%: {worth.interval.low:.4f} to {worth.interval.high:.4f})"
