"""Columns of texts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.attributes import TextColumn

# NumPy keeps texts of up to 15 bytes, of up to 255, and longer ones each in another way.
TEXTS = st.one_of(st.text(st.sampled_from("abé€𝄞"), max_size=2), st.sampled_from("ab").map(lambda end: "x" * 20 + end))


def test_texts_are_found_whatever_their_length() -> None:
    names = ["a", "a brand of a name that is longer than most", "ab", "another name that is longer than most", "ü"]
    column = TextColumn(np.arange(5, dtype=np.int32), np.array(names, np.dtypes.StringDType()))
    for text in names:
        assert column.are([text, "nobody", "a name that is longer than most"]).tolist() == [n == text for n in names]
    assert column.are(names).all()
    assert not column.are([]).any()


@given(st.lists(TEXTS, unique=True, max_size=8), st.lists(TEXTS, max_size=8))
def test_which_texts_are_among_others(names: list[str], others: list[str]) -> None:
    column = TextColumn(np.zeros(0, np.int32), np.array(names, np.dtypes.StringDType()))
    assert column.are(others).tolist() == [name in others for name in names]
