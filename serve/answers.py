"""What every answer of the API is: one typed struct, built once, encoded as it is and described as it is."""

from __future__ import annotations

from msgspec import Struct


class Answer(Struct, gc=False, forbid_unknown_fields=True):
    """An answer, or a part of one: the fields named and no others.

    Its annotations are what OpenAPI says of it, see `serve.http.documentation`.
    """
