"""What shoppers did with lists, kept by those who did it: what a server's figures are held against."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class ListCount:
    """What became of one list.

    Attributes:
        user_id, day: whose it is, and on which day of the loop.
        variants: variant by experiment, as the answer said.
        bundle: version of the bundle that made it.
        items: how many it has.
        seen, clicked, carted, bought: ids of items that the server has acknowledged as such.
        revenue: of what was bought.
    """

    user_id: str
    day: int
    variants: dict[str, str]
    bundle: str
    items: int
    seen: set[str] = field(default_factory=set)
    clicked: set[str] = field(default_factory=set)
    carted: set[str] = field(default_factory=set)
    bought: set[str] = field(default_factory=set)
    revenue: float = 0.0

    def take(self, event: dict[str, object]) -> None:
        """Note an event that the server has acknowledged."""
        item_id, kind = str(event["item_id"]), event["event_type"]
        of_kind = {"impression": self.seen, "click": self.clicked, "add_to_cart": self.carted, "purchase": self.bought}
        of_kind[str(kind)].add(item_id)
        if kind == "purchase":
            self.revenue += float(str(event["price"])) * float(str(event["quantity"]))


@dataclass
class Counts:
    """All lists that shoppers were given, and how many events of each type they told, with and without a list.

    Attributes:
        lists: by recommendation id.
        told: acknowledged events by (type, whether they name a list).
        event_ids: of all acknowledged events.
    """

    lists: dict[str, ListCount] = field(default_factory=dict)
    told: Counter[tuple[str, bool]] = field(default_factory=Counter)
    event_ids: set[str] = field(default_factory=set)

    def rate(self, *, variant: str | None = None, experiment: str | None = None) -> tuple[int, int]:
        """Clicked and seen items, of all lists or of those of a variant: the click-through rate's two numbers."""
        chosen = [
            count for count in self.lists.values() if variant is None or count.variants.get(experiment or "") == variant
        ]
        return sum(len(count.clicked) for count in chosen), sum(len(count.seen) for count in chosen)
