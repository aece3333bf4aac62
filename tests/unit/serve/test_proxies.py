"""Whose a request is where proxies stand in front: nobody chooses an address."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.errors import ConfigError
from serve.connections.proxies import TrustedProxies, home_of
from serve.settings import load_settings
from tests.support.wires import House, in_house

PEER = ("10.0.0.1", 443)
PROXIES = TrustedProxies([ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")])


def client_of(*headers: tuple[str, str]) -> tuple[str, str]:
    """Address and scheme of a trusted proxy's request with these headers."""
    scope: dict[str, Any] = {
        "client": PEER,
        "scheme": "http",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
    }
    PROXIES.apply(scope)
    return scope["client"][0], scope["scheme"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], PEER[0]),
        ([("X-Forwarded-For", "192.0.2.5")], "192.0.2.5"),
        ([("X-Forwarded-For", "1.1.1.1, 192.0.2.5")], "192.0.2.5"),
        ([("X-Forwarded-For", "1.1.1.1, 192.0.2.5, 10.3.2.1,10.0.0.9")], "192.0.2.5"),
        ([("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "192.0.2.5, 10.0.0.9")], "192.0.2.5"),
        ([("X-Forwarded-For", "10.0.0.4, 10.0.0.9")], "10.0.0.4"),
        ([("X-Forwarded-For", "1.1.1.1, unknown, 10.0.0.9")], "10.0.0.9"),
        ([("X-Forwarded-For", "1.1.1.1, nonsense")], PEER[0]),
        ([("X-Forwarded-For", "")], PEER[0]),
        ([("X-Forwarded-For", "192.0.2.5:4711")], "192.0.2.5"),
        ([("X-Forwarded-For", "[2001:db9::5]:4711")], "2001:db9::5"),
        ([("X-Forwarded-For", "2001:db9::5, 2001:db8::1")], "2001:db9::5"),
        ([("X-Forwarded-For", "::ffff:192.0.2.5")], "192.0.2.5"),
        ([("Forwarded", "for=1.1.1.1, For=192.0.2.5;proto=http;by=10.0.0.9")], "192.0.2.5"),
        ([("Forwarded", 'for="[2001:db9::5]:4711"')], "2001:db9::5"),
        ([("Forwarded", "for=1.1.1.1, for=_hidden")], PEER[0]),
        ([("Forwarded", "proto=https")], PEER[0]),
        ([("Forwarded", "for=192.0.2.5"), ("X-Forwarded-For", "192.0.2.5")], "192.0.2.5"),
        # One of them is the proxy's, the other one the client's own: no telling which.
        ([("Forwarded", "for=1.1.1.1"), ("X-Forwarded-For", "192.0.2.5")], PEER[0]),
    ],
)
def test_the_last_address_that_is_no_proxy_counts(headers: list[tuple[str, str]], expected: str) -> None:
    assert client_of(*headers)[0] == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], "http"),
        ([("X-Forwarded-Proto", "https")], "https"),
        ([("X-Forwarded-Proto", "http, HTTPS")], "https"),
        ([("X-Forwarded-Proto", "javascript")], "http"),
        ([("Forwarded", "for=192.0.2.5;proto=https")], "https"),
    ],
)
def test_the_scheme_that_the_proxy_was_asked_by(headers: list[tuple[str, str]], expected: str) -> None:
    assert client_of(*headers)[1] == expected


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\0\r\n"), max_size=60), st.ip_addresses())
def test_whatever_a_client_writes_its_own_address_counts(written: str, address: Any) -> None:
    """Its proxy adds the address that it sees to the right of what the client sent."""
    trusted = any(address.version == net.version and address in net for net in PROXIES._networks)
    mapped = getattr(address, "ipv4_mapped", None)
    if not trusted and mapped is None:
        assert client_of(("X-Forwarded-For", f"{written}, {address}"))[0] == str(address)


@given(st.ip_addresses(v=6))
def test_whoever_has_one_address_of_ipv6_has_its_network(address: Any) -> None:
    if address.ipv4_mapped is None:
        assert home_of(str(address)) == home_of(str(ip_address(int(address) ^ ((1 << 64) - 1))))
        assert home_of(str(address)) != home_of(str(ip_address(int(address) ^ (1 << 64))))


@pytest.mark.parametrize(("host", "expected"), [("10.0.0.1", "192.0.2.5"), ("127.0.0.1", "127.0.0.1")])
def test_only_those_named_are_believed(host: str, expected: str) -> None:
    seen = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["client"][0])

    async def visit(house: House) -> None:
        _, connection = house.connect(host)
        connection.data_received(b"GET /x HTTP/1.1\r\nX-Forwarded-For: 192.0.2.5\r\nForwarded: for=192.0.2.5\r\n\r\n")
        await house.settle()

    in_house(visit, note, PROXIES)
    assert seen == [expected]


def test_nobody_is_believed_unless_named() -> None:
    assert load_settings().proxies == []
    assert not TrustedProxies().trusts("127.0.0.1")
    assert not PROXIES.trusts(None)
    assert not PROXIES.trusts("testclient")


@pytest.mark.parametrize("value", ["10.0.0.0/33", "10.0.0.1/8", "proxy.example", "10.0.0.1 10.0.0.2", "*", "::1/200"])
def test_what_is_no_network_is_named(value: str) -> None:
    with pytest.raises(ConfigError, match="TRUSTED_PROXIES") as error:
        load_settings(trusted_proxies=value)
    assert value in str(error.value)


def test_networks_and_addresses_are_taken() -> None:
    assert load_settings(trusted_proxies=" 10.0.0.0/8, ::1 ,192.0.2.7,").proxies == [
        ip_network("10.0.0.0/8"),
        ip_network("::1/128"),
        ip_network("192.0.2.7/32"),
    ]
