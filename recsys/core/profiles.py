"""Profiles: what the user tower reads of a user's attributes. Each attribute has one of a few values, or is unknown."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import msgspec
import numpy as np
from msgspec import Meta

from recsys.core.parameters import Number, Parameters
from recsys.core.types import Int32Array

ProfileType = Literal["number", "date", "bool", "text"]
LEAST_USERS = 20
"""A value that fewer training users have is unknown: it says more of them than of people like them."""

_GROUPS = 10
_MOST_NAMES = 1000
UNKNOWN = 0


class ProfileAttribute(Parameters, frozen=True, kw_only=True):
    """An attribute and its values, numbered from 1; `UNKNOWN` is 0.

    Attributes:
        name: of the attribute.
        kind: numbers and dates (seconds since 1970) fall into groups of about as many users; a bool is 1 where false, 2
            where true; a text is one of the names.
        bounds: of numbers and dates, where each group but the first begins.
        names: of texts, in the order of their numbers.
    """

    name: str
    kind: ProfileType
    bounds: Annotated[list[Number], Meta(max_length=_GROUPS)] = msgspec.field(default_factory=list)
    names: Annotated[list[str], Meta(max_length=_MOST_NAMES)] = msgspec.field(default_factory=list)

    @classmethod
    def fit(cls, name: str, kind: ProfileType, values: Iterable[Any]) -> ProfileAttribute:
        """Of the values of training users, None where unknown."""
        given = [value for value in values if value is not None]
        if kind == "text":
            counts = Counter(given)
            frequent = sorted((text for text in counts if counts[text] >= LEAST_USERS), key=lambda one: -counts[one])
            return cls(name=name, kind=kind, names=sorted(frequent[:_MOST_NAMES]))
        if kind == "bool":
            return cls(name=name, kind=kind)
        numbers = np.sort(np.array(given, np.float64))
        groups = min(_GROUPS, len(numbers) // LEAST_USERS)
        starts = {float(numbers[len(numbers) * group // groups]) for group in range(1, groups)}
        return cls(name=name, kind=kind, bounds=sorted(start for start in starts if start > numbers[0]))

    @property
    def size(self) -> int:
        """How many values there are, the unknown one among them."""
        sizes = {"text": len(self.names), "bool": 2}
        return 1 + sizes.get(self.kind, len(self.bounds) + 1)

    def code(self, value: Any) -> int:
        """Number of a value; `UNKNOWN` for None, and for what no or few training users had."""
        if value is None:
            return UNKNOWN
        if self.kind == "text":
            return self.names.index(value) + 1 if value in self.names else UNKNOWN
        if self.kind == "bool":
            return 1 + int(bool(value))
        number = float(value)
        return UNKNOWN if math.isnan(number) else 1 + bisect_right(self.bounds, number)


class ProfileVocabulary(Parameters, frozen=True, kw_only=True):
    """The attributes of A columns of profiles.

    A profile is int32 [A], rows of one table of all values of all attributes: those of the first attribute come first.
    """

    attributes: list[ProfileAttribute]

    @classmethod
    def fit(cls, types: Mapping[str, ProfileType], values: Mapping[str, Sequence[Any]]) -> ProfileVocabulary:
        """Of the values of training users, by attribute; None where unknown."""
        return cls(attributes=[ProfileAttribute.fit(name, kind, values[name]) for name, kind in types.items()])

    @property
    def n_rows(self) -> int:
        """R, rows of the table."""
        return sum(attribute.size for attribute in self.attributes)

    @property
    def unknown(self) -> Int32Array:
        """int32 [A], the profile of a user of whom nothing is known."""
        sizes = [attribute.size for attribute in self.attributes]
        return np.cumsum([0, *sizes[:-1]]).astype(np.int32) if sizes else np.zeros(0, np.int32)

    def profile(self, values: Mapping[str, Any]) -> Int32Array:
        """int32 [A], of a user's attributes; those that are not named are unknown."""
        codes = [attribute.code(values.get(attribute.name)) for attribute in self.attributes]
        return self.unknown + np.array(codes, np.int32)

    def profiles(self, values: Mapping[str, Sequence[Any]], n_users: int) -> Int32Array:
        """int32 [U, A], of the attributes of U users; None where unknown."""
        rows = np.tile(self.unknown, (n_users, 1))
        for column, attribute in enumerate(self.attributes):
            codes = {value: attribute.code(value) for value in set(values[attribute.name])}
            rows[:, column] += np.array([codes[value] for value in values[attribute.name]], np.int32)
        return rows


@dataclass(frozen=True)
class Profiles:
    """The profiles of U users.

    Attributes:
        vocabulary: of A attributes.
        rows: int32 [U, A], see `ProfileVocabulary`.
    """

    vocabulary: ProfileVocabulary
    rows: Int32Array

    @classmethod
    def fit(cls, types: Mapping[str, ProfileType], values: Mapping[str, Sequence[Any]], n_users: int) -> Self:
        """Of the attributes of U users; None where unknown."""
        vocabulary = ProfileVocabulary.fit(types, values)
        return cls(vocabulary, vocabulary.profiles(values, n_users))
