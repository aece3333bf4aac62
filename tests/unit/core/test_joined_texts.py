"""Parts of texts are found where Python finds them."""

from hypothesis import example, given
from hypothesis import strategies as st

from recsys.core.joined_texts import JoinedTexts

TEXTS = st.text(st.sampled_from("abé€𝄞"), max_size=6)
TEXTS_OF_A_CATALOGUE = st.text(st.sampled_from("abé€𝄞\0"), max_size=6)


@given(st.lists(TEXTS_OF_A_CATALOGUE, max_size=6), TEXTS)
@example([], "a")
@example(["", ""], "")
@example(["a"], "ab")
@example(["ab", "b"], "bb")
@example(["a", "ba"], "aba")
@example(["a\0b", "\0"], "b")
def test_parts_are_found_where_python_finds_them(texts: list[str], part: str) -> None:
    joined = JoinedTexts.of(texts)
    assert joined.starting_with(part).tolist() == [text.startswith(part) for text in texts]
    assert joined.ending_with(part).tolist() == [text.endswith(part) for text in texts]
    assert joined.holding(part).tolist() == [part in text for text in texts]
