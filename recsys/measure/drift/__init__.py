"""How far what people do now has moved from what a bundle was trained on."""

from recsys.measure.drift.drift import drift
from recsys.measure.drift.report import Band, DriftReport, Measure

__all__ = ["Band", "DriftReport", "Measure", "drift"]
