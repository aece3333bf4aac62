"""What other processes do in the tests of the store; they are forked from a server that has imported it."""

from __future__ import annotations

import multiprocessing as mp
import os
import random
import signal
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

from recsys.store import Event, ListEvent
from tests.support.databases import patient

CONTEXT = mp.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.support.store_workers", "recsys.store.migrate", "recsys.store.postgresql"])


def numbered(name: str, user_id: str = "u") -> Event:
    """An event whose id, item and user are told by its name."""
    return Event(name, user_id, f"item of {name}", "view", 1.0)


def told(name: str, user_id: str = "u") -> ListEvent:
    """An impression of the same id, item and user as the event of that name."""
    return ListEvent(name, user_id, f"item of {name}", "impression", 1.0, f"list of {name}", 1)


def append_and_die(url: str, names: list[str], acknowledged: Connection) -> None:
    """Append a batch; the process is gone right after the call has returned."""
    store = patient(url)
    store.append([numbered(name) for name in names])
    acknowledged.send(names)
    os.kill(os.getpid(), signal.SIGKILL)


def append_until_killed(url: str, name: str, acknowledged: Connection) -> None:
    """Append one event after the other, each with an impression, and tell each once it has been acknowledged."""
    store = patient(url)
    for number in count():
        store.append([numbered(f"{name}-{number}")], [told(f"{name}-{number}")])
        acknowledged.send(f"{name}-{number}")


def append_in_some_order(url: str, seed: int, events: int, start: Barrier, accepted: Connection) -> None:
    """Append the events and impressions that others do, in an order of its own; tell how many were new."""
    draw = random.Random(seed)
    names = [f"e{number}" for number in range(events)] * 2
    draw.shuffle(names)
    with patient(url) as store:
        start.wait()
        total = 0
        while names:
            size = draw.randrange(1, 20)
            batch, names = names[:size], names[size:]
            named = [(name, f"u{int(name[1:]) % 7}") for name in batch]
            total += store.append([numbered(*one) for one in named], [told(*one) for one in named]).accepted
    accepted.send(total)


def upgrade(url: str, start: Barrier, done: Connection) -> None:
    """Start as a server does, together with others."""
    with patient(url) as store:
        start.wait()
        store.upgrade()
        store.append([numbered(str(os.getpid()))])
    done.send("done")
