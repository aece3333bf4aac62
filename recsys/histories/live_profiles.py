"""What counts of users' attributes at this moment: what was said of a live user, in the place of the bundle's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.core.item_changes import FieldValue
from recsys.core.profiles import ProfileAttribute, ProfileVocabulary
from recsys.core.types import Int32Array
from recsys.core.values.times import parse_day_or_time
from recsys.histories.reading import HistoryReader
from recsys.store import StoreUnavailable

_AS_THE_BUNDLE_HAS_IT = -1


@dataclass(frozen=True)
class LiveProfiles:
    """The profiles of users of whom the store says something; without consent nothing is known of a user.

    Attributes:
        vocabulary: of the bundle's user tower.
        reader: of the store.
    """

    vocabulary: ProfileVocabulary
    reader: HistoryReader

    def of(self, user_ids: Sequence[str | None]) -> Int32Array | None:
        """int32 [B, A], see `Queries.profiles`, of users, None for a session; None where the store says nothing.

        While the store is unavailable, nobody's attributes count: they may have been taken back.
        """
        asked = [user_id for user_id in user_ids if user_id is not None]
        if not asked:
            return None
        try:
            live = self.reader.attributes_of(asked)
        except StoreUnavailable:
            return np.tile(self.vocabulary.unknown, (len(user_ids), 1))
        if not live:
            return None
        profiles = np.full((len(user_ids), len(self.vocabulary.attributes)), _AS_THE_BUNDLE_HAS_IT, np.int32)
        for place, user_id in enumerate(user_ids):
            if user_id in live:
                said = live[user_id].attributes
                values = {one.name: _value(one, said.get(one.name)) for one in self.vocabulary.attributes}
                profiles[place] = self.vocabulary.profile(values)
        return profiles


def _value(attribute: ProfileAttribute, said: FieldValue) -> Any:
    """A value as training had it; None where what was said is of another type, as before the bundle knew the type."""
    if attribute.kind == "date":
        return _seconds(said) if isinstance(said, str) else None
    if attribute.kind == "number":
        return said if isinstance(said, int | float) and not isinstance(said, bool) else None
    return said if isinstance(said, {"text": str, "bool": bool}[attribute.kind]) else None


def _seconds(day_or_time: str) -> float | None:
    try:
        return parse_day_or_time(day_or_time)
    except ValueError:
        return None
