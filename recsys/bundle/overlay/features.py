"""What features of items that changed are computed from."""

from __future__ import annotations

from functools import cached_property

from recsys.bundle.overlay.live_items import LiveItems
from recsys.bundle.reader import Bundle
from recsys.core.item_changes import CATEGORIES, PRICE
from recsys.pipeline.features import CategoryPlace, ChangedItems
from recsys.sources.new_items import NewItems


class KnownNames:
    """Where the brands and categories of a bundle's catalogue are found: looked up when first asked for, then kept."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    @cached_property
    def _places(self) -> tuple[dict[str, int], dict[str, CategoryPlace]]:
        facets = self._bundle.facets
        brands = dict(zip(facets.brands, facets.first_of_brands.tolist(), strict=True))
        categories: dict[str, CategoryPlace] = {}
        for row, names in zip(facets.first_of_paths.tolist(), facets.paths, strict=True):
            for before, name in enumerate(dict.fromkeys(names)):
                if name not in categories:
                    categories[name] = CategoryPlace(row, before)
        return brands, categories

    def changed(self, live: LiveItems, new: NewItems) -> ChangedItems:
        """What is other than when the features of the bundle were fitted."""
        news = range(live.n_known, live.n_items)
        prices, brands, categories = ({*live.naming(field), *news} for field in (PRICE, "brand", CATEGORIES))
        places = self._places if brands or categories else ({}, {})
        return ChangedItems(
            new,
            {row: live.records[row].price for row in sorted(prices)},
            {row: live.records[row].brand for row in sorted(brands)},
            {row: live.records[row].categories for row in sorted(categories)},
            *places,
        )
