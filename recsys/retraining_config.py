"""Settings of what is looked at before a new bundle takes the place of the one in use."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from recsys.core.settings import NonNegative, Positive, Section, Share

Seconds = Annotated[float, Field(gt=0)]
Times = Annotated[float, Field(ge=1)]


class ShadowConfig(Section):
    """Served requests, replayed on the bundle in use and on the new one."""

    lists: NonNegative = Field(
        500, description="Lists of the served log (seeded sample) that are made again by both bundles; 0: none are."
    )
    hours: Seconds = Field(24.0, description="Hours of the served log before now that they are drawn from.")
    seconds: Seconds = Field(120.0, description="Longest time for it; what was not replayed by then is left out.")
    live_events: Positive = Field(
        500, description="Most recent items of a user whose events are read, as the server's setting of this name."
    )
    least_lists: NonNegative = Field(
        20, description="With fewer lists than that nothing but failures speaks against the new bundle."
    )
    least_overlap: Share = Field(
        0.1, description="Mean share of a list that both bundles name; less of it refuses the new bundle."
    )
    more_fallback: Share = Field(
        0.05, description="By how much the share of lists that popular items fill may grow before it is refused."
    )
    more_failures: Share = Field(0.0, description="Share of the lists that may fail on the new bundle alone.")
    slower: Times = Field(
        2.0, description="How many times the p95 of the bundle in use that of the new one may be before it is refused."
    )
    fast_enough_ms: Annotated[float, Field(ge=0)] = Field(
        20.0, description="A p95 of so many milliseconds is fast enough, whatever that of the bundle in use."
    )
