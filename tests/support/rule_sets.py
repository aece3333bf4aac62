"""Random rule sets of which a test knows what they mean, without the language they are written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from recsys.bundle import Bundle
from recsys.core.queries import Queries
from recsys.pipeline.recommender import Recommender
from recsys.rules.base import RuleBase
from recsys.rules.policy import CompiledRules
from recsys.rules.rule import Rule
from tests.support.bundles import DAY, START

NOW = START + 1000 * DAY + 7
SCENARIOS = (None, "home", "cart")


def rule(name: str, kind: str, where: str | None = None, **more: Any) -> Rule:
    """A rule; what is no key of rules is one of its action."""
    of_rule = {key: more.pop(key) for key in list(more) if key in Rule.model_fields}
    return Rule(id=name, action={"type": kind, **more}, where=where, **of_rule)


@dataclass(frozen=True)
class Thing:
    """An item of a small bundle, with what conditions may ask of it."""

    row: int
    brand: str | None
    category: str
    price: float | None
    first: int | None
    title: str

    def older_than(self, days: float, now: int) -> bool:
        """By the first moment of the day of the request; what was first seen later that day is 0 days old."""
        day = now // DAY * DAY
        return self.first is not None and self.first < day + DAY and max(day - self.first, 0) / DAY > days


@dataclass(frozen=True)
class Person:
    """A user of a query, with the context of the request."""

    items: tuple[int, ...]
    times: tuple[int, ...]
    now: int
    mean_price: float | None
    context: Mapping[str, Any]


Where = tuple[str, Callable[[Thing, int], bool]]
When = tuple[str, Callable[[Person], bool]]

WHERES: tuple[Where, ...] = (
    ('item.brand == "Brand 3"', lambda thing, _: thing.brand == "Brand 3"),
    ('item.brand in ["Brand 1", "Brand 2", "Brand 6"]', lambda t, _: t.brand in ("Brand 1", "Brand 2", "Brand 6")),
    ('!(item.brand == "Brand 5")', lambda t, _: t.brand is not None and t.brand != "Brand 5"),
    ("!has(item.brand)", lambda t, _: t.brand is None),
    ("item.price < 20", lambda t, _: t.price is not None and np.float32(t.price) < 20),
    ("item.price >= 15 && item.price < 60.5", lambda t, _: t.price is not None and 15 <= np.float32(t.price) < 60.5),
    ('item.price > 30 || item.brand == "Brand 2"', lambda t, _: (t.price or 0) > 30 or t.brand == "Brand 2"),
    ('"Group 4" in item.categories', lambda t, _: t.category == "Group 4"),
    ('item.category != "Group 1"', lambda t, _: t.category != "Group 1"),
    ('item.title.startsWith("Thing 1")', lambda t, _: t.title.startswith("Thing 1")),
    ('item.id == "item17"', lambda t, _: t.row == 17),
    ('item.id in ["item5", "item9", "item40"]', lambda t, _: t.row in (5, 9, 40)),
    ("item.age > 900", lambda t, now: t.older_than(900, now)),
    ('now > timestamp("2020-04-09T12:00:00Z")', lambda _, now: now // DAY * DAY > 1_586_433_600),
    ('item.brand == "Nobody"', lambda *_: False),
)
WHENS: tuple[When, ...] = (
    ("user.new", lambda person: not person.items),
    ("user.interactions > 5", lambda p: len(p.items) > 5),
    ("user.mean_price > 22", lambda p: p.mean_price is not None and p.mean_price > 22),
    ("user.days_since_last < 950", lambda p: bool(p.items) and (p.now - p.times[-1]) / DAY < 950),
    ('context.country == "DE"', lambda p: p.context.get("country") == "DE"),
    ('!(context.country == "DE")', lambda p: p.context.get("country", "DE") != "DE"),
    ("has(context.basket) && context.basket > 50", lambda p: p.context.get("basket") == 70.0),
    ('user.new || context.country == "FR"', lambda p: not p.items or p.context.get("country") == "FR"),
)


@dataclass(frozen=True)
class Known:
    """A rule, and what its conditions mean.

    Attributes:
        rule: see above.
        where, when: None: all items, everyone.
    """

    rule: Rule
    where: Callable[[Thing, int], bool] | None
    when: Callable[[Person], bool] | None

    def acts(self, person: Person, scenario: str | None) -> bool:
        """Whether it is for a query, whatever other rules say."""
        if self.rule.scenario not in (None, scenario) or (self.when is not None and not self.when(person)):
            return False
        return self.rule.valid_at(datetime.fromtimestamp(person.now, UTC))

    def on(self, thing: Thing, now: int) -> bool:
        """Whether it acts on an item."""
        return self.where is None or self.where(thing, now)


@dataclass(frozen=True)
class Meant:
    """Rules that a test understands, in the order of priority."""

    rules: list[Known]

    @property
    def written(self) -> list[Rule]:
        """As a shop writes them."""
        return [known.rule for known in self.rules]

    def acting(self, person: Person, scenario: str | None) -> list[Known]:
        """Those that act for a query: of rivals the first."""
        acting, kinds = [], set()
        for known in self.rules:
            action = known.rule.action
            kind = (action.type, action.slot) if action.type == "pin" else (action.type, None)
            alone = action.type in {"pin", "mmr", "calibrate", "upsell", "price_fit", "repurchase"}
            zero = getattr(action, "weight", 1) == 0 or getattr(action, "factor", 1) == 0
            if not zero and known.acts(person, scenario) and not (alone and kind in kinds):
                kinds.add(kind)
                acting.append(known)
        return acting


def random_rules(random: np.random.Generator, most: int = 8) -> Meant:
    """Up to so many rules, in the order of priority."""
    rules = [_random_rule(random, number) for number in range(int(random.integers(1, most + 1)))]
    return Meant(sorted(rules, key=lambda known: (-known.rule.priority, known.rule.id)))


def _random_rule(random: np.random.Generator, number: int) -> Known:
    action = _random_action(random)
    needs_where = action["type"] in {"hide", "require", "boost", "bury", "pin", "promote"}
    where = WHERES[random.integers(len(WHERES))] if needs_where or random.random() < 0.3 else None
    when = WHENS[random.integers(len(WHENS))] if random.random() < 0.4 else None
    begin = datetime.fromtimestamp(NOW, UTC) + timedelta(hours=float(random.integers(-48, 48)))
    times = [{}, {}, {}, {"valid_from": begin}, {"valid_to": begin}][random.integers(5)]
    rule = Rule(
        id=f"rule{number}",
        action=action,
        where=where and where[0],
        when=when and when[0],
        scenario=SCENARIOS[random.integers(3)] if random.random() < 0.3 else None,
        priority=int(random.integers(-2, 3)),
        **times,
    )
    return Known(rule, where and where[1], when and when[1])


def _random_action(random: np.random.Generator) -> dict[str, Any]:
    by = ("brand", "category", "top_category")[random.integers(3)]
    weight = float(random.choice([0.0, 0.2, 0.7, 1.0]))
    actions: list[dict[str, Any]] = [
        {"type": "hide"},
        {"type": "require"},
        {"type": "boost", "by": float(random.uniform(0.1, 3))},
        {"type": "bury"},
        {"type": "pin", "slot": int(random.integers(1, 12))},
        {"type": "promote", "share": float(random.choice([0.1, 0.3, 0.5, 1.0]))},
        {"type": "cap", "by": by, "most": int(random.integers(1, 4))},
        {"type": "cap", "by": by, "most": int(random.integers(1, 4)), "window": int(random.integers(2, 8))},
        {"type": "mmr", "weight": weight},
        {"type": "calibrate", "by": by, "weight": weight},
        {"type": "upsell", "factor": float(random.choice([0.0, 0.1, 2.0]))},
        {"type": "price_fit", "weight": weight},
        {"type": "repurchase", "from_share": float(random.choice([0.5, 10.0])), "default_days": 90.0},
    ]
    return actions[random.integers(len(actions))]


@dataclass(frozen=True, eq=False)
class SmallShop:
    """The items and users of a small bundle, as tests see them."""

    bundle: Bundle
    queries: Queries = field(repr=False)

    @cached_property
    def base(self) -> RuleBase:
        """The bundle, as rules see it."""
        return RuleBase.of(self.bundle)

    @cached_property
    def recommender(self) -> Recommender:
        """The bundle's pipeline."""
        return self.bundle.recommender()

    def compiled(self, *rules: Rule) -> CompiledRules:
        """A rule set for the bundle."""
        return CompiledRules.compile(rules, self.base)

    @classmethod
    def of(cls, bundle: Bundle) -> SmallShop:
        """A query of each user, some of them a day later than the others."""
        users = np.arange(len(bundle.histories))
        now = np.where(users % 3 == 0, NOW + DAY, NOW)
        return cls(bundle, Queries(bundle.histories.select(users), users.astype(np.int32), now))

    @cached_property
    def things(self) -> list[Thing]:
        """All items."""
        first: dict[int, int] = {}
        histories = self.bundle.histories
        for item, time in zip(histories.items.tolist(), histories.timestamps.tolist(), strict=True):
            first[item] = min(time, first.get(item, time))
        records = self.bundle.catalogue.items(range(self.bundle.n_items))
        return [
            Thing(one.row, one.brand, one.categories[-1], one.price, first.get(one.row), one.title or "")
            for one in records
        ]

    def person(self, row: int, context: Mapping[str, Any]) -> Person:
        """The user of a query."""
        histories = self.queries.histories
        of_user = slice(int(histories.indptr[row]), int(histories.indptr[row + 1]))
        items = tuple(histories.items[of_user].tolist())
        prices = [np.float64(np.float32(p)) for item in items if (p := self.things[item].price) is not None]
        mean = float(np.mean(prices)) if prices else None
        return Person(items, tuple(histories.timestamps[of_user].tolist()), int(self.queries.now[row]), mean, context)
