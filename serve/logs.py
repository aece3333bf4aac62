"""The server's log: one JSON object a line, each with the id of the request that it is about."""

from __future__ import annotations

import json
import logging
import logging.config
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_TEXT = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


class JsonFormatter(logging.Formatter):
    """A record as a line of JSON: its own fields, those given as `extra`, and the request's id."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry.update((name, value) for name, value in vars(record).items() if name not in _STANDARD)
        if (current := request_id.get()) is not None:
            entry.setdefault("request_id", current)
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def configuration(level: str, style: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`: this server's loggers and uvicorn's, to the standard error stream."""
    logger = {"handlers": ["stderr"], "level": level.upper(), "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "serve.logs.JsonFormatter"}, "text": {"format": _TEXT}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": style, "stream": "ext://sys.stderr"},
        },
        "loggers": {"serve": logger, "uvicorn": logger},
    }


def configure(level: str, style: str) -> None:
    """Configure the logs, unless somebody has: `python -m serve`, or the program that this app is a part of."""
    if not logging.getLogger("serve").handlers:
        config = configuration(level, style)
        del config["loggers"]["uvicorn"]
        logging.config.dictConfig(config)
