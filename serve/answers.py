"""What every answer of the API is: one typed struct, built once, encoded as it is and described as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType


class Answer(Struct, gc=False, forbid_unknown_fields=True):
    """An answer, or a part of one: the fields named and no others.

    Its annotations are what OpenAPI says of it, see `serve.http.documentation`.
    """


RULED = "the shop's rules leave too few items"
NOT_DUE = "nothing else that the user bought is due"


class ShortenedBy(Answer):
    """Why a list is shorter than it was asked for."""

    reason: Annotated[str, Meta(examples=[RULED])]
    rules: Annotated[list[str], Meta(description="Ids of the shop's rules.", examples=[["two-of-a-brand"]])]


def shortened_by(rules: Sequence[str], *, buying_again: bool = False) -> ShortenedBy | UnsetType:
    """What an answer says of why its list is short; nothing where no rule is the reason.

    Args:
        rules: those that made it shorter.
        buying_again: the list is short, and was to hold nothing but what is due.
    """
    if buying_again:
        return ShortenedBy(reason=NOT_DUE, rules=list(rules))
    return ShortenedBy(reason=RULED, rules=list(rules)) if rules else UNSET


Unknown = Annotated[
    list[str] | UnsetType,
    Meta(
        description="Of only_items and exclude_items those that the catalogue does not hold; absent: it holds all.",
        examples=[["no such item"]],
    ),
]
"""Ids of a request that no item bears."""

Done = Annotated[
    str | None, Meta(description="What the user did with the item; null: nobody knows.", examples=["purchase"])
]
"""The type of an event, by which an answer tells of an item in a history."""
