"""Whose request it is, where proxies stand in front: what they say of it counts only if they are trusted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
FORWARDED_FOR, FORWARDED_PROTO, FORWARDED = b"x-forwarded-for", b"x-forwarded-proto", b"forwarded"
HOME_PREFIX = 64  # bits: whoever has one IPv6 address has all that begin like it


class TrustedProxies:
    """Proxies whose word counts, as networks."""

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self._networks = tuple(networks)

    def trusts(self, host: str | None) -> bool:
        """Whether a connection from there is one of a trusted proxy."""
        address = parse_address(host) if self._networks and host else None
        return address is not None and self._trusted(address)

    def apply(self, scope: MutableMapping[str, Any]) -> None:
        """Put into the scope of a trusted proxy's request whose it is, and by which scheme it came to the proxy.

        The address is the last one, from the right, that is no trusted proxy: a client writes what it likes to the left
        of it. `X-Forwarded-For` and `Forwarded` that contradict each other are both left out: a proxy sets one of
        them, and hands on what a client wrote into the other.
        """
        listed, standard, scheme = _read(scope["headers"])
        said = {client for client in (self._client(listed), self._client(standard)) if client is not None}
        if len(said) == 1:
            scope["client"] = (str(said.pop()), 0)
        if scheme in ("http", "https"):
            scope["scheme"] = scheme

    def _trusted(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._networks)

    def _client(self, hops: Sequence[str]) -> Address | None:
        """The last address that is no trusted proxy; of trusted ones alone, the first; None where none is named."""
        nearest: Address | None = None
        for hop in reversed(hops):
            address = parse_address(_without_port(hop))
            if address is None:  # unknown, or hidden by its proxy: what stands further left has no witness
                return nearest
            nearest = address
            if not self._trusted(address):
                return nearest
        return nearest


def parse_address(host: str) -> Address | None:
    """An address; one of IPv4 that is written as one of IPv6 is taken for what it is. None: it is no address."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def home_of(host: str) -> object:
    """What a limit for each address counts by: the address; of IPv6 its network, all of which belongs to one client."""
    address = parse_address(host)
    if isinstance(address, IPv6Address):
        return ip_network((address, HOME_PREFIX), strict=False)
    return address or host


def _read(headers: Iterable[tuple[bytes, bytes]]) -> tuple[list[str], list[str], str | None]:
    """The addresses of `X-Forwarded-For`, those of `Forwarded`, and the scheme; header lines count in their order."""
    listed: list[str] = []
    standard: list[str] = []
    scheme = None
    for name, value in headers:
        if name == FORWARDED_FOR:
            listed += value.decode("latin-1").split(",")
        elif name == FORWARDED_PROTO:
            scheme = value.decode("latin-1").rpartition(",")[2].strip().lower()
        elif name == FORWARDED:
            for hop in value.decode("latin-1").split(","):
                given = dict(_pairs(hop))
                standard.append(given.get("for", ""))
                scheme = given.get("proto", scheme)
    return listed, standard, scheme


def _pairs(hop: str) -> Iterator[tuple[str, str]]:
    """Parameters of a hop in `Forwarded` (RFC 7239)."""
    for pair in hop.split(";"):
        name, _, value = pair.partition("=")
        yield name.strip().lower(), value.strip().strip('"').lower()


def _without_port(hop: str) -> str:
    """The host of 192.0.2.1:80, [2001:db8::1]:80, or of either without a port."""
    host = hop.strip()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host
