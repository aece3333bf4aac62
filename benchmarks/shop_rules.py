"""Rules such as a shop has, for benchmarks: of mixed kinds, some for all users, made of what a bundle holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from recsys.bundle import Bundle

SCENARIO = "ruled"
_BRANDS = 40
_HIGH, _RETURNING = 'user.segment == "high"', "user.interactions > 3"


def mixed_rules(bundle: Bundle, count: int) -> list[dict[str, Any]]:
    """So many rules of the scenario `SCENARIO`, as files have them. Twenty are of every kind but repurchase."""
    brands = Counter(brand for brand, _, _ in bundle.catalogue.facets() if brand)
    names = [name for name, _ in brands.most_common(_BRANDS)] or ["none"]
    prices = np.array([price for _, _, price in bundle.catalogue.facets() if price is not None] or [1.0])
    actions = _actions(names, float(np.quantile(prices, 0.9)))
    return [{"id": f"rule-{n}", "scenario": SCENARIO, **rule} for n, rule in enumerate(islice(actions, count), 1)]


def _actions(brands: list[str], dear: float) -> Iterator[dict[str, Any]]:
    """Rules without end, of other brands each time round."""
    first = 0
    while True:
        of_brand = [f'item.brand == "{brands[(first + n) % len(brands)]}"' for n in range(12)]
        several = "item.brand in [" + ", ".join(f'"{brands[(first + n) % len(brands)]}"' for n in range(3)) + "]"
        yield _rule("hide", of_brand[0])
        yield _rule("hide", f"item.price > {4 * dear:.2f}", when=_RETURNING)
        yield _rule("hide", "item.title == ''")
        yield _rule("require", "!has(item.price) || item.price > 0.5")
        yield _rule("boost", of_brand[1], by=0.5)
        yield _rule("boost", several, by=0.3, when=_HIGH)
        yield _rule("boost", "item.popularity_rank <= 500", by=0.2)
        yield _rule("boost", f"item.price > {dear:.2f}", by=0.4, when=_HIGH)
        yield _rule("bury", of_brand[2])
        yield _rule("bury", f"item.price > {2 * dear:.2f}", when=f"!({_HIGH})")
        yield _rule("pin", of_brand[3], slot=3)
        yield _rule("pin", of_brand[4], slot=7, when=_HIGH)
        yield _rule("promote", of_brand[5], share=0.2)
        yield _rule("promote", several, share=0.1, when=_RETURNING)
        yield _rule("cap", by="brand", most=2)
        yield _rule("cap", by="category", most=3, window=5)
        yield _rule("mmr", weight=0.2)
        yield _rule("upsell", factor=0.1, weight=0.2)
        yield _rule("price_fit", weight=0.1, tolerance=1.5)
        yield _rule("calibrate", by="category", weight=0.3)
        first += 12


def _rule(action: str, where: str | None = None, *, when: str | None = None, **says: Any) -> dict[str, Any]:
    given = {"where": where, "when": when}
    return {"action": {"type": action, **says}, **{name: text for name, text in given.items() if text is not None}}


def write_mixed_rules(bundle: Bundle, count: int, path: Path) -> Path:
    """A file of them."""
    path.write_text(yaml.safe_dump({"rules": mixed_rules(bundle, count)}), "utf8")
    return path
