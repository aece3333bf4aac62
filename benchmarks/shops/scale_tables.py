"""The tables of docs/scale.md, from what `benchmarks/scale.py` has measured."""

from __future__ import annotations

from typing import Any

from recsys.core.progress import duration

COMMANDS = ("generate", "prepare", "oracle", "train", "evaluate", "serve")
NAMED = {"cds": "CDs and Vinyl"}
NAMES = {
    "knowing": "who knows every user's tastes",
    "inferring": "who knows the shop's rules and infers tastes",
    "system": "whole system",
    "two_tower_exact": "two-tower alone",
    "blend": "blend of the tuned baselines",
    "popularity": "popularity",
}


def tables(results: dict[str, Any]) -> str:
    """The sizes, the stages of all sizes, and the quality, as Markdown."""
    sizes = sorted(results, key=lambda size: results[size]["shape"][2])
    return "\n\n".join([_sizes(results, sizes), _stages(results, sizes), _quality(results, sizes)])


def power(size: str) -> str:
    """`10^5` for 1e5; a size that is no power by its name."""
    return f"10^{size.removeprefix('1e')}" if size.startswith("1e") else NAMED[size]


def _sizes(results: dict[str, Any], sizes: list[str]) -> str:
    rows = [[power(size), *(f"{count:,}" for count in results[size]["shape"])] for size in sizes]
    return _table(["size", "users", "items", "events"], rows)


def _stages(results: dict[str, Any], sizes: list[str]) -> str:
    """Of each stage and size: seconds, in brackets those of CPU, and the peak of memory."""
    order: dict[str, None] = {}
    cells: dict[tuple[str, str], str] = {}
    for name in COMMANDS:
        for size in (size for size in sizes if name in results[size]["commands"]):
            entry = results[size]["commands"][name]
            for stage in entry["stages"]:
                key = stage["stage"] if stage["stage"] != "Start" else f"Start of `{name}`"
                order.setdefault(key)
                cells[key, size] = _cell(stage, entry["epochs"] if "two-tower" in key or "twin" in key else 0)
    rows = [[key, *(cells.get((key, size), "") for size in sizes)] for key in order]
    return _table(["stage", *map(power, sizes)], rows)


def _cell(stage: dict[str, Any], epochs: int) -> str:
    notes = [stage["note"]] if stage["note"] else []
    notes += [f"{epochs} epoch{'s' * (epochs > 1)} measured"] if epochs else []
    return "; ".join([f"{duration(stage['seconds'])} ({duration(stage['cpu_s'])}), {stage['peak_mb']:,} MB", *notes])


def _quality(results: dict[str, Any], sizes: list[str]) -> str:
    measured = [size for size in sizes if "quality" in results[size]]
    rows = []
    for name, words in NAMES.items():
        figures = [results[size]["quality"].get(name) for size in measured]
        if not any(figures):
            continue
        cells = [f"{found['recall@10']:.4f} / {found['ndcg@10']:.4f}" if found else "" for found in figures]
        rows.append([words, *cells])
    return _table(["recall@10 / NDCG@10 of", *map(power, measured)], rows)


def _table(heading: list[str], rows: list[list[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
