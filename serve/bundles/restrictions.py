"""Which items a request wants: as restrictions of the pipeline, and which of the ids that it names nobody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from recsys.pipeline.allow import AllBut, Among, Only
from serve.bundles.facets import Filter
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import Options

EXCLUDE_ITEMS: Final = "exclude_items"
ONLY_ITEMS: Final = "only_items"


@dataclass(frozen=True)
class Asked:
    """What a request says of the items of its lists.

    Attributes:
        filters: by price, category and brand; None: there are none.
        named: the items that it wants alone, and those that it does not want, by the names of the parameters.
        unknown: ids among them that the catalogue does not hold, in the order in which they were given, each once.
    """

    filters: Among | None
    named: Mapping[str, Among]
    unknown: Sequence[str]

    @classmethod
    def of(cls, loaded: LoadedBundle, options: Options) -> Self:
        """What the options say, for a bundle."""
        filters = None if options.filter is None else Among(loaded.facets.mask(options.filter))
        if not options.exclude_items and options.only_items is None:
            return cls(filters, {}, ())
        only = options.only_items or ()
        ids = list(dict.fromkeys((*only, *options.exclude_items)))
        found, n_items = loaded.bundle.catalogue.item_rows(ids), loaded.bundle.n_items
        named: dict[str, Among] = {}
        if options.only_items is not None:
            named[ONLY_ITEMS] = Only.of([found[name] for name in only if name in found], n_items)
        if options.exclude_items:
            mask = np.ones(n_items, np.bool_)
            mask[[found[name] for name in options.exclude_items if name in found]] = False
            named[EXCLUDE_ITEMS] = AllBut(mask)
        return cls(filters, named, [name for name in ids if name not in found])

    @property
    def restrictions(self) -> tuple[Among, ...]:
        """All of it."""
        return (*(() if self.filters is None else (self.filters,)), *self.named.values())


def filters_of(loaded: LoadedBundle, wanted: Filter | None) -> dict[str, Among]:
    """A restriction for each kind of filter by its name, so that an explanation can tell which forbids an item."""
    if wanted is None:
        return {}
    parts = {
        "price": replace(wanted, categories=(), brands=()),
        "category": Filter(categories=wanted.categories),
        "brand": Filter(brands=wanted.brands),
    }
    return {name: Among(loaded.facets.mask(part)) for name, part in parts.items() if part != Filter()}
