"""What became of served lists: which were seen, clicked, bought from, and by what they were made.

store: lists with the events that name them ─► outcomes ─┬─► days of units ─► verdicts of experiments
                                                         └─► tables ─► server, report
"""

from recsys.outcomes.attribution import ATTRIBUTION_S
from recsys.outcomes.units import Observed, unit_days

__all__ = ["ATTRIBUTION_S", "Observed", "unit_days"]
