"""Calibration of predicted ratings: whether users who are predicted a rating give it on average."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.measure.results import Reliability

BINS = 10


def reliability(predicted: NDArray[np.floating], actual: NDArray[np.floating]) -> Reliability:
    r"""Mean rating given beside the mean predicted one, in tenths of the predictions.

    The expected calibration error (Naeini et al., 2015, "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning", here of means instead of probabilities) is \sum_b n_b / n |mean actual_b - mean predicted_b|.
    Predictions that are equal share a bin, so that there may be fewer than ten.

    Args:
        predicted: [R], at least one.
        actual: [R].

    Returns:
        {"error": in units of the ratings, "bins": [{"low", "high" (of the predictions), "predicted", "actual" with
        the 95% interval of its mean under a normal approximation, "count"}]}.
    """
    predicted, actual = np.asarray(predicted, np.float64), np.asarray(actual, np.float64)
    edges = np.unique(np.quantile(predicted, np.arange(1, BINS) / BINS, method="higher"))
    _, bins = np.unique(np.searchsorted(edges, predicted, side="right"), return_inverse=True)
    counts = np.bincount(bins)
    means, outcomes = (np.bincount(bins, values) / counts for values in (predicted, actual))
    deviations = np.sqrt(np.bincount(bins, np.square(actual - outcomes[bins])) / np.maximum(counts - 1, 1))
    margins = 1.96 * deviations / np.sqrt(counts)
    return {
        "error": float(np.abs(outcomes - means) @ counts / len(predicted)),
        "bins": [
            {
                "low": float(predicted[bins == number].min()),
                "high": float(predicted[bins == number].max()),
                "predicted": float(means[number]),
                "actual": {
                    "mean": float(outcomes[number]),
                    "low": float(outcomes[number] - margins[number]),
                    "high": float(outcomes[number] + margins[number]),
                },
                "count": int(counts[number]),
            }
            for number in range(len(counts))
        ],
    }
