"""How likely a recommended item is chosen, given its score: what the server shows as confidence."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from recsys.bundle.manifest import Calibration
from recsys.core.queries import NO_ITEM, Candidates
from recsys.core.types import Float64Array
from recsys.measure.metrics import membership
from recsys.measure.protocol import HeldOut

SHOWN = 10  # places of a list that are looked at
_WEAK = 1e4  # inverse strength of the regularisation: all but none


def fit_confidence(found: Candidates, held: HeldOut) -> Calibration | None:
    """Scale and offset with which sigmoid(scale * score + offset) is the chance that a shown item is chosen.

    Platt, "Probabilistic outputs for support vector machines" (1999), on lists of validation users.

    Args:
        found: the first items of each query of `held`.
        held: queries and what their users chose.

    Returns:
        None where nothing, or everything, shown was chosen.
    """
    items, scores = found.items[:, :SHOWN], found.scores[:, :SHOWN]
    shown = items != NO_ITEM
    chosen = membership(items, held.relevant)[shown]
    values: Float64Array = scores[shown].astype(np.float64)[:, None]
    if not 0 < chosen.sum() < len(chosen):
        return None
    spread = float(values.std()) or 1.0
    fitted = LogisticRegression(C=_WEAK).fit(values / spread, chosen)
    return Calibration(scale=float(fitted.coef_[0, 0]) / spread, offset=float(fitted.intercept_[0]))
