"""Texts that begin alike are a range."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.prefixes import end_of_prefix

TEXTS = st.text("ab\0\ud7ff\ue000\U0010fffe\U0010ffff", max_size=5)


@pytest.mark.parametrize(
    ("prefix", "end"),
    [
        ("", None),
        ("user1", "user2"),
        ("\U0010ffff", None),
        ("a\U0010ffff\U0010ffff", "b"),
        ("\ud7ff", "\ue000"),  # what lies between is no text
    ],
)
def test_ends_by_hand(prefix: str, end: str | None) -> None:
    assert end_of_prefix(prefix) == end


@given(TEXTS, TEXTS)
def test_a_text_is_in_the_range_if_it_begins_so(text: str, prefix: str) -> None:
    end = end_of_prefix(prefix)
    in_range = prefix <= text and (end is None or text < end)
    assert in_range == text.startswith(prefix)
