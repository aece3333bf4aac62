"""What a new bundle would have answered: served requests, made again by two bundles from the same histories."""

from recsys.measure.shadow.report import Latency, Overlap, RankOverlap, ShadowReport, Side
from recsys.measure.shadow.shadow import shadow

__all__ = ["Latency", "Overlap", "RankOverlap", "ShadowReport", "Side", "shadow"]
