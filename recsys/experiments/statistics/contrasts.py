"""Means and ratios by user, and their differences with standard errors.

A ratio of sums over users, clicks by impressions, is linearised: of each user what she adds to numerator and
denominator (Deng, Knoblich and Lu 2018, Applying the Delta Method in Metric Analytics). Users, and not impressions, are
independent of each other. What users did before the experiment explains a part of it (CUPED; Deng, Xu, Kohavi and
Walker 2013).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from recsys.core.types import Float64Array

_DUST = 1e-9
"""Of a mean: differences and standard errors below it are rounding errors."""


class Mean(NamedTuple):
    """A mean or ratio over users, and of each user by how much she moves it.

    Attributes:
        value: sum of numerators / sum of denominators.
        residuals: of each user, with mean 0; `value` varies like their mean.
    """

    value: float
    residuals: Float64Array


class Contrast(NamedTuple):
    """An estimated difference, and its standard error."""

    value: float
    error: float


def mean_by_user(numerators: Float64Array, denominators: Float64Array | None = None) -> Mean | None:
    """The mean, or with denominators the ratio of sums; None where there is nothing to divide by."""
    if denominators is None:
        denominators = np.ones(len(numerators))
    total = float(denominators.sum())
    if total <= 0:
        return None
    value = float(numerators.sum()) / total
    return Mean(value, (numerators - value * denominators) * (len(numerators) / total))


def error_of(mean: Mean) -> float:
    """Its standard error."""
    return _error(mean.residuals)


def contrast(control: Mean, variant: Mean, weight: float = 1.0, *, paired: bool = False) -> Contrast:
    """Of variant - weight x control; `paired`: the residuals of both are of the same users, in the same order."""
    if paired:
        error = _error(variant.residuals - weight * control.residuals)
    else:
        error = math.hypot(_error(variant.residuals), weight * _error(control.residuals))
    value, dust = variant.value - weight * control.value, _DUST * max(abs(variant.value), abs(control.value))
    return Contrast(value if abs(value) > dust else 0.0, error if error > dust else 0.0)


def relative(control: Mean, variant: Mean, *, paired: bool = False) -> Contrast | None:
    """(variant - control) / control, by the delta method; None where the control is not above 0."""
    if control.value <= 0:
        return None
    share = variant.value / control.value
    error = contrast(control, variant, share, paired=paired).error
    return Contrast(share - 1, error / control.value)


def adjusted(
    control: Mean, variant: Mean, control_before: Float64Array, variant_before: Float64Array
) -> tuple[Mean, Mean, float]:
    """Both means less what users did before explains of them, and the share of the variance that went with it.

    `before`: one number of each user. One slope serves both: the treatment does not reach back.
    """
    centred = [before - before.mean() for before in (control_before, variant_before)]
    spread = sum(float(before @ before) for before in centred)
    if spread <= 0:
        return control, variant, 0.0
    both = zip(centred, (control, variant), strict=True)
    slope = sum(float(before @ mean.residuals) for before, mean in both) / spread
    common = float(np.concatenate([control_before, variant_before]).mean())
    means = [
        Mean(mean.value - slope * (float(before.mean()) - common), mean.residuals - slope * apart)
        for mean, before, apart in zip((control, variant), (control_before, variant_before), centred, strict=True)
    ]
    plain, left = contrast(control, variant).error, contrast(means[0], means[1]).error
    return means[0], means[1], 1 - (left / plain) ** 2 if plain > 0 else 0.0


def _error(residuals: Float64Array) -> float:
    """Standard error of the mean of values whose mean is 0."""
    users = len(residuals)
    return math.sqrt(float(residuals @ residuals) / (users * (users - 1))) if users > 1 else 0.0
