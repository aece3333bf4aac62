"""The strings of one language, as they lie in its file `strings/LANGUAGE.json` or in a shop's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Final

import msgspec
from babel import Locale, UnknownLocaleError
from msgspec import Meta, Struct, field

from recsys.core.errors import ConfigError
from recsys.core.events import EVENT_TYPES
from recsys.core.small_files import read_small_file
from recsys.explain.evidence import Stage
from recsys.explain.fact import Kind
from recsys.explain.text.vocabulary import Vocabulary

FOLDER: Final = Path(__file__).parent / "strings"
NEUTRAL: Final = "neutral"
"""The verb where nobody knows what a user did."""
LATER: Final = frozenset({Kind.SHOP_RULE, Kind.SHOP_ORDER})
"""Kinds that older files of shops lack; what such a file says where nothing speaks for an item stands for them."""
NOT_LISTED: Final = tuple(stage for stage in Stage if stage not in (Stage.LISTED, Stage.FILLED))
"""The stages of items that are not in the list."""

Words = Annotated[str, Meta(min_length=1, max_length=500)]


class Wording(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"for_": "for"}):
    """How facts of one kind are told; of several templates any may be used.

    Attributes:
        for_: of a fact that speaks for the item.
        several: the same where it counts more than one; empty: as `for_`.
        against: of a fact that speaks no more for the item than for others.
        against_several: the same of several facts at once, whose values stand in a row; empty: as `against`.
    """

    for_: tuple[Words, ...]
    several: tuple[Words, ...] = ()
    against: tuple[Words, ...]
    against_several: tuple[Words, ...] = ()


class Strings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is translated.

    Attributes:
        language: as Babel knows locales: en, de, pt_BR.
        quotes: that open and close a title.
        untitled: stands for the title of an item that has none.
        verbs: what a user did, by event type, and `neutral` where nobody knows.
        units: how numbers of a unit are shown, `{value}` where it is not named.
        facts: by kind.
        no_reason: told where no fact speaks for the item.
        stages: how far an item came that is not in the list.
        rules: what forbids an item, by the rule's name.
        guard: what a language model may say; None: none writes in this language, see `recsys.explain.text.guard`.
    """

    language: Words
    quotes: tuple[Words, Words]
    untitled: Words
    verbs: dict[str, Words]
    units: dict[str, Words] = field(default_factory=dict)
    facts: dict[Kind, Wording]
    no_reason: Words
    stages: dict[Stage, Words]
    rules: dict[str, Words]
    guard: Vocabulary | None = None


def languages() -> list[str]:
    """Those that the program speaks by itself."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read_strings(language: str, path: Path | None = None) -> Strings:
    """The strings of a language of the program, or those of a shop's own file.

    Args:
        language: one of `languages()`.
        path: of the shop's file, which is read instead.

    Raises:
        ConfigError: there is no such language or file, or it lacks something, or holds what is not known.
    """
    if path is None:
        if language not in languages():
            raise ConfigError(
                f"one of the languages {', '.join(languages())}",
                repr(language),
                "choose one of them, or name a file of your own strings",
            )
        path = FOLDER / f"{language}.json"
    try:
        strings = msgspec.json.decode(read_small_file(path), type=Strings)
        Locale.parse(strings.language)
        for kind in LATER - strings.facts.keys():
            strings.facts[kind] = Wording(for_=(strings.no_reason,), against=(strings.no_reason,))
        _require("facts", Kind, strings.facts)
        _require("stages", NOT_LISTED, strings.stages)
        _require("verbs", (*EVENT_TYPES, NEUTRAL), strings.verbs)
    except (OSError, msgspec.DecodeError, ValueError, UnknownLocaleError) as error:
        raise unfit(path, str(error)) from None
    return strings


def unfit(path: Path | str, got: str) -> ConfigError:
    """The error of a file of strings that cannot be used."""
    return ConfigError(f"strings of one language in {path}", got, f"correct it; {FOLDER / 'en.json'} is complete")


def _require(what: str, names: Iterable[str], given: Collection[str]) -> None:
    """Raise a ValueError where one of the names is missing."""
    if missing := [str(name) for name in names if name not in given]:
        raise ValueError(f"{what} without {', '.join(missing)}")
