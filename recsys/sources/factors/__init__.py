"""Matrix factorisation. `fit` needs SciPy and implicit, serving does not."""

from recsys.sources.factors.source import FactorsReading, FoldIn, ImplicitFactors

__all__ = ["FactorsReading", "FoldIn", "ImplicitFactors"]
