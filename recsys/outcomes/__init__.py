"""What became of served lists: which were seen, clicked, bought from, and by what they were made.

store: lists with the events that name them ─► outcomes ─┬─► days of units ─► verdicts of experiments
                                                         └─► tables ─► server, report, terminal
"""

from recsys.outcomes.as_json import as_json
from recsys.outcomes.attribution import ATTRIBUTION_S
from recsys.outcomes.dimensions import DIMENSIONS, Dimension
from recsys.outcomes.tables import CAUSES, Cause, OutcomeRow, Outcomes, Unattributed
from recsys.outcomes.telling import tell_outcomes
from recsys.outcomes.units import Observed, unit_days

__all__ = [
    "ATTRIBUTION_S",
    "CAUSES",
    "DIMENSIONS",
    "Cause",
    "Dimension",
    "Observed",
    "OutcomeRow",
    "Outcomes",
    "Unattributed",
    "as_json",
    "tell_outcomes",
    "unit_days",
]
