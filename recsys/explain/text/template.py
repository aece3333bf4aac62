"""Templates: sentences with places for values, parsed once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Self


@dataclass(frozen=True)
class Template:
    """A text with slots. What fills a slot is never read as a template itself.

    Attributes:
        literals: what stands before, between and behind the slots, one more than there are slots.
        slots: names of what fills them, in order.
    """

    literals: tuple[str, ...]
    slots: tuple[str, ...]

    @cached_property
    def _pattern(self) -> str:
        """The text as `%` takes it, which fills it fastest."""
        return "%s".join(literal.replace("%", "%%") for literal in self.literals)

    @classmethod
    def parse(cls, text: str, allowed: Collection[str], required: Collection[str] = ()) -> Self:
        """Read `{name}` as the slot of that name; `{{` and `}}` stand for braces.

        Raises:
            ValueError: a slot that is not allowed, one that is required is missing, or the braces do not match.
        """
        literals, slots = [""], []
        for literal, name, spec, conversion in Formatter().parse(text):
            literals[-1] += literal
            if name is None:
                continue
            if name not in allowed or spec or conversion:
                listed = ", ".join(f"{{{slot}}}" for slot in allowed) or "no placeholder"
                written = name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
                raise ValueError(f"{listed} alone, not {{{written}}} in {text!r}")
            literals.append("")
            slots.append(name)
        if missing := [name for name in required if name not in slots]:
            raise ValueError(f"{{{missing[0]}}} in {text!r}")
        return cls(tuple(literals), tuple(slots))

    def bind(self, name: str, text: str) -> Template:
        """The template with one slot filled, wherever it stands."""
        literals, slots = [self.literals[0]], []
        for slot, literal in zip(self.slots, self.literals[1:], strict=True):
            if slot == name:
                literals[-1] += text + literal
            else:
                literals.append(literal)
                slots.append(slot)
        return Template(tuple(literals), tuple(slots))

    def fill(self, texts: Mapping[str, str]) -> str:
        """The sentence. `texts` has one for each slot."""
        return self._pattern % tuple([texts[slot] for slot in self.slots])
