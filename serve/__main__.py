"""`python -m serve`: listen and serve one bundle."""

from __future__ import annotations

import argparse
import copy
import os
import socket
import sys
from collections.abc import Sequence
from typing import Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG
from uvicorn.supervisors import Multiprocess

from recsys.bundle import open_bundle
from recsys.errors import ConfigError, RecsysError
from serve.settings import ENV_PREFIX, Settings, load_settings

BACKLOG = 2048


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server until it is told to stop; the exit code says how it ended."""
    arguments = vars(_parser().parse_args(argv))
    try:
        settings = load_settings(**arguments)
        with open_bundle(settings.bundle, verify=settings.verify) as bundle:
            listener = _listen(settings.host, settings.port)
    except RecsysError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    print(
        f"Serving {bundle.name}, version {bundle.version}, on {_url(listener)} (API: {_url(listener)}/docs)", flush=True
    )
    # Workers need not check again what has just been checked.
    _run(settings.model_copy(update={"verify": "quick"}), listener)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m serve",
        description="Serve recommendations from a bundle over HTTP.",
        epilog=f"Each setting may also come from the environment, for example {ENV_PREFIX}BUNDLE or {ENV_PREFIX}PORT; "
        "an option given here wins.",
    )
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f" (default: {field.default})"
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE", help=f"{field.description}{default}")
    return parser


def _listen(host: str, port: int) -> socket.socket:
    """A socket that already queues connections, so that the address printed can be asked at once."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        raise ConfigError(
            "an address of this machine and a port that is free",
            f"{host}, port {port}: {error.strerror}",
            "choose others with --host and --port (0: any free port), or stop what listens there",
        ) from None
    listener.set_inheritable(True)
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _run(settings: Settings, listener: socket.socket) -> None:
    # Worker processes start afresh and read their settings from the environment.
    for name, value in settings.model_dump(mode="json", exclude_none=True).items():
        os.environ[f"{ENV_PREFIX}{name.upper()}"] = str(value)
    config = uvicorn.Config(
        "serve.app:create_app",
        factory=True,
        workers=settings.workers,
        access_log=settings.access_log,
        log_config=_log_config(settings.log_level),
        log_level=settings.log_level,
    )
    server = uvicorn.Server(config)
    try:
        if settings.workers == 1:
            server.run(sockets=[listener])
        else:
            Multiprocess(config, sockets=[listener]).run()
    except KeyboardInterrupt:  # raised again by uvicorn after an orderly shutdown
        pass


def _log_config(level: str) -> dict[str, Any]:
    config = copy.deepcopy(LOGGING_CONFIG)
    config["loggers"]["serve"] = {"handlers": ["default"], "level": level.upper(), "propagate": False}
    return config


if __name__ == "__main__":
    sys.exit(main())
