"""What lists of an experiment need of this server, before it is started."""

from __future__ import annotations

from recsys.experiments.experiment import Experiment
from recsys.experiments.lifecycle import ExperimentConflict
from serve.parts import Parts


def require_deliverable(parts: Parts, experiment: Experiment) -> None:
    """Stop where nobody could tell what came of an experiment, or a variant cannot be made. Bundles are looked at.

    Raises:
        ExperimentConflict: there is no log of served lists, or a model or bundle that a variant names is not there.
        NotReadyError: no bundle is loaded.
    """
    if not parts.settings.served_log:
        raise ExperimentConflict(
            "a log of served lists, by which an experiment is judged", "the setting served_log off", "turn it on"
        )
    for variant in experiment.variants:
        fault = parts.held.fault_of(variant.overrides)
        if fault is not None:
            raise ExperimentConflict(
                f"a variant {variant.name!r} whose lists can be made",
                " ".join(fault.split()),
                "name a model, or a version of the bundle, that is there",
            )
