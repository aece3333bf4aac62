"""What profiles add to user vectors, and what becomes of them on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.core.errors import BundleError
from recsys.core.histories import Histories
from recsys.core.profiles import ProfileAttribute, Profiles, ProfileVocabulary
from recsys.core.queries import Queries
from recsys.sources.two_tower.user_profiles import VECTORS_FILE, VOCABULARY_FILE, UserProfiles

VOCABULARY = ProfileVocabulary(
    attributes=[
        ProfileAttribute(name="member", kind="bool"),
        ProfileAttribute(name="city", kind="text", names=["Oslo"]),
    ]
)
# Of member: unknown, false, true; of city: unknown, Oslo.
VECTORS = np.array([[0, 0], [1, 0], [2, 0], [0, 10], [0, 20]], np.float32)
PROFILES = UserProfiles(Profiles(VOCABULARY, np.array([[2, 4], [0, 3]], np.int32)), VECTORS)


def _queries(users: list[int], lengths: list[int]) -> Queries:
    rows = np.repeat(np.arange(len(users)), lengths)
    histories = Histories.from_rows(len(users), rows, np.zeros(len(rows), np.int32), np.zeros(len(rows), np.int64))
    return Queries(histories, np.array(users, np.int32), np.zeros(len(users), np.int64))


def test_a_users_values_are_added_up_in_the_first_columns() -> None:
    vectors = np.full((4, 3), 100, np.float32)
    # The last is a user whom the bundle does not know: nothing is known is a value, too.
    PROFILES.add_to(vectors, _queries([0, 1, 0, -1], [1, 2, 0, 1]))
    assert vectors.tolist() == [[102, 120, 100], [100, 110, 100], [100, 100, 100], [100, 110, 100]]


def test_what_a_query_says_of_its_user_counts_more() -> None:
    vectors = np.zeros((2, 2), np.float32)
    profiles = np.array([[1, 3], [-1, -1]], np.int32)
    PROFILES.add_to(vectors, replace(_queries([0, 0], [1, 1]), profiles=profiles))
    assert vectors.tolist() == [[1, 10], [2, 20]]


def test_blocks_of_queries_keep_their_profiles() -> None:
    queries = replace(_queries([0, 1, 1], [1, 1, 1]), profiles=np.array([[1, 3], [-1, -1], [2, 4]], np.int32))
    selected = queries.select([2, 0])
    assert selected.profiles is not None
    assert selected.profiles.tolist() == [[2, 4], [1, 3]]


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    PROFILES.save(tmp_path)
    read = UserProfiles.load(tmp_path, 2)
    assert read is not None
    assert read.profiles.vocabulary == VOCABULARY
    np.testing.assert_array_equal(read.profiles.rows, PROFILES.profiles.rows)
    np.testing.assert_array_equal(read.vectors, VECTORS)
    with pytest.raises(BundleError, match="at most 1 columns"):
        UserProfiles.load(tmp_path, 1)


def test_nothing_is_read_where_nothing_was_written(tmp_path: Path) -> None:
    assert UserProfiles.load(tmp_path, 2) is None


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    PROFILES.save(tmp_path)
    np.save(tmp_path / VECTORS_FILE, VECTORS[:4])
    with pytest.raises(BundleError, match="profile_vectors"):
        UserProfiles.load(tmp_path, 2)
    (tmp_path / VOCABULARY_FILE).write_text("{}", "utf8")
    with pytest.raises(BundleError, match="attributes"):
        UserProfiles.load(tmp_path, 2)
