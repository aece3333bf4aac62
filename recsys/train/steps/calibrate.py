"""Step: fit how likely a recommended item is chosen, given its score, which the server shows as confidence."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from recsys.bundle.layout import FULL
from recsys.bundle.manifest import Calibration
from recsys.core.progress import Step
from recsys.core.queries import NO_ITEM, Candidates
from recsys.core.types import Float64Array
from recsys.measure.metrics import membership
from recsys.measure.protocol import HeldOut
from recsys.train.steps.context import FittedSources, RunContext, ServedTwoTower, TrainedRanker

SHOWN = 10  # positions of a list that are looked at
CALIBRATION_USERS = 2000  # of validation
_WEAK = 1e4  # inverse strength of the regularisation: all but none
_LEAST_SCALE = 1e-9  # where scores tell nothing; 0 times the score of padding, which is infinite, would be no number


def calibrate(
    context: RunContext, served: ServedTwoTower, sources: FittedSources, ranker: TrainedRanker | None, step: Step
) -> dict[str, Calibration]:
    """The calibration of every model, by name, as far as validation users allow one."""
    if context.validation is None:
        return {}
    held = context.validation.sample(CALIBRATION_USERS, context.config.seed)
    two_tower = served.source
    models = {**sources.alone.sources, **sources.hybrids.sources, two_tower.name: two_tower}
    calibrations = {}
    with step.bar("Models", len(models) + 1) as bar:
        for name, model in models.items():
            lists = model.propose(held.queries, SHOWN)
            calibrations[name] = fit_calibration(lists, held)
            if name == two_tower.name:
                calibrations[FULL] = calibrations[name]
            bar.advance()
        if ranker is not None:
            served_lists = ranker.recommender.recommend(held.queries, SHOWN)
            # Popular items stand in for users without a history: their scores are of another model.
            items = served_lists.personal_items
            calibrations[FULL] = fit_calibration(Candidates(items, served_lists.scores), held)
        bar.advance()
    return {name: calibration for name, calibration in calibrations.items() if calibration is not None}


def fit_calibration(lists: Candidates, held: HeldOut) -> Calibration | None:
    """The logistic curve of the chance that a shown item is chosen, given its score.

    Platt, "Probabilistic outputs for support vector machines" (1999), on lists of validation users.

    Args:
        lists: the first items of each query of `held`.
        held: queries and what their users chose.

    Returns:
        None where nothing, or everything, shown was chosen.
    """
    items, scores = lists.items[:, :SHOWN], lists.scores[:, :SHOWN]
    shown = items != NO_ITEM
    chosen = membership(items, held.relevant)[shown]
    values: Float64Array = scores[shown].astype(np.float64)[:, None]
    if not 0 < chosen.sum() < len(chosen):
        return None
    spread = float(values.std()) or 1.0
    fitted = LogisticRegression(C=_WEAK).fit(values / spread, chosen)
    return Calibration(scale=float(fitted.coef_[0, 0]) / spread or _LEAST_SCALE, offset=float(fitted.intercept_[0]))
