"""Who may hold a connection, and for how long: counted and looked after for one process."""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from heapq import nsmallest
from typing import Protocol

from serve.connections.proxies import TrustedProxies, home_of
from serve.settings import Settings

logger = logging.getLogger(__name__)

LOOK_S = 0.25  # between looks for waits that have ended
LATE_S = 1.0  # a look so late finds clients waiting that were not heard, not clients that say nothing
TELL_EVERY_S = 60.0
OWN_FILES = 256  # descriptors left to the store, the bundle and the log
AT_ONCE = 32  # of all connections, this fraction makes room where there are too many
MAX_UNREAD = 256 << 20  # bytes of answers that wait for their clients to read them
AT_WORK = float("inf")


@dataclass(frozen=True)
class ConnectionLimits:
    """What a connection may take; seconds and bytes.

    Attributes:
        max_head_bytes: of a request's head: its line and its headers.
        head_s: until a head is complete.
        body_s: until a body is complete.
        idle_s: between requests.
        send_s: between two signs that the client reads an answer.
        most: connections at once.
        most_of_one: connections at once of one address.
    """

    max_head_bytes: int = 65_536
    head_s: float = 10.0
    body_s: float = 10.0
    idle_s: float = 5.0
    send_s: float = 10.0
    most: int = 4096
    most_of_one: int = 256

    @classmethod
    def of(cls, settings: Settings) -> ConnectionLimits:
        """Those of the settings; fewer connections where the process may not open so many files."""
        return cls(
            settings.max_head_bytes,
            settings.head_timeout_s,
            settings.body_timeout_s,
            settings.idle_timeout_s,
            settings.send_timeout_s,
            min(settings.max_connections, _files_for(settings.max_connections)),
            settings.max_connections_per_address,
        )


class Visitor(Protocol):
    """A connection as the door sees it.

    Attributes:
        home: what it is counted by; None: it is counted among all alone.
        since: time of the loop at which the server began to wait for the client.
        deadline: time at which that wait ends; `AT_WORK` while the server has something to do for the client.
        unread: bytes of answers that the client has not read, where they are many.
    """

    home: object
    since: float
    deadline: float
    unread: int

    def expire(self, now: float) -> None:
        """The wait has ended."""

    def make_room(self) -> None:
        """End at once: others want to come in."""


class Door:
    """Counts the connections of a process and ends those that keep it waiting.

    Where there are too many, those that have kept the server waiting longest make room for the newcomer. So clients
    that hold connections and ask nothing keep nobody out. Only where the server is at work for all of them, the
    newcomer is refused.

    Attributes:
        limits: what a connection may take.
        proxies: from whom many clients come through one address.
    """

    def __init__(self, limits: ConnectionLimits, proxies: TrustedProxies) -> None:
        self.limits, self.proxies = limits, proxies
        self._visitors: set[Visitor] = set()
        self._of_home: dict[object, set[Visitor]] = {}
        self._look_due = 0.0
        self._looking: asyncio.TimerHandle | None = None
        self._refused: Counter[str] = Counter()
        self._told = float("-inf")

    def home_of(self, host: str | None) -> object:
        """What a connection from there is counted by."""
        return None if host is None or self.proxies.trusts(host) else home_of(host)

    def enter(self, visitor: Visitor, loop: asyncio.AbstractEventLoop) -> bool:
        """Let a connection in; False: there is no room for it."""
        neighbours = self._of_home.get(visitor.home, ())
        full = len(neighbours) >= self.limits.most_of_one and not _make_room(neighbours, 1)
        if not full and len(self._visitors) >= self.limits.most:
            full = not _make_room(self._visitors, 1 + len(self._visitors) // AT_ONCE)
        if full:
            self.refused("no room")
            return False
        self._visitors.add(visitor)
        if visitor.home is not None:
            self._of_home.setdefault(visitor.home, set()).add(visitor)
        if self._looking is None:
            self._look_again(loop)
        return True

    def leave(self, visitor: Visitor) -> None:
        """A connection has ended."""
        self._visitors.discard(visitor)
        neighbours = self._of_home.get(visitor.home)
        if neighbours is not None:
            neighbours.discard(visitor)
            if not neighbours:
                del self._of_home[visitor.home]

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._look_due = loop.time() + LOOK_S
        self._looking = loop.call_at(self._look_due, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the waits whose time is over. One look at all costs requests nothing; a timer for each would."""
        self._looking = None
        now = loop.time()
        if now - self._look_due > LATE_S:
            for visitor in self._visitors:
                visitor.deadline += now - self._look_due
        for visitor in [visitor for visitor in self._visitors if visitor.deadline <= now]:
            visitor.expire(now)
        self._free_memory()
        self._tell(now)
        if self._visitors or self._refused:
            self._look_again(loop)

    def _free_memory(self) -> None:
        """Let go of those who leave most unread, where all that is unread takes too much memory."""
        unread = sum([visitor.unread for visitor in self._visitors])
        while unread > MAX_UNREAD:
            visitor = max(self._visitors, key=lambda visitor: visitor.unread)
            unread -= visitor.unread
            visitor.make_room()

    def refused(self, what: str) -> None:
        """Count what was refused: the log tells of it now and then, and not of each."""
        self._refused[what] += 1

    def _tell(self, now: float) -> None:
        if self._refused and now - self._told > TELL_EVERY_S:
            self._told = now
            said = ", ".join(f"{count:,} × {what}" for what, count in self._refused.most_common())
            logger.warning("Connections refused or ended, %d are open: %s", len(self._visitors), said)
            self._refused.clear()


def _make_room(visitors: Collection[Visitor], wanted: int) -> bool:
    """Let go of so many of those waited for, the longest first; False: the server is at work for all of them."""
    waited_for = (visitor for visitor in visitors if visitor.deadline != AT_WORK)
    ending = nsmallest(wanted, waited_for, key=lambda visitor: visitor.since)
    for visitor in ending:
        visitor.make_room()
    return bool(ending)


def _files_for(connections: int) -> int:
    """How many of these connections the process may hold, once its limit of open files is raised as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OWN_FILES
    if soft == resource.RLIM_INFINITY:
        return connections
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(soft - OWN_FILES, soft // 2)
