"""What facts are checked against, of a bundle that no server has read."""

from __future__ import annotations

from recsys.bundle import Bundle
from recsys.explain.facts import FactBase
from recsys.explain.sensitive import SensitiveNames
from serve.bundles.facets import Facets


def fact_base(bundle: Bundle, sensitive_names: SensitiveNames | None = None) -> FactBase:
    """The numbers of its items; None: the names that most shops will want kept quiet."""
    facets = Facets.of(bundle.facets)
    return FactBase.of(bundle, sensitive_names or SensitiveNames(), facets.prices, facets.categories)
