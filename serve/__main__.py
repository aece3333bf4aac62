"""`python -m serve`: listen and serve one bundle."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from collections.abc import Sequence

import uvicorn
from uvicorn.supervisors import Multiprocess

from recsys.bundle import open_bundle
from recsys.core.errors import ConfigError, RecsysError
from serve import logs
from serve.auth import Keyring
from serve.bundles.loaded import LoadedBundle
from serve.metrics import forget_process, multiprocess_folder
from serve.recommendations.warm_up import warm_up
from serve.settings import ENV_PREFIX, NO_STORE, Settings, load_settings
from serve.store.link import open_store

BACKLOG = 2048


def main(argv: Sequence[str] | None = None, program: str = "python -m serve") -> int:
    """Run the server until it is told to stop; the exit code says how it ended. `program` is what its help calls it."""
    arguments = vars(_parser(program).parse_args(argv))
    check = arguments.pop("check")
    try:
        settings = load_settings(**arguments)
        if settings.api_keys is not None:
            Keyring.read(settings.api_keys)
        if settings.store != NO_STORE:
            open_store(settings.store).close()
        with open_bundle(settings.bundle, verify=settings.verify) as bundle:
            if check:
                warm_up(LoadedBundle.open(bundle.path, settings.model_copy(update={"trusted_version": bundle.version})))
                print(f"{bundle.name}, version {bundle.version}: ready to be served")
                return 0
            listener = _listen(settings.host, settings.port)
    except RecsysError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    print(
        f"Serving {bundle.name}, version {bundle.version}, on {_url(listener)} (API: {_url(listener)}/docs)", flush=True
    )
    # Workers need not check again what has just been checked.
    _run(settings.model_copy(update={"trusted_version": bundle.version}), listener)
    return 0


class Workers(Multiprocess):
    """Server processes. A dead one is replaced; SIGHUP lets each load the bundle anew, without a restart."""

    def handle_hup(self) -> None:
        for process in self.processes:
            if process.pid is not None and process.exitcode is None:
                os.kill(process.pid, signal.SIGHUP)

    def keep_subprocess_alive(self) -> None:
        before = {process.pid for process in self.processes}
        super().keep_subprocess_alive()
        for pid in before - {process.pid for process in self.processes}:
            if pid is not None:
                forget_process(pid)


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
        access_log=False,  # serve.http.telemetry writes one with the request's id
        log_config=logs.configuration(settings.log_level, settings.log_format),
        log_level=settings.log_level,
        timeout_graceful_shutdown=settings.shutdown_s,
    )
    try:
        if settings.workers == 1:
            uvicorn.Server(config).run(sockets=[listener])
        else:
            with multiprocess_folder():
                Workers(config, sockets=[listener]).run()
    except KeyboardInterrupt:  # raised again by uvicorn after an orderly shutdown
        pass


if __name__ == "__main__":
    sys.exit(main())
