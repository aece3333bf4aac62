"""Texts that are kept with a trail of changes, and what became of them: see `recsys.store.kept_texts`."""

from __future__ import annotations

from typing import Literal, NamedTuple

from recsys.store.records import invalid_record, is_storable

TextAction = Literal["created", "replaced", "deleted"]
MAX_TEXT_CHARS = 65_536


class StoredText(NamedTuple):
    """A rule or an experiment as it is kept: a text that the store does not read.

    Attributes:
        key: names it.
        body: what it says.
        version: number of the change that made it what it is, see `TextChange`; no other text of its kind, and no other
            state of this one, has the same.
        updated_at: when that was, in seconds since 1970.
        updated_by: who did it; None: nobody knows.
    """

    key: str
    body: str
    version: int
    updated_at: float
    updated_by: str | None = None


class StoredTexts(NamedTuple):
    """All texts of a kind as of one moment, ordered by key (code points); `version`: number of changes until then."""

    version: int
    texts: tuple[StoredText, ...] = ()


class TextChange(NamedTuple):
    """One change of one text.

    Attributes:
        version: its number among all changes of its kind of texts, from 1, in their order.
        key: of the text.
        action: what was done with it.
        who: who did; None: nobody knows.
        timestamp: when, in seconds since 1970.
        before, after: what it said; None: there was none.
    """

    version: int
    key: str
    action: TextAction
    who: str | None
    timestamp: float
    before: str | None
    after: str | None


def check_body(body: str, noun: str) -> None:
    """Stop where a text cannot be stored; `noun`: what it is.

    Raises:
        InvalidRecord: it is no text, too long, or holds NUL or a lone surrogate.
    """
    if not isinstance(body, str) or len(body) > MAX_TEXT_CHARS or not is_storable(body):
        raise invalid_record(noun, f"at most {MAX_TEXT_CHARS} characters, none of them NUL or a lone surrogate", body)
