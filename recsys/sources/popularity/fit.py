"""Fit the popularity sources."""

from __future__ import annotations

from recsys.core.settings import Section
from recsys.sources.fitting import Fit, FitData
from recsys.sources.popularity.settings import RecentPopularitySettings
from recsys.sources.popularity.source import Popularity


def _plain(data: FitData, _: Section) -> Popularity:
    histories = data.histories
    return Popularity.fit(histories.items, data.n_items, weights=histories.weights)


def _recent(data: FitData, _: RecentPopularitySettings, half_life_days: float) -> Popularity:
    histories = data.histories
    return Popularity.fit(
        histories.items,
        data.n_items,
        weights=histories.weights,
        timestamps=histories.timestamps,
        half_life_days=half_life_days,
    )


def _without_times(data: FitData, _: RecentPopularitySettings) -> str | None:
    times = data.histories.timestamps
    return None if len(times) and times.min() < times.max() else "all interactions bear the same timestamp"


POPULARITY, RECENT_POPULARITY = Fit(_plain), Fit(_recent, _without_times)
