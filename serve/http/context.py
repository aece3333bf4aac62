"""What requests say of their context: values under names, which the shop's rules may read."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

from serve.bundles.options import ContextValue
from serve.http.problems import ProblemError

PREFIX = "context."
MAX_ENTRIES = 20
MAX_TEXT = 200
_TEXT = {"type": "string", "maxLength": MAX_TEXT}


def _value(given: object) -> ContextValue:
    """A value as rules read it; whole numbers are numbers like others."""
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and len(given) <= MAX_TEXT:
        return given
    if isinstance(given, int | float):
        try:
            number = float(given)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise ValueError(f"expected a text of at most {MAX_TEXT} characters, a finite number, true or false")


ContextName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,49}$")]
Context = Annotated[
    dict[
        ContextName,
        Annotated[
            Any, PlainValidator(_value), WithJsonSchema({"anyOf": [_TEXT, {"type": "number"}, {"type": "boolean"}]})
        ],
    ],
    Field(max_length=MAX_ENTRIES, json_schema_extra={"additionalProperties": False}),
]
ContextOfLists = Annotated[
    Context,
    Field(
        default_factory=dict,
        description="What the shop's rules may read as context.NAME; what no rule reads changes nothing.",
        examples=[{"country": "DE", "basket": 39.9}],
    ),
]


def once(given: Iterable[tuple[str, str]], lists: Collection[str]) -> dict[str, Any]:
    """Parameters of a query by name; of those that may be repeated a list where they are.

    Args:
        given: names and values, in their order.
        lists: names of those that may be repeated.

    Raises:
        ProblemError: another one is.
    """
    found: dict[str, Any] = {}
    for name, value in given:
        if name not in found:
            found[name] = value
        elif name in lists:
            found[name] = [*(found[name] if isinstance(found[name], list) else [found[name]]), value]
        else:
            raise ProblemError(422, f"{name[:60]}: given more than once")
    return found


def gathered(given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a query, with those called context.NAME as one object.

    Raises:
        ProblemError: there is one called context beside them.
    """
    context = {name.removeprefix(PREFIX): value for name, value in given.items() if name.startswith(PREFIX)}
    others = {name: value for name, value in given.items() if not name.startswith(PREFIX)}
    if context and "context" in others:
        raise ProblemError(422, "context: expected parameters context.NAME alone")
    return {**others, "context": context} if context else {**others}
