"""Who can reach the server: an open one must be meant to be open."""

from __future__ import annotations

from recsys.core.errors import ConfigError
from serve.connections.proxies import parse_address
from serve.settings import Settings


def check_exposure(settings: Settings, address: str) -> None:
    """Refuse to serve everyone's profiles to strangers by mistake.

    Args:
        settings: of the server.
        address: IP address to listen on.

    Raises:
        ConfigError: other machines may reach it, no key is asked for, and nothing says that this is meant.
    """
    if settings.api_keys is None and not settings.open and not is_loopback(address):
        raise ConfigError(
            "API keys where other machines may connect: whoever does can read the profiles of all users",
            f"the address {address} of host {settings.host!r} and no api_keys",
            "give a file of keys with --api-keys (see python -m serve.auth), or --open if everyone is meant to ask, "
            "or listen on 127.0.0.1",
        )


def is_loopback(address: str) -> bool:
    """Whether this machine alone reaches an IP address."""
    parsed = parse_address(address)
    return parsed is not None and parsed.is_loopback
