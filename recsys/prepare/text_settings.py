"""Settings that say how the text of raw files is written, where the files do not show it."""

from __future__ import annotations

import codecs
from typing import Annotated, Literal

from pydantic import AfterValidator

from recsys.core.settings import Section, unmentioned

AUTO = "auto"
_DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


def _delimiter(text: str) -> str:
    if text == AUTO:
        return text
    character = _DELIMITERS.get(text, text)
    if len(character) != 1 or not character.isascii() or character.isalnum() or character in "\0\r\n\"'":
        raise ValueError("expected auto, tab, or one character of ASCII that is no letter, digit, quote or line end")
    return character


def _encoding(name: str) -> str:
    if name != AUTO:
        try:
            "a".encode(name)
            codecs.getincrementaldecoder(name)
        except (LookupError, UnicodeError, ValueError):
            raise ValueError("no such encoding; for example utf-8, windows-1252, latin-1, utf-16-le") from None
    return name


class TextConfig(Section):
    """How text is written in raw files: its encoding, and what separates and quotes fields."""

    encoding: Annotated[str, AfterValidator(_encoding)] = unmentioned(
        AUTO,
        description="Encoding of text files: a name that Python knows (windows-1252, latin-1, utf-16-le). auto: as a "
        "byte order mark says, UTF-8 without one. A byte order mark counts more than this setting.",
    )
    delimiter: Annotated[str, AfterValidator(_delimiter)] = unmentioned(
        AUTO,
        description="What separates the fields of event logs in delimited text: one character, or tab. auto: comma, "
        "semicolon, tab or |, whichever splits header and first rows alike.",
    )
    quote: Literal["auto", '"', "'", "none"] = unmentioned(
        "auto",
        description="Quotes around fields of event logs in delimited text; none: quotes are plain characters. auto: "
        "double quotes, or single ones where the first lines have these alone around fields.",
    )
