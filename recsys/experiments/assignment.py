"""Who gets which variant: a function of the experiment and the user's id alone, so all workers agree, for good.

Layers as of Tang et al. 2010, Overlapping Experiment Infrastructure: each has a hash of its own, so that experiments of
different layers are independent, and those of one layer have disjoint users.
"""

from __future__ import annotations

from bisect import bisect_right
from hashlib import sha256
from itertools import accumulate

from recsys.experiments.experiment import BUCKETS, Experiment, Variant


def share_of(salt: str, unit: str) -> float:
    """Where a unit stands among all, from 0 to below 1: SHA-256 of salt and unit, a zero byte between them."""
    digest = sha256(salt.encode("utf8") + b"\0" + unit.encode("utf8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def layer_bucket(layer: str, unit: str) -> int:
    """The bucket of a layer that a unit falls into."""
    return int(share_of(f"layer/{layer}", unit) * BUCKETS)


def is_in(experiment: Experiment, unit: str) -> bool:
    """Whether an experiment has the bucket of its layer that a unit falls into."""
    return experiment.first_bucket <= layer_bucket(experiment.layer, unit) < experiment.end_bucket


def salt_of(experiment: Experiment) -> str:
    """What the assignment of a version is salted with."""
    return experiment.salt or f"{experiment.key}/{experiment.version}"


def variant_of(experiment: Experiment, unit: str) -> Variant:
    """The variant that a unit gets, in proportion to the weights, if it is in the experiment at all."""
    ends = list(accumulate(variant.weight for variant in experiment.variants))
    return experiment.variants[bisect_right(ends, int(share_of(salt_of(experiment), unit) * ends[-1]))]
