"""Answers that are given again for a while."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from serve import recent_answers
from serve.recent_answers import RecentAnswers


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which a test sets."""
    now = [100.0]
    monkeypatch.setattr(recent_answers, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_an_answer_is_given_again_until_its_time_is_over(clock: list[float]) -> None:
    recent: RecentAnswers[str, int] = RecentAnswers(9)
    assert recent.of("a") is None
    recent.keep("a", 1, 10)
    clock[0] = 110.0
    assert recent.of("a") == 1
    clock[0] = 110.1
    assert recent.of("a") is None
    recent.keep("a", 2, 1)
    assert recent.of("a") == 2


def test_the_latest_stay(clock: list[float]) -> None:
    recent: RecentAnswers[str, int] = RecentAnswers(2)
    for number, asked in enumerate("abca"):
        recent.keep(asked, number, 10)
    assert [recent.of(asked) for asked in "abc"] == [3, None, 2]


def test_what_is_over_takes_the_place_of_nothing(clock: list[float]) -> None:
    recent: RecentAnswers[str, int] = RecentAnswers(2)
    recent.keep("a", 1, 100)
    recent.keep("b", 2, 1)
    clock[0] += 2
    recent.keep("c", 3, 100)
    assert [recent.of(asked) for asked in "abc"] == [1, None, 3]
