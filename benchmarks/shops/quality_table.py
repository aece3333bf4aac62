"""The table of `benchmarks/quality.py`: the whole system beside its parts, a line for each data set."""

from __future__ import annotations

from typing import Any

from recsys.report.names import source_label

HEADING = (
    *("data set", "test users", "items", "order served", "system NDCG@10"),
    *(
        "two-tower",
        "best single source",
        "blend",
        "over the two-tower (95%)",
        "over the best single (95%)",
        "over the blend (95%)",
    ),
)


def table(results: dict[str, dict[str, Any]]) -> str:
    """Markdown, in the order of the results; of several seeds a line each."""
    lines = [list(HEADING), ["---"] * len(HEADING)]
    for name, seeds in results.items():
        for seed, found in seeds.items():
            label = name if len(seeds) == 1 else f"{name}, seed {seed}"
            lines.append(_line(label, found))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(label: str, found: dict[str, Any]) -> list[str]:
    systems, leads, single = found["systems"], found["leads"], found["single"]
    alone = f"{source_label(single)} {_figure(systems.get(single))}" if single else "–"
    return [
        label,
        f"{found['users']:,}",
        f"{found['items']:,}",
        found["order"].replace("_", " ") if found["order"] else "–",
        f"**{_figure(systems['system'])}**",
        _figure(systems.get("two_tower_exact")),
        alone,
        _figure(systems.get("blend")),
        _lead(leads.get("two_tower_exact")),
        _lead(leads.get(single)),
        _lead(leads.get("blend")),
    ]


def _figure(metrics: dict[str, float] | None) -> str:
    """NDCG at the main cutoff."""
    return "–" if metrics is None else f"{next(iter(metrics.values())):.4f}"


def _lead(lead: dict[str, float] | None) -> str:
    if lead is None:
        return "–"
    return f"{lead['mean']:+.4f} ({lead['low']:+.4f} to {lead['high']:+.4f})".replace("-", "−")
