"""Facts: what is true of an item and its user, checked against the bundle. A file for each family of kinds."""

from recsys.explain.facts.base import FactBase
from recsys.explain.facts.case import Past
from recsys.explain.facts.collect import facts_of
from recsys.explain.facts.of_item import item_facts

__all__ = ["FactBase", "Past", "facts_of", "item_facts"]
