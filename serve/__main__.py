"""`python -m serve`: listen and serve one bundle."""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import sys
from collections.abc import Sequence
from ctypes import c_char
from functools import partial
from types import SimpleNamespace
from typing import Any

import uvicorn

from recsys.core.errors import ConfigError, RecsysError
from serve import logs
from serve.connections.door import ConnectionLimits, Door
from serve.connections.protocol import Connection
from serve.connections.proxies import TrustedProxies
from serve.exposure import check_exposure
from serve.http.page_address import BELOW
from serve.settings import ENV_PREFIX, Settings, load_settings
from serve.shared import Shared
from serve.signals import hold_hangups
from serve.starting import Starting

BACKLOG = 2048
LONGEST_NAME = 256  # bytes that a folder, and so a version of a bundle, is named with at most


def main(argv: Sequence[str] | None = None, program: str = "python -m serve") -> int:
    """Run the server until it is told to stop; the exit code says how it ended. `program` is what its help calls it."""
    arguments = vars(_parser(program).parse_args(argv))
    check = arguments.pop("check")
    try:
        settings = load_settings(**arguments)
        check_exposure(settings, _address(settings)[-1][0])
        if check:
            return _check(settings)
        shared = Shared.of(settings)
        hold_hangups()
        listener = _listen(settings)
    except RecsysError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    url = _url(listener)
    page = f"page: {url}{BELOW}, " if settings.ui else ""
    print(f"Serving {settings.bundle} on {url} ({page}API: {url}/docs)", flush=True)
    return _run(settings, listener, shared)


def _check(settings: Settings) -> int:
    """Open keys, store and bundle, recommend once.

    Raises:
        RecsysError: something is not in order.
    """
    from serve.check import check  # noqa: PLC0415  # imports all of the server, which the start must not wait for

    print(f"{check(settings)}: ready to be served")
    return 0


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description="Serve recommendations from a bundle over HTTP.",
        epilog=f"Each setting may also come from the environment, for example {ENV_PREFIX}BUNDLE or {ENV_PREFIX}PORT, "
        "or from a TOML file; an option given here wins over the environment, and that over the file.",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="open bundle and store, recommend once, and end: before a deployment, or where an image is built: the "
        "first recommendation of an installation compiles loops",
    )
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None or field.default == "" else f" (default: {field.default})"
        word: dict[str, Any] = {"nargs": "?", "const": "true"} if field.annotation is bool else {}
        parser.add_argument(
            f"--{name.replace('_', '-')}", metavar="VALUE", help=f"{field.description}{default}", **word
        )
    return parser


def _address(settings: Settings) -> tuple[Any, ...]:
    """Family, kind, protocol, name and address of the socket to listen on."""
    try:
        return socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise _unusable(settings, error) from None


def _listen(settings: Settings) -> socket.socket:
    """A socket that already queues connections, so that the address printed can be asked at once."""
    family, kind, protocol, _, address = _address(settings)
    try:
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        raise _unusable(settings, error) from None
    check_exposure(settings, listener.getsockname()[0])  # a name may mean another address than a moment ago
    listener.set_inheritable(True)
    return listener


def _unusable(settings: Settings, error: OSError) -> ConfigError:
    return ConfigError(
        "an address of this machine and a port that is free",
        f"{settings.host}, port {settings.port}: {error.strerror}",
        "choose others with --host and --port (0: any free port), or stop what listens there",
    )


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _run(settings: Settings, listener: socket.socket, shared: Shared) -> int:
    """Serve until told to stop; the exit code."""
    several = settings.workers > 1
    served = multiprocessing.get_context("spawn").Array(c_char, LONGEST_NAME) if several else SimpleNamespace(value=b"")
    app = Starting(settings, served, shared)
    config = uvicorn.Config(
        app,
        http=partial(Connection, door=Door(ConnectionLimits.of(settings), TrustedProxies(settings.proxies))),  # type: ignore[arg-type]
        ws="none",
        proxy_headers=False,  # uvicorn would believe whoever connects from this machine
        workers=settings.workers,
        access_log=False,  # serve.http.telemetry writes one with the request's id
        log_config=logs.configuration(settings.log_level, settings.log_format),
        log_level=settings.log_level,
        timeout_graceful_shutdown=settings.shutdown_s,
    )
    logs.catch_what_escapes()
    try:
        if not several:
            uvicorn.Server(config).run(sockets=[listener])
            return 0
        from serve.workers import Workers, shared_metrics  # noqa: PLC0415  # one process needs nothing of it

        with shared_metrics():
            workers = Workers(config, app, [listener])
            workers.run()
            return workers.exit_code
    except KeyboardInterrupt:  # raised again by uvicorn after an orderly shutdown
        return 0


if __name__ == "__main__":
    sys.exit(main())
