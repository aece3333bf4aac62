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
    systems, margins, single = found["systems"], found["margins"], found["single"]
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
        _margin(margins.get("two_tower_exact")),
        _margin(margins.get(single)),
        _margin(margins.get("blend")),
    ]


def _figure(metrics: dict[str, float] | None) -> str:
    """NDCG at the main cutoff."""
    return "–" if metrics is None else f"{next(iter(metrics.values())):.4f}"


def _margin(margin: dict[str, float] | None) -> str:
    if margin is None:
        return "–"
    return f"{margin['mean']:+.4f} ({margin['low']:+.4f} to {margin['high']:+.4f})".replace("-", "−")
