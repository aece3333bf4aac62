"""Which experiments are running, as one object that nothing changes: lists of one request are made by one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple, Self

from pydantic import ValidationError

from recsys.core.errors import said
from recsys.experiments.assignment import is_in, variant_of
from recsys.experiments.experiment import Experiment, Variant
from recsys.store import StoredExperiments, StoredText
from recsys.store.experiment_units import Units

NO_UNITS: Units = MappingProxyType({})


class Assigned(NamedTuple):
    """What an experiment gives to a user.

    Attributes:
        experiment: that is running.
        variant: of it.
        unit: the id that it was chosen by.
    """

    experiment: Experiment
    variant: Variant
    unit: str


@dataclass(frozen=True)
class KeptExperiment:
    """An experiment of the store.

    Attributes:
        key: names it.
        experiment: what it says; None: it cannot be read, since another version of the program kept it.
        stored: as it is kept.
        fault: why it cannot be read.
    """

    key: str
    experiment: Experiment | None
    stored: StoredText
    fault: str | None = None

    @classmethod
    def of(cls, stored: StoredText) -> Self:
        """As the store gave it."""
        try:
            return cls(stored.key, Experiment.model_validate_json(stored.body), stored)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "experiment"
            return cls(stored.key, None, stored, f"{place}: {said(first)}")


@dataclass(frozen=True)
class Running:
    """All experiments, and what those that are running give to users. For any number of threads.

    Attributes:
        experiments: that are running, by key; empty: nobody need ask further.
        kept: all of them, by key.
        units: of each experiment, by user id, the id that it assigns the user by where that is not the own.
        version: changes of the store's experiments and units so far.
    """

    experiments: tuple[Experiment, ...] = ()
    kept: tuple[KeptExperiment, ...] = ()
    units: Mapping[str, Units] = field(default_factory=dict)
    version: int = 0

    @classmethod
    def of(cls, stored: StoredExperiments) -> Self:
        """Of all that the store keeps; what cannot be read does not run."""
        kept = tuple(map(KeptExperiment.of, stored.texts))
        read = (one.experiment for one in kept if one.experiment is not None)
        return cls(tuple(one for one in read if one.status == "running"), kept, stored.units, stored.version)

    def assigned(self, user_id: str) -> tuple[Assigned, ...]:
        """What a user gets, of each experiment that the user is in; some microseconds for each that runs.

        Of one layer that is one experiment at most.
        """
        given = []
        for experiment in self.experiments:
            unit = self.unit_of(experiment.key, user_id)
            if is_in(experiment, unit):
                given.append(Assigned(experiment, variant_of(experiment, unit), unit))
        return tuple(given if len(given) < 2 else _one_of_each_layer(given))

    @cached_property
    def bundles(self) -> frozenset[str]:
        """Versions of the bundle that lists are made from."""
        overrides = (variant.overrides for experiment in self.experiments for variant in experiment.variants)
        return frozenset(one.bundle for one in overrides if one.bundle is not None)

    def unit_of(self, key: str, user_id: str) -> str:
        """The id that an experiment assigns a user by: the own, or the one whose lists came first at a merge."""
        return self.units.get(key, NO_UNITS).get(user_id, user_id)

    def find(self, key: str) -> KeptExperiment | None:
        """The experiment of that key."""
        return next((one for one in self.kept if one.key == key), None)


def _one_of_each_layer(given: Sequence[Assigned]) -> list[Assigned]:
    """Those without the later ones of a layer.

    Who was merged while one experiment ran is in it by the other id, and may be in one that starts later by the own.
    """
    kept: dict[str, Assigned] = {}
    for one in sorted(given, key=lambda one: (one.experiment.started_at or 0.0, one.experiment.key)):
        kept.setdefault(one.experiment.layer, one)
    return [one for one in given if kept[one.experiment.layer] is one]
