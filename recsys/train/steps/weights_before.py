"""Step: the weights that a run starts from."""

from __future__ import annotations

from pathlib import Path

from recsys.bundle import open_bundle
from recsys.bundle.layout import CURRENT_FILE
from recsys.config import Config
from recsys.core.progress import Step
from recsys.train.warm_start import TrainedWeights


def weights_before(config: Config, warm_from: Path | None, step: Step) -> TrainedWeights | None:
    """Those of the bundle that the run is to start from; None: it starts from nothing, and the step says why.

    Args:
        config: `training.warm_start` counts where `warm_from` is None.
        warm_from: folder of a bundle, or of a version.
        step: hears of it.

    Raises:
        BundleError: that bundle cannot be read.
    """
    path = warm_from or config.training.warm_start
    if path is None:
        return None
    if path == "current":
        if not (config.bundle_path / CURRENT_FILE).is_file():
            step.print(f"Starting from nothing: there is no bundle in {config.bundle_path} yet")
            return None
        path = config.bundle_path
    with open_bundle(path) as bundle:
        then = bundle.manifest.config.get("data", {}).get("split")
        now = config.data.split.model_dump(mode="json")
        if then != now:  # what was train then may be validation or test now
            step.print(f"Starting from nothing: {bundle.path} was trained on another split ({then}, now {now})")
            return None
        return TrainedWeights.of_bundle(bundle)
