"""What users' attributes bring, counted by hand on two users."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.core.profiles import ProfileAttribute, Profiles, ProfileVocabulary
from recsys.core.queries import Queries
from recsys.measure.protocol import HeldOut
from recsys.measure.systems import ANN, SYSTEM, Systems
from recsys.measure.user_attributes import what_attributes_bring
from recsys.sources.popularity.source import Popularity
from recsys.sources.two_tower.user_profiles import UserProfiles
from tests.support.datasets import TEST, TRAIN, make_dataset
from tests.support.measuring import FakeBundle, FakeTwoTower, make_config

N_ITEMS = 4
MEMBER = ProfileVocabulary(attributes=[ProfileAttribute(name="member", kind="bool")])


class MembersWantTheLast(FakeTwoTower):
    """Wants item 3 for members, item 2 for everyone else."""

    profiles = UserProfiles(Profiles(MEMBER, np.array([[2], [1], [0]], np.int32)), np.zeros((3, 1), np.float32))

    def encode(self, queries: Queries) -> np.ndarray:
        members = self.profiles.of(queries)[:, 0] == 2
        scores = np.zeros((len(queries), N_ITEMS), np.float32)
        scores[np.arange(len(queries)), np.where(members, 3, 2)] = 1
        return scores


def held_out() -> HeldOut:
    """Users 0 (a member), 1 (none) and 2 (nobody knows) have item 0 and want item 3."""
    rows: list[Any] = [(user, 0, 0, None, TRAIN) for user in range(3)] + [(user, 3, 9, None, TEST) for user in range(3)]
    return HeldOut.of(make_dataset(rows, 3, N_ITEMS), TEST)


def _systems(two_tower: FakeTwoTower) -> Systems:
    return Systems.of(FakeBundle(two_tower, Popularity(np.ones(N_ITEMS, np.float32))))


def test_the_same_lists_with_profiles_and_without() -> None:
    two_tower = MembersWantTheLast(np.zeros((1, N_ITEMS), np.float32))
    found = what_attributes_bring(_systems(two_tower), held_out(), make_config(cutoffs=[1]))
    assert found is not None
    assert found["attributes"] == ["member"]
    assert found["users"] == 2  # nothing is known of the third
    for name in (SYSTEM, ANN):
        of_system = found["systems"][name]
        assert of_system["known"]["recall@1"]["mean"] == 0.5
        assert of_system["hidden"]["recall@1"]["mean"] == 0
        assert of_system["differences"]["recall@1"]["mean"] == 0.5


def test_a_bundle_that_reads_no_attributes_has_nothing_to_tell() -> None:
    two_tower = FakeTwoTower(np.zeros((4, N_ITEMS), np.float32))
    assert what_attributes_bring(_systems(two_tower), held_out(), make_config(cutoffs=[1])) is None
