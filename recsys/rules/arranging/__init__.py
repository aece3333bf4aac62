"""How rules arrange lists: score changes, pins, promotions, caps, variety and calibration, in one greedy choice."""

from recsys.rules.arranging.arrangement import ArrangingRules, RuleArrangement
from recsys.rules.arranging.table import ArrangingAction, ArrangingRule

__all__ = ["ArrangingAction", "ArrangingRule", "ArrangingRules", "RuleArrangement"]
