"""How a list is made for a user of experiments: from which bundle, with which options, with rules or without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from recsys.experiments.experiment import Overrides
from recsys.store import AssignedVariant
from serve.bundles.held import HeldBundles
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import Options
from serve.variants.running import Assigned, Running

Reason = Literal["asked", "bundle", "model", "teams", "rules", "failed", "explained"]
"""Why a variant is not delivered. asked: the request itself says what the variant overrides; bundle: the worker does
not hold the version (yet); model: the bundle has no such model; teams: the list is drafted for another experiment;
rules: the shop's rules arrange the list, which is not drafted then; failed: the variant's list could not be made;
explained: a drafted list is explained by the control's."""

INTERLEAVED: Final = "interleaved"


class Recipe(NamedTuple):
    """What a list is made with; lists of the same are made together.

    Attributes:
        loaded: the bundle.
        options: what is wanted.
        ruled: whether the shop's rules act.
        whole: the list is to begin with its first item, whatever the offset says: pages are cut out of it later.
    """

    loaded: LoadedBundle
    options: Options
    ruled: bool = True
    whole: bool = False


@dataclass(frozen=True)
class Delivery:
    """How one list is made.

    Attributes:
        recipes: one; or those of the two teams of a drafted list, the control's first.
        assigned: of all experiments that the user is in.
        undelivered: keys of those whose variant did not make the list, and why.
        drafted: the experiment for which the list is drafted; None: it is not.
    """

    recipes: tuple[Recipe, ...]
    assigned: tuple[Assigned, ...] = ()
    undelivered: tuple[tuple[str, Reason], ...] = ()
    drafted: Assigned | None = None

    def without(self, plain: Recipe, reason: Reason) -> Delivery:
        """The list as without any experiment."""
        missed = {one.experiment.key: reason for one in self.assigned} | dict(self.undelivered)
        return Delivery((plain,), self.assigned, tuple(sorted(missed.items())))

    def undrafted(self, reason: Reason) -> Delivery:
        """The control's list alone."""
        if self.drafted is None:
            return self
        missed = (*self.undelivered, (self.drafted.experiment.key, reason))
        return Delivery((self.recipes[0]._replace(whole=False),), self.assigned, tuple(sorted(missed)))

    @property
    def variants(self) -> tuple[AssignedVariant, ...]:
        """As the served log names them; of two teams no variant is named."""
        return tuple(
            AssignedVariant(
                one.experiment.key,
                one.experiment.version,
                "" if one.experiment.mode == INTERLEAVED else one.variant.name,
            )
            for one in self.assigned
        )

    def unit(self, own: str | None) -> str | None:
        """What experiments assigned the user by, where that is not the own id."""
        return next((one.unit for one in self.assigned if one.unit != own), None)


def delivery_of(plain: Recipe, unit: str | None, running: Running, held: HeldBundles) -> Delivery:
    """How the list of a user is made.

    Args:
        plain: without experiments.
        unit: the user's id, or the id that a session's visitor has; None: there is none, and so no experiment.
        running: the experiments.
        held: the bundles that variants may name.
    """
    assigned = running.assigned(unit) if running.experiments and unit is not None else ()
    if not assigned:
        return Delivery((plain,))
    recipe, undelivered = plain, []
    for one in _of_mode(assigned, interleaved=False):
        made = overridden(recipe, one.variant.overrides, held)
        if isinstance(made, Recipe):
            recipe = made
        else:
            undelivered.append((one.experiment.key, made))
    recipes: tuple[Recipe, ...] = (recipe,)
    drafted: Assigned | None = None
    for one in _of_mode(assigned, interleaved=True):
        teams = "teams" if drafted is not None else _teams(recipe, one, held)
        if isinstance(teams, tuple):
            recipes, drafted = teams, one
        else:
            undelivered.append((one.experiment.key, teams))
    return Delivery(recipes, assigned, tuple(sorted(undelivered)), drafted)


def overridden(recipe: Recipe, overrides: Overrides, held: HeldBundles) -> Recipe | Reason:
    """The recipe with what a variant overrides, or why there is none: it is followed as a whole or not at all."""
    options, loaded = recipe.options, recipe.loaded
    wanted = {"model": overrides.model, "k": overrides.k}
    if overrides.explain is not None:
        wanted["why"] = overrides.explain == "cheap"
    changed = {name: value for name, value in wanted.items() if value is not None and value != getattr(options, name)}
    if changed.keys() & options.asked:
        return "asked"
    if changed:
        options = replace(options, **changed)  # type: ignore[arg-type]  # of the fields' own types
    if overrides.bundle is not None:
        found = held.of(overrides.bundle)
        if found is None:
            return "bundle"
        loaded = found
    if options.model not in loaded.models:
        return "model"
    return Recipe(loaded, options, recipe.ruled and overrides.rules is None, recipe.whole)


def _teams(recipe: Recipe, assigned: Assigned, held: HeldBundles) -> tuple[Recipe, ...] | Reason:
    """What the lists of the two teams are made with, or why there are none."""
    teams = []
    for variant in assigned.experiment.variants:
        team = overridden(recipe, variant.overrides, held)
        if not isinstance(team, Recipe):
            return team
        teams.append(team._replace(whole=recipe.options.offset > 0))
    return tuple(teams)


def _of_mode(assigned: Sequence[Assigned], *, interleaved: bool) -> list[Assigned]:
    return [one for one in assigned if (one.experiment.mode == INTERLEAVED) == interleaved]
