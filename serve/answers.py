"""What every answer of the API is: one typed struct, built once, encoded as it is and described as it is."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Answer(Struct, gc=False, forbid_unknown_fields=True):
    """An answer, or a part of one: the fields named and no others.

    Its annotations are what OpenAPI says of it, see `serve.http.documentation`.
    """


Done = Annotated[
    str | None, Meta(description="What the user did with the item; null: nobody knows.", examples=["purchase"])
]
"""The type of an event, by which an answer tells of an item in a history."""
