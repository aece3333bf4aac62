"""Fit any configured source, over the grid of its settings."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from recsys.core.dotted import imported
from recsys.core.settings import Section
from recsys.sources.base import Source
from recsys.sources.fitting import Fit, FitData
from recsys.sources.plugins import plugged
from recsys.sources.registry import ENTRIES, SourceSettings
from recsys.sources.tried import Tried

Chosen = dict[str, Any]
"""One value of each argument of a fit that is tried."""


@dataclass(frozen=True)
class Recipe:
    """A source to be fitted.

    Attributes:
        name: which it will bear.
        fit: how.
        settings: an object that has all of `schema`.
        schema: the class of its settings.
    """

    name: str
    fit: Fit
    settings: Section
    schema: type[Section]

    def grid(self) -> list[Chosen]:
        """Every choice that the lists of its settings span; those of one fit (see `same_fit`) stand together."""
        tried = self._tried()
        arguments = sorted(tried, key=lambda argument: not tried[argument][1].refit)
        values = itertools.product(*(getattr(self.settings, tried[argument][0]) for argument in arguments))
        return [dict(zip(arguments, chosen, strict=True)) for chosen in values]

    def same_fit(self, chosen: Mapping[str, Any]) -> tuple[Hashable, ...]:
        """A key that choices share which differ in nothing but what takes no fit of its own."""
        tried = self._tried()
        return tuple(sorted((key, value) for key, value in chosen.items() if tried[key][1].refit))

    def adapted(self, source: Source, chosen: Mapping[str, Any]) -> Source:
        """A source fitted with a choice of the same fit, as if it had been fitted with this one."""
        tried = self._tried()
        free = {key: value for key, value in chosen.items() if not tried[key][1].refit}
        return source.with_settings(**free) if free else source

    def obstacle(self, data: FitData) -> str | None:
        """Why the source cannot be fitted on these data, in words for the report; None: it can."""
        return self.fit.obstacle(data, self.settings)

    def fitted(self, data: FitData, chosen: Mapping[str, Any]) -> Source:
        """Fit the source with one choice of its `grid`.

        Args:
            data: for which there is no `obstacle`.
            chosen: see above; what takes no fit of its own may be left out.
        """
        source = self.fit.fit(data, self.settings, **chosen)
        source.name = self.name
        return source

    def _tried(self) -> dict[str, tuple[str, Tried]]:
        """The setting and its mark for each argument of the fit that is tried, in the order of the settings."""
        return {
            mark.argument: (setting, mark)
            for setting, field in self.schema.model_fields.items()
            for mark in field.metadata
            if isinstance(mark, Tried)
        }


def recipes(settings: SourceSettings) -> dict[str, Recipe]:
    """All sources that the settings name, those from outside last.

    Raises:
        ConfigError: one from outside is not there, is no source, or does not take the settings given.
    """
    own = {name: _own(name, settings) for name in settings.retrievers}
    return own | {name: _from_outside(name, given) for name, given in settings.plugins.items()}


def _own(name: str, settings: SourceSettings) -> Recipe:
    entry = ENTRIES[name]
    fit: Fit = imported(entry.fit)
    return Recipe(name, fit, settings, entry.settings)


def _from_outside(name: str, given: Mapping[str, Any]) -> Recipe:
    source, settings = plugged(name, given)
    return Recipe(name, Fit(source.fit, source.obstacle), settings, source.Settings)
