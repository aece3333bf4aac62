"""Settings of the popularity sources."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from recsys.core.settings import Section
from recsys.sources.tried import Tried


class RecentPopularitySettings(Section):
    """Of popularity in which interactions lose weight with age."""

    half_life_days: Annotated[list[Annotated[float, Field(gt=0)]], Tried("half_life_days")] = Field(
        [30.0, 90.0, 365.0], min_length=1, description="Half-lives of recent_popularity tried."
    )
