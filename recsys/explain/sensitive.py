"""Categories of items that no text names unasked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

SENSITIVE_CATEGORIES: Final = (
    "Adult Toys",
    "Adult Products",
    "Sexual Wellness",
    "Sex & Sensuality",
    "Safer Sex",
    "Erotica",
    "Erotic",
    "Mature",
    "Condoms",
    "Pregnancy Tests",
    "Ovulation Tests",
    "Fertility",
    "Incontinence",
    "Incontinence Protection",
    "Hemorrhoid",
    "Hemorrhoids",
    "STD Tests",
    "HIV",
    "Drug Tests",
    "Smoking Cessation",
    "Alcoholism",
    "Addiction & Recovery",
    "Abuse",
    "Weight Loss",
    "Diabetes",
    "Mental Health",
    "Hair Loss",
    "Firearms",
    "Guns",
    "Ammunition",
    "Weapons",
    "Tobacco",
    "E-Cigarettes",
    "Cannabis",
)
"""What most shops will want kept quiet; a shop names its own."""


@dataclass(frozen=True)
class SensitiveNames:
    """Tells whether a category is sensitive.

    A category is if the words of one of the names occur in it one after the other, whatever their case: "Weapons" is
    found in "Toy weapons & armour", "Mature" not in "Premature babies".

    Attributes:
        names: of categories.
    """

    names: tuple[str, ...] = SENSITIVE_CATEGORIES

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        words = [re.escape(_words(name)) for name in self.names if _words(name)]
        return re.compile(f" (?:{'|'.join(words)}) ") if words else None

    def match(self, category: str) -> bool:
        """Whether it is sensitive."""
        return self._pattern is not None and self._pattern.search(f" {_words(category)} ") is not None

    def any(self, categories: Iterable[str]) -> bool:
        """Whether one of an item's categories is sensitive."""
        return any(map(self.match, categories))


def _words(text: str) -> str:
    """The words in small letters, with one blank between."""
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))
