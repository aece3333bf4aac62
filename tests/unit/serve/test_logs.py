"""Whatever is logged is one line, and nothing that a client sends forges one."""

import json
import logging
import math
import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.errors import BundleError
from serve.logs import JsonFormatter, TextFormatter

FORGED = "item1\n2026-01-01 00:00:00,000 ERROR    serve.access: forged"
ATTACKS = (
    FORGED,
    "a\r\nb",
    "a\x0bb\x0cc\x1cd\x1de\x1ef",
    "a\x85b\u2028c\u2029d",
    "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "\u202etxt.exe\u2066\u200f",
    "nul\x00 del\x7f \x9bCSI",
    "\ud800 half",
)


def record_of(message: object, *arguments: object, **extra: object) -> logging.LogRecord:
    record = logging.LogRecord("serve.x", logging.ERROR, "f", 1, str(message), arguments, None)
    vars(record).update(extra)
    return record


def with_traceback(message: str) -> logging.LogRecord:
    try:
        raise ValueError(message)
    except ValueError:
        return logging.LogRecord("serve.x", logging.ERROR, "f", 1, "it failed", (), sys.exc_info())


def as_json(record: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(record)
    assert len(line.splitlines()) == 1
    entry: dict[str, Any] = json.loads(line, parse_constant=pytest.fail)
    return entry


@given(st.text() | st.sampled_from(ATTACKS))
def test_any_text_is_one_line_of_either_kind(text: str) -> None:
    record = record_of("GET %s", text)
    assert as_json(record)["message"] == f"GET {text}"
    line = TextFormatter().format(record)
    assert len(line.splitlines()) == 1
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in line)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_error_begins_a_line_as_the_log_does(attack: str) -> None:
    record = with_traceback(attack)
    assert attack in as_json(record)["exception"]
    first, *others = TextFormatter().format(record).splitlines()
    assert first.endswith("ERROR    serve.x: it failed")
    assert others
    assert all(line.startswith("    | ") for line in others)
    assert "\x1b" not in "".join(others)


def test_text_shows_where_a_line_was_broken() -> None:
    assert (
        TextFormatter()
        .format(record_of("%s", FORGED))
        .endswith(r"item1\n2026-01-01 00:00:00,000 ERROR    serve.access: forged")
    )


def test_the_message_of_an_error_of_ours_is_one_sentence_after_the_other() -> None:
    error = BundleError("a bundle", "none", "make one")
    line = TextFormatter().format(record_of("Refused. %s", error))
    assert line.endswith("Refused. Expected a bundle. Got none. Remedy make one.")


class Unwilling:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("message", "arguments"), [("%d items", ("many",)), ("%s and %s", (1,)), ("%s", (Unwilling(),)), ("plain", (1,))]
)
def test_arguments_that_do_not_fit_lose_no_line(message: str, arguments: tuple[object, ...]) -> None:
    record = record_of(message, *arguments)
    assert as_json(record)["message"].startswith(message)
    assert message in TextFormatter().format(record)


def test_extra_fields_replace_none_of_the_lines_own_and_are_json() -> None:
    circle: list[object] = []
    circle.append(circle)
    entry = as_json(record_of("x", level="info", time="never", logger="other", ms=math.nan, circle=circle, path={1: 2}))
    assert (entry["level"], entry["logger"], entry["ms"]) == ("error", "serve.x", "nan")
    assert entry["time"] != "never"
