"""Columns of texts."""

from __future__ import annotations

import numpy as np

from recsys.core.attributes import TextColumn


def test_texts_are_found_whatever_their_length() -> None:
    names = ["a", "a brand of a name that is longer than most", "ab", "another name that is longer than most", "ü"]
    column = TextColumn(np.arange(5, dtype=np.int32), np.array(names, np.dtypes.StringDType()))
    for text in names:
        assert column.are([text, "nobody", "a name that is longer than most"]).tolist() == [n == text for n in names]
    assert column.are(names).all()
    assert not column.are([]).any()
