"""Write the results of an evaluation: one self-contained report.html, and metrics.json with every figure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from recsys.core.errors import ConfigError
from recsys.measure import systems as s
from recsys.measure.best_baseline import difference
from recsys.measure.explanations.fidelity import LISTED
from recsys.report import charts, tables
from recsys.report.document import Document
from recsys.report.drawing import standalone
from recsys.report.first_card import earned, order_in_words
from recsys.report.names import METRIC_LABELS, ORDER_LABELS, metric_label, rating_labels, source_label
from recsys.report.outcomes import outcome_section
from recsys.report.rules import columns_of, write_outcome

REPORT_FILE, METRICS_FILE = "report.html", "metrics.json"


def write_report(results: Document, folder: Path) -> Path:
    """Write report.html and metrics.json into `folder` and return the report's path.

    Args:
        results: of `document.document`.
        folder: made if need be.

    Raises:
        ConfigError: the folder cannot be written.
    """
    files = {METRICS_FILE: json.dumps(results, indent=2, allow_nan=False) + "\n", REPORT_FILE: render(results)}
    _write(files, folder, "the report", "evaluation.report_dir")
    return folder / REPORT_FILE


def write_figures(results: Document, folder: Path) -> list[Path]:
    """Write the main figures as SVG files of their own, the same bytes for the same results.

    Args:
        results: as for `write_report`.
        folder: made if need be.

    Returns:
        The files; a figure without data is left out.

    Raises:
        ConfigError: the folder cannot be written.
    """
    drawn = charts.draw(results)
    files = {f"{name}.svg": standalone(drawn[name]) for name in charts.PUBLISHED if name in drawn}
    _write(files, folder, "the figures", "another --figures")
    return [folder / name for name in files]


def _write(files: Mapping[str, str], folder: Path, what: str, remedy: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            partial = folder / f"{name}.partial"
            partial.write_text(text, "utf8")
            partial.replace(folder / name)
    except OSError as error:
        raise ConfigError(f"to write {what} into {folder}", str(error), f"free space there, or set {remedy}") from None


def render(results: Document) -> str:
    """The report as one HTML page that loads nothing."""
    environment = Environment(
        loader=PackageLoader("recsys.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": lambda value: f"{value:,}".replace("-", "−"),
        "figure": lambda value: "–" if value is None else f"{value:.4f}",
        "signed": lambda value: f"{value:+.4f}".replace("-", "−"),
        "percent": lambda value: "–" if value is None else f"{value:.1%}",
        "percent2": lambda value: "–" if value is None else f"{value:.2%}",
        "contains": lambda table, part: part.items() <= table.items(),
        "lift": lambda value: "–" if value is None else f"{value:+.0%}".replace("-", "−"),
        "money": lambda value: f"{value:,.2f}".replace("-", "−"),
        "words": lambda value: str(value).replace("_", " "),
        "range": lambda value: str(value).replace("-", "–"),
        "metric": metric_label,
        "yaml": lambda value: yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100),
    }
    order = charts.ordered(results)
    page: str = environment.get_template("report.html.j2").render(
        results=results,
        run=results["run"],
        metrics=results["run"]["bundle"]["metrics"],
        protocol=results["protocol"],
        systems={name: {**results["systems"][name], "series": charts.series(name)} for name in order},
        headline=charts.headline(results),
        first_card=[words for words in (earned(results), order_in_words(results["run"]["bundle"]["metrics"])) if words],
        tiles=tables.tiles(results),
        figures=charts.draw(results),
        tables=tables.metric_tables(results),
        tuning=tables.tuning_rows(results),
        hybrid=tables.hybrid_parts(results),
        rating_labels=rating_labels(results["ratings"]) if results["ratings"] else {},
        data_facts=tables.data_facts(results["run"]["dataset"]),
        drops=tables.drops(results["run"]["dataset"]),
        metric_labels=METRIC_LABELS,
        order_labels=ORDER_LABELS,
        listed=LISTED,
        source_label=source_label,
        difference=lambda system, other, metric: difference(results["comparisons"], system, other, metric),
        names=s,
        rule_columns=columns_of(results["rules"]["none"]) if results["rules"] else {},
        outcome=write_outcome,
        shop=outcome_section(results["outcomes"]),
    )
    return page
