"""What a user did with an item of the history: viewed it, bought it, rated it, as far as anybody knows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Self

import numpy as np

from recsys.bundle import Bundle
from recsys.bundle.event_weights import EVENT_LOG_FORMATS, event_weights, input_formats
from recsys.core.events import LOG_WEIGHTS, RATING
from recsys.core.histories import Histories

Action = str | None
"""A type of events: view, click, add_to_cart, purchase, rating, or another of the shop's; None: nobody knows."""

NO_EVENTS: Final[Mapping[int, str]] = MappingProxyType({})
_OF_OTHER_DATA = 1.0  # weight of an interaction that is no event, such as a review


@dataclass(frozen=True)
class Actions:
    """Tells actions from what a history keeps of its events: weights and ratings.

    A history does not keep types. What has a rating was rated, whatever else was done with it. Without one, the weight
    tells the type if only one type weighs that much, of those that the config names and those that every server takes.
    Ratings have a weight of their own only where the config names them: others come with a rating. Of a weight that
    data without types have as well, nothing is told.

    Attributes:
        by_weight: the type of each weight that tells it, as float32 has it.
    """

    by_weight: Mapping[float, str]

    @classmethod
    def of(cls, bundle: Bundle) -> Self:
        """Those that the config and the histories of a bundle allow.

        A log without a column of types is read as if all its events were of the first type. So where all interactions
        weigh as much as that, they tell nothing.
        """
        config = bundle.manifest.config
        weights = event_weights(config)
        types: dict[float, list[str]] = defaultdict(list)
        for name, weight in {**LOG_WEIGHTS, **weights}.items():
            types[float(np.float32(weight))].append(name)
        found = bundle.histories.weights
        untold = {_OF_OTHER_DATA} if input_formats(config) - EVENT_LOG_FORMATS else set()
        if weights and len(found) and found.min() == found.max():
            untold.add(float(np.float32(next(iter(weights.values())))))
        told = {weight: names[0] for weight, names in types.items() if len(names) == 1 and weight not in untold}
        return cls(told if weights else {})

    def _of_interaction(self, weight: float, rating: float, told: Action = None) -> Action:
        """What was done in one interaction.

        Args:
            weight: of the history.
            rating: of the history, NaN for none.
            told: a type that is known from an event itself.
        """
        return self.by_weight.get(weight, told) if math.isnan(rating) else RATING

    def of_history(self, histories: Histories, told: Mapping[int, str] = NO_EVENTS) -> tuple[Action, ...]:
        """What was done at each position of one history, oldest first.

        Args:
            histories: of one query, B = 1.
            told: by item row, the type of an event of this user with the item, for what weight and rating leave open.
        """
        columns = histories.items.tolist(), histories.weights.tolist(), histories.ratings.tolist()
        return tuple(
            self._of_interaction(weight, rating, told.get(item)) for item, weight, rating in zip(*columns, strict=True)
        )


def nothing_known(histories: Histories) -> tuple[Action, ...]:
    """Of the items of a session, which a request names without saying what was done with them."""
    return (None,) * len(histories.items)
