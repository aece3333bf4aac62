"""Versions of what can be changed, as headers: whoever changes it says which version they have read."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from pydantic import Field, WithJsonSchema

_VERSION_TAG, _ANY_TAG = r'^"(0|[1-9][0-9]{0,14})"$', r"^\*$"
# A header is there or not, but never null.
IfMatch = Annotated[
    str | None,
    Field(
        pattern=_VERSION_TAG,
        description='The ETag that was read, such as "12": refused with 412 where it is another one by now.',
    ),
    WithJsonSchema({"type": "string", "pattern": _VERSION_TAG, "examples": ['"12"']}),
]
IfNoneMatch = Annotated[
    str | None,
    Field(pattern=_ANY_TAG, description="An asterisk: refused with 412 where there is one of this id."),
    WithJsonSchema({"type": "string", "pattern": _ANY_TAG, "examples": ["*"]}),
]


def expected_version(if_match: str | None, if_none_match: str | None = None, *, absent: int) -> int | None:
    """The version that something must be of, as the store takes it; `absent`: what that calls nothing at all."""
    if if_none_match is not None:
        return absent
    return None if if_match is None else int(if_match.strip('"'))


def tagged(response: Response, version: int | None) -> Response:
    """With a version as its ETag."""
    if version is not None:
        response.headers["ETag"] = f'"{version}"'
    return response
