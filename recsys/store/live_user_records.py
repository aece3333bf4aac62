"""Live users as they are written and kept, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from recsys.core.item_changes import FieldValue
from recsys.store.live_item_records import as_text
from recsys.store.records import check_key, invalid_record, is_storable

MAX_ATTRIBUTES_CHARS = 65_536  # as JSON


@dataclass(frozen=True, slots=True)
class UserAttributes:
    """What a shop says of a user.

    Attributes:
        user_id: of the user.
        attributes: values by name; none without consent.
        consent: whether the user agrees to their being kept.
        updated_at: when that was said, in seconds since 1970.
        updated_by: who did; None: nobody knows.
    """

    user_id: str
    attributes: Mapping[str, FieldValue] = field(default_factory=dict)
    consent: bool = False
    updated_at: float = 0.0
    updated_by: str | None = None


class ForgottenUser(NamedTuple):
    """What was removed of a user who was forgotten.

    Attributes:
        timestamp: when, in seconds since 1970: what is at or before it is invisible from now on.
        events, served, attributes, aliases, list_events: how many of them there were.
        merged_into: users to whom belongs what this id did in the past, and who are still known.
    """

    timestamp: float
    events: int
    served: int
    attributes: int
    aliases: int
    merged_into: tuple[str, ...] = ()
    list_events: int = 0


class MergedUser(NamedTuple):
    """What became a user's.

    Attributes:
        timestamp: what the other id did up to then is the user's, in seconds since 1970.
        events, served, list_events: how many of them moved.
        aliases: of the other id, which are the user's now, too.
    """

    timestamp: float
    events: int
    served: int
    aliases: int
    list_events: int = 0


def check_attributes(user_id: str, attributes: Mapping[str, FieldValue]) -> str:
    """Attributes as the store keeps them.

    Raises:
        InvalidRecord: the id or an attribute cannot be stored.
    """
    check_key(user_id, "the id of a user")
    for name, value in attributes.items():
        texts = (name, *value) if isinstance(value, tuple) else (name, value)
        if not all(is_storable(text) for text in texts if isinstance(text, str)):
            raise invalid_record(f"attribute {name[:60]!a} of a user", "no NUL and no lone surrogate", value)
    written = as_text(attributes)
    if len(written) > MAX_ATTRIBUTES_CHARS:
        raise invalid_record(
            "attributes of a user", f"{MAX_ATTRIBUTES_CHARS:,} characters of JSON at most", f"{len(written):,}"
        )
    return written


def attributes_of(text: str) -> dict[str, FieldValue]:
    """What `check_attributes` wrote."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()}
