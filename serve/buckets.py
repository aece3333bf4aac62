"""How much each caller has asked for lately, counted by all workers of a server together, in memory that they share."""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
import time
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from multiprocessing.reduction import DupFd
from operator import itemgetter
from struct import Struct
from typing import Any, NamedTuple

SETS, WAYS = 4096, 8  # 32,768 callers at a time; one that has not asked for long takes no slot
_SLOT = Struct("Qd")  # hash of a caller's name, and when its bucket is full
MAX_NAMES = 10_000
ATTEMPTS = 200


class Taken(NamedTuple):
    """What a request got.

    Attributes:
        wait_s: 0, or the seconds until there is room for one.
        left: how many more may come now.
        full_s: seconds until as many may come as ever.
    """

    wait_s: float
    left: int
    full_s: float


class Buckets:
    """Token buckets of callers, each kept as the time when it is full (generic cell rate algorithm, ITU-T I.371).

    A caller is found by 64 bits of a keyed hash of its name. Where a set has no slot left, the caller goes whose
    bucket is full first: many names make the server forget nobody, unless thousands of them have asked lately.
    """

    def __init__(self, rate: float, burst: int) -> None:
        """`rate` tokens a second come into a bucket of `burst`."""
        descriptor = os.memfd_create("recsys-buckets", os.MFD_CLOEXEC)
        os.ftruncate(descriptor, SETS * WAYS * _SLOT.size)
        self._attach(descriptor, rate, burst, secrets.token_bytes(16))

    def __reduce__(self) -> tuple[Any, ...]:
        """For a process that this one starts: the same memory."""
        return _attached, (DupFd(self._descriptor), self.rate, self.burst, self._key)

    def _attach(self, descriptor: int, rate: float, burst: int, key: bytes) -> None:
        self._descriptor, self.rate, self.burst, self._key = descriptor, rate, burst, key
        self._interval, self._depth = 1 / rate, burst / rate
        self._most = self._depth + 1e-6 * self._interval  # rounding must not take the last token of a bucket
        self._memory = mmap.mmap(descriptor, SETS * WAYS * _SLOT.size)
        # A lock belongs to an opened file; a descriptor that was handed over would share the lock of its giver.
        self._lock = os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR | os.O_CLOEXEC)
        self._offsets: dict[str, tuple[int, int]] = {}

    def take(self, caller: str) -> Taken:
        """Take a token of a caller's bucket, if there is one."""
        name, offset = self._offsets.get(caller) or self._remember(caller)
        self._acquire()
        try:
            now = time.monotonic()
            other, full = _SLOT.unpack_from(self._memory, offset)
            if other != name:
                offset, full = self._find(name)
                self._offsets[caller] = name, offset
            full = max(full, now)
            after = full + self._interval - now
            taken = after <= self._most
            _SLOT.pack_into(self._memory, offset, name, now + after if taken else full)
        finally:
            flock(self._lock, LOCK_UN)
        if taken:
            return Taken(0.0, int((self._most - after) * self.rate), after)
        return Taken(after - self._depth, 0, full - now)

    def _remember(self, caller: str) -> tuple[int, int]:
        """The hash of a caller's name, and where its bucket may be."""
        if len(self._offsets) >= MAX_NAMES:
            self._offsets.clear()
        digest = hashlib.blake2b(caller.encode("utf8", "surrogatepass"), digest_size=8, key=self._key).digest()
        name = int.from_bytes(digest, "big") or 1  # 0: an empty slot
        self._offsets[caller] = name, name % SETS * WAYS * _SLOT.size
        return self._offsets[caller]

    def _find(self, name: int) -> tuple[int, float]:
        """Offset and time of a bucket in its set; those of one to put there where there is none."""
        start = name % SETS * WAYS * _SLOT.size
        offsets = range(start, start + WAYS * _SLOT.size, _SLOT.size)
        slots = [(offset, *_SLOT.unpack_from(self._memory, offset)) for offset in offsets]
        for offset, other, full in slots:
            if other == name:
                return offset, full
        return min(slots, key=itemgetter(2))[0], 0.0

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
        os.close(self._lock)
        os.close(self._descriptor)

    def _acquire(self) -> None:
        """One process at a time; a lock ends with its process, and one that stands still is not waited for."""
        for _ in range(ATTEMPTS):
            try:
                flock(self._lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                time.sleep(0)
            else:
                return


def per_minute(most: int) -> Buckets:
    """Buckets of which `most` tokens come within any minute: half of them at once, the others one after the other."""
    burst = max(most // 2, 1)
    return Buckets(max(most - burst, 1) / 60.0, burst)


def _attached(descriptor: Any, rate: float, burst: int, key: bytes) -> Buckets:
    """The buckets that another process has made."""
    buckets = Buckets.__new__(Buckets)
    buckets._attach(descriptor.detach(), rate, burst, key)
    return buckets
