"""Step: the weights that a run starts from."""

from __future__ import annotations

from pathlib import Path

from recsys.bundle import open_bundle
from recsys.bundle.layout import CURRENT_FILE
from recsys.config import Config
from recsys.core.errors import BundleError
from recsys.core.progress import Step
from recsys.train.warm_start import TrainedWeights


def weights_before(config: Config, warm_from: Path | None, step: Step) -> TrainedWeights | None:
    """Those of the bundle that the run is to start from; None: it starts from nothing, and the step says why.

    Args:
        config: `training.warm_start` counts where `warm_from` is None.
        warm_from: folder of a bundle, or of a version.
        step: hears of it.

    A bundle in use that cannot be read is no reason not to train; one that the setting names is.

    Raises:
        BundleError: the bundle of the setting cannot be read.
    """
    setting = config.training.warm_start
    if warm_from is None and isinstance(setting, Path):
        return _weights(config, setting, step)
    if warm_from is None and setting is None:
        return None
    path = warm_from or config.bundle_path
    if warm_from is None and not (path / CURRENT_FILE).is_file():
        step.print(f"Starting from nothing: there is no bundle in {path} yet")
        return None
    try:
        return _weights(config, path, step)
    except BundleError as error:
        step.print(f"Starting from nothing: {path} cannot be read ({error.got})")
        return None


def _weights(config: Config, path: Path, step: Step) -> TrainedWeights | None:
    with open_bundle(path, verify="quick") as bundle:
        then = bundle.manifest.config.get("data", {}).get("split")
        now = config.data.split.model_dump(mode="json")
        if then != now:  # what was train then may be validation or test now
            step.print(f"Starting from nothing: {bundle.path} was trained on another split ({then}, now {now})")
            return None
        dim = bundle.manifest.config.get("model", {}).get("dim")
        if dim != config.model.dim:  # the shop has outgrown it: ten warm epochs would not teach new vectors
            step.print(f"Starting from nothing: {bundle.path} has a model.dim of {dim}, now {config.model.dim}")
            return None
        weights = TrainedWeights.of_bundle(bundle)
    if not weights.cold_epochs:  # nobody in its data had a second interaction
        step.print(f"Starting from nothing: {weights.origin} knows popularity and texts alone")
        return None
    return weights
