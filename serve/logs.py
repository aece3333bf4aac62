"""The server's log: one JSON object a line, each with the id of the request that it is about, or one line of text.

What clients send reaches the log escaped: no id of an item, no address and no message of an error begins a line of its
own or changes what a terminal shows. Warnings, and errors that nobody catches, are lines of the log like all others.
"""

from __future__ import annotations

import json
import logging
import logging.config
import re
import sys
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
logger = logging.getLogger(__name__)

_TEXT = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"
_MORE = "    | "  # begins every line of text that goes on with the one before
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
_INDENTED_BREAK = re.compile(r"\n +")  # as in the messages of this program's errors
# Control characters, ends of lines and paragraphs, turns of the direction of writing, halves of characters.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class JsonFormatter(logging.Formatter):
    """A record as a line of JSON: its own fields, those given as `extra`, and the request's id."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD:
                entry.setdefault(name, value)
        if (current := request_id.get()) is not None:
            entry.setdefault("request_id", current)
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        try:
            return json.dumps(entry, default=str, allow_nan=False)
        except (ValueError, TypeError, RecursionError):  # what is no JSON is told as text
            return json.dumps({name: value if isinstance(value, str) else repr(value) for name, value in entry.items()})


class TextFormatter(logging.Formatter):
    """A record as a line of text; the lines of a traceback follow it, each behind a mark."""

    def __init__(self) -> None:
        super().__init__(_TEXT)

    def format(self, record: logging.LogRecord) -> str:
        record.message, record.asctime = _one_line(_message(record)), self.formatTime(record)
        lines = [self.formatMessage(record)]
        if record.exc_info:
            lines += [_MORE + _escaped(line) for line in self.formatException(record.exc_info).split("\n")]
        return "\n".join(lines)


def configuration(level: str, style: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`: everybody's loggers, to the standard error stream.

    Of libraries only what they warn of.
    """
    logger = {"handlers": ["stderr"], "level": level.upper(), "propagate": False}
    formatters = {"json": {"()": "serve.logs.JsonFormatter"}, "text": {"()": "serve.logs.TextFormatter"}}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": formatters,
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": style, "stream": "ext://sys.stderr"},
        },
        "loggers": {"serve": logger, "uvicorn": logger},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
    }


def configure(level: str, style: str) -> None:
    """Configure this server's logs, unless `python -m serve` has, or the program that this app is a part of."""
    if not logging.getLogger("serve").handlers:
        config = configuration(level, style)
        del config["loggers"]["uvicorn"], config["root"]
        logging.config.dictConfig(config)


def configure_process(level: str, style: str) -> None:
    """Configure the logs of a process of this server's own."""
    logging.config.dictConfig(configuration(level, style))
    catch_what_escapes()


def catch_what_escapes() -> None:
    """Log what Python would write to the standard error stream by itself: warnings, and errors that nobody catches."""
    logging.captureWarnings(True)
    logging.raiseExceptions = False
    sys.excepthook = _log_end
    threading.excepthook = lambda thread: _log_error("A thread was ended by an error", thread.exc_value)
    sys.unraisablehook = lambda lost: _log_error("An error could not be raised", lost.exc_value)


def _log_end(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        logger.critical("The process was ended by an error", exc_info=(kind, error, traceback))


def _log_error(message: str, error: BaseException | None) -> None:
    if not isinstance(error, SystemExit):
        logger.error(message, exc_info=error)


def _message(record: logging.LogRecord) -> str:
    """The message, whatever its arguments do."""
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg} (with arguments that it does not take)"


def _one_line(text: str) -> str:
    return _escaped(_INDENTED_BREAK.sub(" ", text))


def _escaped(text: str) -> str:
    return _UNSAFE.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), text)
