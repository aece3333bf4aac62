"""Settings of attributes: which further columns of the catalogue are kept."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from recsys.core.attributes import STOCK, AttributeType, check_attribute_name
from recsys.core.settings import Section


class AttributeConfig(Section):
    """A further column of the catalogue."""

    type: AttributeType = Field(description="number, text, bool (true, false, yes, no, 1, 0), or texts: a list.")
    column: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="What the records call it; null: as it is called here."
    )
    separator: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="What stands between texts that are written as one; null: the first of `|`, `;` and `,` that "
        "is there (blanks in RecBole's files).",
    )

    @model_validator(mode="after")
    def _separates_texts(self) -> AttributeConfig:
        if self.separator is not None and self.type != "texts":
            raise ValueError(f"separator is for the type texts, not for {self.type}")
        return self


def _described(entry: Any) -> Any:
    """A type alone as the map that it is short for."""
    return {"type": entry} if isinstance(entry, str) else entry


Attributes = dict[
    Annotated[str, AfterValidator(check_attribute_name)], Annotated[AttributeConfig, BeforeValidator(_described)]
]


def types_of(attributes: Attributes) -> dict[str, AttributeType]:
    """The type of each attribute."""
    return {name: entry.type for name, entry in attributes.items()}


def check_attributes(attributes: Attributes) -> Attributes:
    """Attributes by name.

    Raises:
        ValueError: two are told apart by case alone, or read the same column; the stock is no number.
    """
    if STOCK in attributes and attributes[STOCK].type != "number":
        raise ValueError(
            f"{STOCK} says how many pieces are left: expected its type number, got {attributes[STOCK].type}"
        )
    for what, texts in (
        ("names that differ in more than case", [name.casefold() for name in attributes]),
        ("a column for each", [entry.column or name for name, entry in attributes.items()]),
    ):
        twice = {text for text in texts if texts.count(text) > 1}
        if twice:
            raise ValueError(f"expected {what}, got {', '.join(sorted(twice))} twice")
    return attributes
