"""Who gets which variant: evenly, independently of other layers, and the same in every process, for good."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from scipy import stats

from recsys.experiments.assignment import is_in, layer_bucket, share_of, variant_of
from recsys.experiments.experiment import BUCKETS, Experiment

USERS = [f"user{number}" for number in range(20_000)]
ODD_IDS = ["", "ü", "😀", "a b", "\ud800", "\0", "x" * 512]
CHANCE = 1e-3  # of a test of uniformity that fails though all is well; ids and salts are fixed, so it never does later


def experiment(key: str = "e", weights: Sequence[int] = (1, 1), **terms: Any) -> Experiment:
    variants = [{"name": f"v{place}", "weight": weight} for place, weight in enumerate(weights)]
    said = {"key": key, "variants": variants, "status": "running", "end_bucket": BUCKETS, **terms}
    return Experiment.model_validate_json(json.dumps(said))


def variants_of(one: Experiment, users: Sequence[str] = USERS) -> list[str]:
    return [variant_of(one, user).name for user in users]


def test_the_hash_is_sha256_of_salt_and_unit() -> None:
    """Computed by hand: the first 53 bits of the digest."""
    for salt, unit in (("s", "u"), ("", "ü"), ("a", "")):
        first = bin(int(sha256(f"{salt}\0{unit}".encode()).hexdigest(), 16))[2:].zfill(256)[:53]
        assert share_of(salt, unit) == int(first, 2) / 2**53
    assert share_of("ab", "c") != share_of("a", "bc")


@pytest.mark.parametrize("weights", [(1, 1), (1, 1, 1), (9, 1), (5, 3, 2), (1000, 1)])
@pytest.mark.parametrize("salt", ["", "one", "two"])
def test_variants_are_given_in_proportion_to_their_weights(weights: Sequence[int], salt: str) -> None:
    counts = Counter(variants_of(experiment(weights=weights, salt=salt)))
    expected = np.array(weights) / sum(weights) * len(USERS)
    observed = [counts[f"v{place}"] for place in range(len(weights))]
    assert stats.chisquare(observed, expected).pvalue > CHANCE


def test_buckets_of_a_layer_are_evenly_filled() -> None:
    """100 hundreds of buckets, of 200 users each."""
    for layer in ("default", "home", "search"):
        hundreds = Counter(layer_bucket(layer, user) // 100 for user in USERS)
        assert stats.chisquare([hundreds[place] for place in range(100)]).pvalue > CHANCE


@pytest.mark.parametrize(
    "other",
    [
        experiment("f", weights=(1, 1, 1)),
        experiment("f", layer="other"),
        experiment("e", version=2),
        experiment("e", salt="e/1 "),
    ],
    ids=["key", "layer", "version", "salt"],
)
def test_variants_of_one_experiment_say_nothing_of_those_of_another(other: Experiment) -> None:
    table = Counter(zip(variants_of(experiment()), variants_of(other), strict=True))
    rows = [[table[a, f"v{b}"] for b in range(len(other.variants))] for a in ("v0", "v1")]
    assert stats.chi2_contingency(rows).pvalue > CHANCE


def test_who_is_in_an_experiment_says_nothing_of_the_variant_or_of_other_layers() -> None:
    half = experiment(end_bucket=BUCKETS // 2)
    by_variant = Counter((is_in(half, user), variant_of(half, user).name) for user in USERS)
    by_layer = Counter((is_in(half, user), layer_bucket("other", user) < BUCKETS // 2) for user in USERS)
    for table, columns in ((by_variant, ("v0", "v1")), (by_layer, (False, True))):
        rows = [[table[inside, column] for column in columns] for inside in (False, True)]
        assert stats.chi2_contingency(rows).pvalue > CHANCE


def test_experiments_of_one_layer_have_different_users() -> None:
    first = experiment("a", first_bucket=0, end_bucket=3000)
    second = experiment("b", first_bucket=3000, end_bucket=BUCKETS)
    inside = Counter((is_in(first, user), is_in(second, user)) for user in USERS)
    assert inside.keys() == {(True, False), (False, True)}, "each user is in one of the two"
    assert stats.binomtest(inside[True, False], len(USERS), 0.3).pvalue > CHANCE


def test_a_version_assigns_by_its_salt() -> None:
    again = experiment(version=2)
    assert variants_of(experiment()) != variants_of(again)
    assert variants_of(experiment(salt="s")) == variants_of(experiment(salt="s", version=2))


def test_more_traffic_leaves_those_in_who_are_in() -> None:
    tenth, half = experiment(end_bucket=1000), experiment(end_bucket=5000)
    assert {user for user in USERS if is_in(tenth, user)} <= {user for user in USERS if is_in(half, user)}


def test_every_process_assigns_the_same_and_always_will() -> None:
    """Whatever Python's own hashes are salted with; the constants are by sha256sum, and may never change."""
    code = (
        "import json, sys; from recsys.experiments.assignment import *; from recsys.experiments.experiment import *;"
        "one = Experiment.model_validate_json(sys.argv[1]);"
        "print(json.dumps([[variant_of(one, u).name, layer_bucket('default', u)] for u in json.loads(sys.argv[2])]))"
    )
    one, users = experiment(weights=(2, 1)), [*USERS[:50], *ODD_IDS]
    expected = [[variant_of(one, user).name, layer_bucket("default", user)] for user in users]
    for seed in ("0", "1"):
        arguments = [sys.executable, "-c", code, one.model_dump_json(), json.dumps(users)]
        done = subprocess.run(arguments, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True)
        assert json.loads(done.stdout) == expected
    assert [layer_bucket("default", user) for user in USERS[:5]] == [8096, 3454, 2257, 7033, 9657]
    assert "".join(variants_of(one, USERS[:8])) == "v0v0v0v1v0v0v0v0"
