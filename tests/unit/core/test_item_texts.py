import pytest

from recsys.core.item_texts import clean_all, clean_text, item_text


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Plain title", "Plain title"),
        ("Marks &amp; Spencer", "Marks & Spencer"),
        ("Arts, Music &amp;amp; Photography", "Arts, Music & Photography"),
        ("Caf&eacute; &#39;54 &#x2014; live", "Café '54 — live"),
        ("<b>Bold</b> and <i class='x'>fine</i>.", "Bold and fine."),
        ("One<br />Two<p>Three</p>", "One Two Three"),
        ("&lt;b&gt;escaped tag&lt;/b&gt;", "escaped tag"),
        ('<span class="a-size-medium a-color-secondary"', ""),
        ("<span id=parentalAdvisory class=a-size-medium a-text-normal", ""),
        ("I <3 this, 5 < 6 and 7 > 6", "I <3 this, 5 < 6 and 7 > 6"),
        ("before<script>var a = '<b>';</script>after", "before after"),
        ("a <!-- hidden <b>x</b> --> b", "a b"),
        ("<style>.x{color:red}</style>Shoe", "Shoe"),
        (".a-box-inner{background-color:#fff}#alohaBuyBox .a{x:y}", ""),
        ("var aPageStart = (new Date()).getTime(); more", ""),
        ("  tabs\tand\nlines \x00 \u200bend ", "tabs and lines end"),
        ("non\xa0breaking", "non breaking"),
        ("AT&T; R&D", "AT&T; R&D"),
        ("", ""),
    ],
)
def test_clean_text(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


def test_clean_all_drops_empty_and_repeated_texts_and_keeps_the_order() -> None:
    assert clean_all(["Gift &amp; Card", "", "<br>", "B", "Gift & Card", "A"]) == ["Gift & Card", "B", "A"]


def test_item_text_joins_what_there_is() -> None:
    assert item_text("Kettle.", "Holm", ["Shop", "Tea"], "Boils.", 100) == "Kettle. Holm. Shop > Tea. Boils"
    tags = {"year": "1995", "separator": " "}
    assert item_text("Toy Story", "", ["Animation", "Comedy"], "", 100, **tags) == "Toy Story. 1995. Animation Comedy"
    assert item_text("Kettle", "", [], "", 100) == "Kettle"
    assert item_text("", "", [], "", 100) == ""


def test_item_text_is_cut_at_a_word() -> None:
    assert item_text("one two three", "", [], "", 7) == "one two"
    assert item_text("one two three", "", [], "", 8) == "one two"
    assert item_text("one two three", "", [], "", 12) == "one two"
    assert item_text("one two three", "", [], "", 13) == "one two three"
    assert item_text("unbreakable", "", [], "", 4) == "unbr"
