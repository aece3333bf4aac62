"""Whether users are in the variants in the proportions that they should be: the sample-ratio test, valid at all looks.

Lindon and Malek 2022, Anytime-Valid Inference for Multinomial Count Data: how much likelier the counts are under
proportions drawn around the wanted ones than under these themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

CONCENTRATION: Final = 100.0
"""Of the Dirichlet prior around the wanted proportions, in users: small enough to see a gross mismatch of a few hundred
users, large enough to see one of two percent among ten thousand."""


def split_evidence(counts: Sequence[int], weights: Sequence[float]) -> float:
    """Logarithm of the evidence against the weights; it exceeds log(1 / p) at any look with a chance of p at most."""
    shares = [weight / math.fsum(weights) for weight in weights]
    users = sum(counts)
    evidence = math.lgamma(CONCENTRATION) - math.lgamma(CONCENTRATION + users)
    for count, share in zip(counts, shares, strict=True):
        prior = CONCENTRATION * share
        evidence += math.lgamma(prior + count) - math.lgamma(prior) - count * math.log(share)
    return evidence


def p_of_evidence(evidence: float) -> float:
    """The p-value of the largest evidence of all looks."""
    return math.exp(min(0.0, -evidence))
