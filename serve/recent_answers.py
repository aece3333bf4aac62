"""Answers that took long are given again for a while."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from typing import Generic, NamedTuple, TypeVar

Asked = TypeVar("Asked", bound=Hashable)
Answered = TypeVar("Answered")


class _Recent(NamedTuple, Generic[Answered]):
    """An answer, and until when it is given again, by `time.monotonic`."""

    answer: Answered
    until: float


class RecentAnswers(Generic[Asked, Answered]):
    """Answers by what was asked. One thread keeps them, any number reads them."""

    def __init__(self, most: int) -> None:
        """None at first; `most`: how many there may be, of which the latest stay."""
        self._most = most
        self._recent: Mapping[Asked, _Recent[Answered]] = {}  # replaced as a whole

    def of(self, asked: Asked) -> Answered | None:
        """The answer to that question, if it is recent enough."""
        recent = self._recent.get(asked)
        return None if recent is None or time.monotonic() > recent.until else recent.answer

    def keep(self, asked: Asked, answer: Answered, seconds: float) -> None:
        """Give this answer for so many seconds from now on."""
        now = time.monotonic()
        others = [(other, one) for other, one in self._recent.items() if one.until > now and other != asked]
        self._recent = dict([*others[max(len(others) + 1 - self._most, 0) :], (asked, _Recent(answer, now + seconds))])
