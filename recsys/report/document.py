"""What metrics.json and the report are made of: the results of a measurement, and the words that belong to them."""

from __future__ import annotations

from typing import Any

from recsys.report.caveats import seed_warnings, warnings
from recsys.report.names import FACTOR_MODELS, PROTOCOL_TITLES, system_description, system_label


def document(results: dict[str, Any]) -> dict[str, Any]:
    """The results with labels and descriptions of all that was measured, and with warnings; JSON-ready.

    Args:
        results: of `evaluator.evaluate`, under "run" those of `provenance.provenance`, and under "seeds", if there are
            any, those of `seeds.evaluate_seeds`.
    """
    names = results["systems"]
    return {
        **results,
        "systems": {name: {"label": system_label(name), "description": system_description(name)} for name in names},
        "protocol": {**results["protocol"], "protocols": PROTOCOL_TITLES},
        "ratings": _with_labels(results["ratings"]),
        "warnings": warnings(results) + (seed_warnings(results["seeds"]) if "seeds" in results else []),
    }


def _with_labels(ratings: dict[str, Any] | None) -> dict[str, Any] | None:
    if ratings is None or "factor_models" not in ratings:
        return ratings
    models = {name: {**FACTOR_MODELS[name], **about} for name, about in ratings["factor_models"].items()}
    return {**ratings, "factor_models": models}
