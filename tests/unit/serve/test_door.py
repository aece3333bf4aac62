"""Who may hold a connection: so many at once, and of one address; those that ask nothing make room."""

import asyncio
import pickle
import resource
from typing import Any

import pytest

from serve.connections.door import MAX_UNREAD, OWN_FILES, ConnectionLimits, Door
from serve.connections.proxies import TrustedProxies
from serve.settings import Settings
from tests.support.wires import House, answer, in_house

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
HALF = b"GET /x HT"


def test_those_that_ask_nothing_make_room_for_one_that_does() -> None:
    async def visit(house: House) -> None:
        holding = []
        for _ in range(50):
            wire, connection = house.connect()
            connection.data_received(HALF)
            holding.append(wire)
            house.loop.now += 0.01
        wire, connection = house.connect()
        connection.data_received(GET)
        await house.settle()
        assert wire.statuses == [200]
        assert [held.closed for held in holding] == [True] * 41 + [False] * 9, "those of longest standing"

    in_house(visit, most_of_one=10)


def test_of_all_addresses_together() -> None:
    async def visit(house: House) -> None:
        for last in range(200):
            wire, connection = house.connect(f"198.51.100.{last}")
            connection.data_received(HALF)
        await house.settle()
        assert len(house.door._visitors) == 100
        wire, connection = house.connect()
        connection.data_received(GET)
        await house.settle()
        assert wire.statuses == [200]
        assert len(house.door._visitors) <= 100

    in_house(visit, most=100)


@pytest.mark.parametrize("limits", [{"most": 3}, {"most_of_one": 3}])
def test_no_answer_under_way_makes_room(limits: dict[str, int]) -> None:
    done = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await done.wait()
        await answer(send)

    async def visit(house: House) -> None:
        at_work = [house.connect() for _ in range(3)]
        for _, connection in at_work:
            connection.data_received(GET)
        await house.settle()
        refused, late = house.connect()
        late.data_received(GET)
        assert refused.statuses == [503]
        assert refused.closed
        done.set()
        await house.settle()
        assert [wire.statuses for wire, _ in at_work] == [[200]] * 3
        wire, connection = house.connect()
        connection.data_received(GET)
        await house.settle()
        assert wire.statuses == [200]

    in_house(visit, slow, **limits)


def test_neighbours_share_a_count_and_proxies_have_none() -> None:
    async def visit(house: House) -> None:
        def kept(*hosts: str) -> int:
            wires = [house.connect(host)[0] for host in hosts]
            return sum(not wire.closed for wire in wires)

        assert kept("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:0:8000::") == 2
        assert kept("2001:db8:0:1::", "2001:db8:0:2::", "2001:db8:0:3::") == 3
        assert kept("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1") == 2
        assert kept(*["10.0.0.7"] * 20) == 20

    in_house(visit, proxies=TrustedProxies(Settings(trusted_proxies="10.0.0.0/8").proxies), most_of_one=2)


def test_what_nobody_reads_has_its_bounds_in_memory() -> None:
    async def visit(house: House) -> None:
        wires = []
        for last in range(6):
            wire, connection = house.connect(f"198.51.100.{last}")
            connection.data_received(GET)
            wire.unread = (MAX_UNREAD // 4) + last
            connection.pause_writing()
            wires.append(wire)
        await house.wait(1)
        assert [wire.aborted for wire in wires] == [False] * 3 + [True] * 3, "those with most of it, as many as need be"

    in_house(visit)


def test_the_log_tells_of_all_that_was_refused_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    async def visit(house: House) -> None:
        for _ in range(300):
            _, connection = house.connect()
            connection.data_received(b"\0")
        house.connect()
        await house.wait(30)
        for _ in range(20):
            _, connection = house.connect()
            connection.data_received(b"GET\0forged\r\n")
        await house.wait(120)

    in_house(visit)
    first, second = [record.getMessage() for record in caplog.records if record.name.startswith("serve.connections")]
    assert "300 × 400 expected HTTP/1.1" in first
    assert "20 × 400 expected HTTP/1.1" in second
    assert "forged" not in second


def test_nothing_is_kept_of_those_that_have_gone() -> None:
    async def visit(house: House) -> None:
        for last in range(30):
            wire, _ = house.connect(f"198.51.100.{last}")
            if last % 2:
                wire.close()
        await house.wait(61)
        assert not house.door._visitors
        assert not house.door._of_home
        assert house.door._looking is None

    in_house(visit, most=20)


def test_a_process_that_was_busy_lets_go_of_nobody_for_it() -> None:
    async def visit(house: House) -> None:
        wire, connection = house.connect()
        connection.data_received(HALF)
        house.loop.now += 100.0  # in which nobody was listened to
        await house.settle()
        connection.data_received(GET[len(HALF) :])
        await house.settle()
        assert wire.statuses == [200]

    in_house(visit)


@pytest.mark.parametrize(("soft", "hard", "expected"), [(1024, 1024, 768), (100, 100, 50), (50_000, 50_000, 4096)])
def test_no_more_connections_than_open_files(
    soft: int, hard: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: None)
    assert ConnectionLimits.of(Settings()).most == expected


def test_the_limit_of_open_files_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1 << 20))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits))
    assert ConnectionLimits.of(Settings(max_connections=2000)).most == 2000
    assert raised == [(2000 + OWN_FILES, 1 << 20)]


def test_a_worker_gets_a_door_of_its_own() -> None:
    door = pickle.loads(pickle.dumps(Door(ConnectionLimits(most=7), TrustedProxies())))
    assert door.limits.most == 7
