"""What metrics.json and the report are made of: the results of a measurement, and the words that belong to them."""

from __future__ import annotations

from typing import Any, TypedDict

from recsys.measure.results import Measured, RatingResults, Results, Seeds
from recsys.report.caveats import seed_warnings, warnings
from recsys.report.names import FACTOR_MODELS, PROTOCOL_TITLES, system_description, system_label


class SystemWords(TypedDict):
    """What a report says of a system."""

    label: str
    description: str


class Document(Measured):
    """Results, and the words that belong to them."""

    systems: dict[str, SystemWords]
    protocol: dict[str, Any]
    warnings: list[str]
    run: dict[str, Any]
    seeds: Seeds | None
    outcomes: dict[str, Any] | None


def document(
    results: Results, run: dict[str, Any], seeds: Seeds | None = None, outcomes: dict[str, Any] | None = None
) -> Document:
    """The results with labels and descriptions of all that was measured, and with warnings; JSON-ready.

    Args:
        results: of `evaluator.evaluate`.
        run: of `provenance.provenance`.
        seeds: of `seeds.evaluate_seeds`; None: no other bundles were evaluated.
        outcomes: of `recsys.outcomes.as_json`; None: no store was asked.
    """
    return {
        **results,
        "systems": {
            name: {"label": system_label(name), "description": system_description(name)} for name in results["systems"]
        },
        "protocol": {**results["protocol"], "protocols": PROTOCOL_TITLES},
        "ratings": _with_labels(results["ratings"]),
        "warnings": warnings(results) + ([] if seeds is None else seed_warnings(seeds)),
        "run": run,
        "seeds": seeds,
        "outcomes": outcomes,
    }


def _with_labels(ratings: RatingResults | None) -> RatingResults | None:
    if ratings is None or "factor_models" not in ratings:
        return ratings
    models = {name: {**FACTOR_MODELS[name], **about} for name, about in ratings["factor_models"].items()}
    return {**ratings, "factor_models": models}


def headline_protocol(results: Document) -> str:
    """The protocol of headline figures."""
    return str(results["protocol"]["headline_protocol"])
