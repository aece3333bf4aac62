"""Users' attributes as a few values each, against values counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recsys.core.profiles import LEAST_USERS, UNKNOWN, ProfileAttribute, Profiles, ProfileVocabulary


def test_numbers_fall_into_groups_of_as_many_users() -> None:
    ages = [float(age) for age in range(200)]
    attribute = ProfileAttribute.fit("age", "number", [None, *ages])
    assert attribute.bounds == [20.0 * group for group in range(1, 10)]
    assert attribute.size == 11
    codes = {-5: 1, 0: 1, 19.9: 1, 20: 2, 199: 10, 1000: 10, float("nan"): UNKNOWN, None: UNKNOWN}
    assert {value: attribute.code(value) for value in codes} == codes


def test_no_group_is_smaller_than_the_least_number_of_users() -> None:
    few = ProfileAttribute.fit("age", "number", [float(age) for age in range(2 * LEAST_USERS)])
    assert few.bounds == [float(LEAST_USERS)]
    assert ProfileAttribute.fit("age", "number", [30.0] * 500).bounds == []
    assert ProfileAttribute.fit("age", "number", []).size == 2


def test_texts_of_few_users_are_unknown() -> None:
    cities = ["Oslo"] * LEAST_USERS + ["Bergen"] * (LEAST_USERS - 1) + ["Aalen"] * (LEAST_USERS + 5)
    attribute = ProfileAttribute.fit("city", "text", cities)
    assert attribute.names == ["Aalen", "Oslo"]
    assert [attribute.code(city) for city in ("Aalen", "Oslo", "Bergen", "Rome", None)] == [1, 2, 0, 0, 0]


def test_profiles_are_rows_of_one_table() -> None:
    values: dict[str, list[Any]] = {"member": [True, None, False], "age": [30.0, 30.0, None]}
    profiles = Profiles.fit({"member": "bool", "age": "number"}, values, 3)
    # Rows 0 to 2 are of member (unknown, false, true), rows 3 and 4 of age (unknown, any).
    assert profiles.vocabulary.n_rows == 5
    assert profiles.vocabulary.unknown.tolist() == [0, 3]
    assert profiles.rows.tolist() == [[2, 4], [0, 4], [1, 3]]
    assert profiles.rows.dtype == np.int32
    assert profiles.vocabulary.profile({"age": 99, "shoe_size": 44}).tolist() == [0, 4]


@pytest.mark.parametrize("values", [{}, {"age": None}])
def test_of_whom_nothing_is_known_has_the_unknown_profile(values: dict[str, Any]) -> None:
    vocabulary = ProfileVocabulary.fit({"age": "number"}, {"age": [1.0, 2.0]})
    assert vocabulary.profile(values).tolist() == vocabulary.unknown.tolist() == [0]
