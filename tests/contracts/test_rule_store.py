"""What every store does with a shop's rules, whatever its database."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from recsys.store import InvalidCursor, InvalidRecord, Store, StoredText, TextChange, TextConflict, TooManyTexts
from recsys.store.kept_text_records import MAX_TEXT_CHARS
from recsys.store.kept_texts import ABSENT
from recsys.store.paging import encode
from tests.support.databases import patient

pytest_plugins = "tests.support.store_fixtures"


def put(store: Store, rule_id: str, body: str, timestamp: float = 1.0, **options: Any) -> Any:
    return store.rules.put(rule_id, body, **{"who": "boss", "timestamp": timestamp, "most": 100, **options})


def test_a_new_store_holds_no_rules(store: Store) -> None:
    assert store.rules.version() == 0
    assert store.rules.read() == (0, ())
    assert store.rules.changes(None, None, 10).rows == []
    assert store.rules.delete("none", who=None, timestamp=1.0) is None
    assert store.rules.version() == 0, "nothing was done"


def test_rules_are_kept_with_who_made_them_when(store: Store) -> None:
    assert put(store, "b", '{"é": "\\u0000😀"}') == (StoredText("b", '{"é": "\\u0000😀"}', 1, 1.0, "boss"), "created")
    assert put(store, "a", "{}", 2.5, who=None) == (StoredText("a", "{}", 2, 2.5, None), "created")
    assert store.rules.version() == 2
    version, rules = store.rules.read()
    assert (version, [rule.key for rule in rules]) == (2, ["a", "b"])
    assert rules[1] == StoredText("b", '{"é": "\\u0000😀"}', 1, 1.0, "boss")


def test_every_change_is_noted_with_what_was_before(store: Store) -> None:
    put(store, "a", "1", 1.0, who="ann")
    put(store, "a", "2", 2.0, who="bob\0")
    gone = store.rules.delete("a", who=None, timestamp=3.0)
    assert gone == StoredText("a", "2", 2, 2.0, "bob\ufffd")
    put(store, "a", "1", 4.0, who="ann")
    assert store.rules.changes(None, None, 10).rows == [
        TextChange(4, "a", "created", "ann", 4.0, None, "1"),
        TextChange(3, "a", "deleted", None, 3.0, "2", None),
        TextChange(2, "a", "replaced", "bob\ufffd", 2.0, "1", "2"),
        TextChange(1, "a", "created", "ann", 1.0, None, "1"),
    ]
    assert store.rules.read() == (4, (StoredText("a", "1", 4, 4.0, "ann"),))


def test_what_says_the_same_is_no_change(store: Store) -> None:
    first, _ = put(store, "a", "1", 1.0)
    assert put(store, "a", "1", 2.0, who="other") == (first, None)
    assert store.rules.version() == 1


def test_a_rule_is_changed_as_the_version_that_was_read(store: Store) -> None:
    put(store, "a", "1", expected=ABSENT)
    with pytest.raises(TextConflict, match="that does not exist"):
        put(store, "a", "2", expected=ABSENT)
    with pytest.raises(TextConflict, match="of version 9"):
        put(store, "a", "2", expected=9)
    with pytest.raises(TextConflict):
        put(store, "b", "2", expected=1)
    with pytest.raises(TextConflict):
        store.rules.delete("a", who=None, timestamp=2.0, expected=9)
    assert store.rules.version() == 1, "nothing was changed"
    assert put(store, "a", "2", expected=1)[0].version == 2
    store.rules.delete("a", who=None, timestamp=2.0, expected=2)
    put(store, "a", "1")
    with pytest.raises(TextConflict):  # the same again is another one
        put(store, "a", "2", expected=1)


def test_there_are_not_more_than_may_be(store: Store) -> None:
    put(store, "a", "1", most=2)
    put(store, "b", "1", most=2)
    with pytest.raises(TooManyTexts, match="2 rules at most"):
        put(store, "c", "1", most=2)
    put(store, "b", "2", most=2)
    store.rules.delete("a", who=None, timestamp=1.0)
    put(store, "c", "1", most=2)
    assert [rule.key for rule in store.rules.read().texts] == ["b", "c"]


@pytest.mark.parametrize("rule_id", ["", "a\0", "\ud800", "x" * 513])
def test_an_id_that_cannot_be_stored_is_refused(unchanged: Store, rule_id: str) -> None:
    with pytest.raises(InvalidRecord):
        put(unchanged, rule_id, "1")
    assert unchanged.rules.delete(rule_id, who=None, timestamp=1.0) is None
    assert unchanged.rules.changes(rule_id, None, 1).rows == []


@pytest.mark.parametrize("body", ["a\0", "\udfff", "x" * (MAX_TEXT_CHARS + 1)])
def test_a_body_that_cannot_be_stored_is_refused(unchanged: Store, body: str) -> None:
    with pytest.raises(InvalidRecord):
        put(unchanged, "a", body)
    with pytest.raises(InvalidRecord):
        unchanged.rules.seed({"a": body}, who=None, timestamp=1.0, most=9)
    assert unchanged.rules.version() == 0


def test_first_rules_are_taken_once(store: Store) -> None:
    assert not store.rules.seed({}, who=None, timestamp=1.0, most=9)
    with pytest.raises(TooManyTexts):
        store.rules.seed({"a": "1", "b": "2"}, who=None, timestamp=1.0, most=1)
    assert store.rules.read() == (0, ())
    assert store.rules.seed({"b": "1", "a": "2"}, who="file", timestamp=1.0, most=2)
    assert not store.rules.seed({"c": "3"}, who="file", timestamp=2.0, most=9)
    store.rules.delete("a", who=None, timestamp=3.0)
    store.rules.delete("b", who=None, timestamp=4.0)
    assert not store.rules.seed({"c": "3"}, who="file", timestamp=5.0, most=9), "what was deleted does not come back"
    changes = store.rules.changes(None, None, 9).rows
    assert [(change.version, change.key, change.action) for change in changes] == [
        (4, "b", "deleted"),
        (3, "a", "deleted"),
        (2, "a", "created"),
        (1, "b", "created"),
    ]


def test_changes_are_read_page_by_page(store: Store) -> None:
    for number in range(5):
        put(store, "ab"[number % 2], str(number))
    first = store.rules.changes(None, None, 2)
    put(store, "c", "later")
    second = store.rules.changes(None, first.next_cursor, 2)
    third = store.rules.changes(None, second.next_cursor, 2)
    versions = [[change.version for change in page.rows] for page in (first, second, third)]
    assert (versions, third.next_cursor) == ([[5, 4], [3, 2], [1]], None)
    assert [change.version for change in store.rules.changes("b", None, 9).rows] == [4, 2]
    for cursor in ("x", encode("users", ["a"]), encode("rule changes", ["a"])):
        with pytest.raises(InvalidCursor):
            store.rules.changes(None, cursor, 2)


def test_writers_who_read_before_they_write_lose_nothing(store: Store, store_url: str) -> None:
    """Each of four adds to one number ten times, and reads it again whenever another was faster."""
    put(store, "count", "0", most=1)

    def add() -> None:
        with patient(store_url) as own:
            done = 0
            while done < 10:
                (rule,) = own.rules.read().texts
                with suppress(TextConflict):
                    put(own, "count", str(int(rule.body) + 1), expected=rule.version)
                    done += 1

    with ThreadPoolExecutor(4) as threads:
        for writer in [threads.submit(add) for _ in range(4)]:
            writer.result()
    version, (rule,) = store.rules.read()
    assert (version, rule.body, rule.version) == (41, "40", 41)
    assert [change.after for change in store.rules.changes(None, None, 50).rows] == [str(n) for n in range(40, -1, -1)]
