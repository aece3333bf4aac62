"""What live users' attributes make of their profiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from recsys.core.item_changes import FieldValue
from recsys.core.profiles import ProfileAttribute, ProfileVocabulary
from recsys.histories.live_profiles import LiveProfiles
from recsys.store import StoreUnavailable, UserAttributes
from serve.store.link import StoreLink

VOCABULARY = ProfileVocabulary(
    attributes=[
        ProfileAttribute(name="member", kind="bool"),  # rows 0 to 2
        ProfileAttribute(name="city", kind="text", names=["Aalen", "Oslo"]),  # rows 3 to 5
        ProfileAttribute(name="age", kind="number", bounds=[30.0]),  # rows 6 to 8
        ProfileAttribute(name="signup", kind="date", bounds=[1_577_836_800.0]),  # rows 9 to 11; 2020-01-01
    ]
)


@dataclass
class Said:
    """A link to a store that says something of users."""

    of: dict[str, dict[str, FieldValue]] = field(default_factory=dict)
    up: bool = True

    def attributes_of(self, user_ids: Sequence[str]) -> dict[str, UserAttributes]:
        if not self.up:
            raise StoreUnavailable("a store", "none", "wait")
        return {one: UserAttributes(one, self.of[one], consent=True) for one in user_ids if one in self.of}


def _profiles(said: Said, *user_ids: str | None) -> list[list[int]] | None:
    rows = LiveProfiles(VOCABULARY, cast(StoreLink, said)).of(user_ids)
    return None if rows is None else rows.tolist()


def test_what_is_said_now_replaces_what_the_bundle_knows() -> None:
    all_said: dict[str, FieldValue] = {"member": True, "city": "Oslo", "age": 30, "signup": "2019-12-31"}
    said = Said({"u": all_said, "v": {"signup": "2020-01-01T02:00:00+02:00"}})
    assert _profiles(said, "u", "w", None, "v") == [[2, 5, 8, 10], [-1] * 4, [-1] * 4, [0, 3, 6, 11]]


def test_without_consent_nothing_is_known() -> None:
    assert _profiles(Said({"u": {}}), "u") == [[0, 3, 6, 9]]


def test_values_of_other_types_are_unknown() -> None:
    odd: dict[str, Any] = {"member": "yes", "city": 4, "age": "30", "signup": "soon", "more": 1}
    assert _profiles(Said({"u": odd}), "u") == [[0, 3, 6, 9]]
    assert _profiles(Said({"u": {"age": True, "city": ("Oslo",)}}), "u") == [[0, 3, 6, 9]]


def test_of_whom_the_store_says_nothing_the_bundle_tells() -> None:
    assert _profiles(Said(), "u", None) is None
    assert _profiles(Said({"u": {}}), None) is None


def test_nothing_is_known_while_the_store_is_down() -> None:
    assert _profiles(Said({"u": {"age": 20}}, up=False), "u", None) == [[0, 3, 6, 9]] * 2
