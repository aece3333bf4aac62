"""The versions of a bundle: which one is in use, which were before, and which only wait.

    saved_model/<name>/<version>/           a version; readers see a whole one or none
    saved_model/<name>/current              names the one in use, which servers follow
    saved_model/<name>/versions.json        what was in use when, and which versions are candidates
    saved_model/<name>/.waiting-<version>/  whole, too, but nobody has let it in yet: no server takes it

`current` alone says what is in use. It is replaced first and what was in use is written down after it, so a process
that is killed in between leaves a file that the next one completes.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from recsys.bundle import layout
from recsys.bundle.locks import FolderLock, name_lock
from recsys.bundle.reader import current_version
from recsys.core.disk import sync, write_whole
from recsys.core.errors import BundleError

UNKNOWN = "unknown"
_MOST_USES = 200  # kept of the past


class Use(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That a version was in use.

    Attributes:
        version: its name.
        since: when it came into use, as ISO 8601.
        by: what made it so: train, retrain, promote, rollback, or unknown.
    """

    version: str
    since: str
    by: str


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `versions.json` holds.

    Attributes:
        uses: oldest first; the last is of the version in use.
        candidates: versions that passed the gate and that no server takes by itself.
    """

    uses: tuple[Use, ...] = ()
    candidates: tuple[str, ...] = ()


class Versions:
    """All versions of one name. What changes them holds the lock of the name, so processes take turns.

    Every method raises `BundleError` where a file there cannot be read, and OSError where it cannot be written.
    """

    def __init__(self, home: Path) -> None:
        """`home`: the folder of the name, saved_model/<name>."""
        self.home = home

    @property
    def names(self) -> list[str]:
        """Of all versions, oldest first; those that wait are none of them."""
        return sorted(path.parent.name for path in self.home.glob(f"[!.]*/{layout.MANIFEST_FILE}"))

    @property
    def in_use(self) -> str | None:
        """The version that `current` names; None: nothing is in use, or the file does not say what."""
        try:
            return current_version(self.home)
        except BundleError:  # what is published next mends it
            return None

    @property
    def record(self) -> Record:
        """What was in use when, completed by what is in use now."""
        record, in_use = self._read(), self.in_use
        if in_use is None or (record.uses and record.uses[-1].version == in_use):
            return record
        since = datetime.fromtimestamp((self.home / layout.CURRENT_FILE).stat().st_mtime, UTC)
        return msgspec.structs.replace(record, uses=(*record.uses, _use(in_use, UNKNOWN, since)))

    @property
    def candidates(self) -> list[str]:
        """Versions that passed the gate and wait for somebody to make them current, oldest first."""
        there = set(self.names)
        return sorted(name for name in self.record.candidates if name in there)

    @property
    def before(self) -> str | None:
        """The version that was in use before the one that is; None: there is none any more."""
        return next(iter(self._earlier(self.record)), None)

    @property
    def waiting(self) -> list[Path]:
        """Folders of the versions that nobody has let in."""
        return sorted(self.home.glob(f"{layout.WAITING_PREFIX}*"))

    def waiting_folder(self, version: str) -> Path:
        """Where a version is before somebody lets it in."""
        return self.home / f"{layout.WAITING_PREFIX}{version}"

    def require(self, version: str) -> None:
        """Stop where there is no such version.

        Raises:
            BundleError: there is none.
        """
        if version not in self.names:
            raise BundleError(
                f"a version of {self.home}",
                f"no {version!r}; there are {', '.join(self.names) or 'none'}",
                "name one of these",
            )

    def fallbacks(self) -> list[str]:
        """What may serve in the place of a damaged version in use, best first: what was in use before, then the rest.

        A version that was rolled back comes after all others, and candidates are left out. A record that cannot be
        read holds nobody up: the newest version comes first then.
        """
        try:
            record = self.record
        except BundleError:
            record = Record()
        earlier = self._earlier(record)
        tried = {use.version for use in record.uses}
        left_out = {self.in_use, *earlier, *record.candidates}
        others = [name for name in reversed(self.names) if name not in left_out]
        return [*earlier, *sorted(others, key=lambda name: name in tried)]

    def publish(
        self,
        folder: Path,
        version: str,
        by: str,
        *,
        keep: int,
        spared: Collection[str] = (),
        instead_of: str | None = None,
    ) -> None:
        """Let a whole version in, make it current, and remove old versions.

        Killed at any moment, it leaves the version before or this one in use, and can be called again.

        Args:
            folder: of the version, below `home`.
            version: its name from now on.
            by: see `Use`.
            keep: see `BundleConfig.keep`.
            spared: further versions that are not removed.
            instead_of: the version that must be in use for this to happen; None: any, or none.

        Raises:
            BundleError: another version is in use by now.
        """
        with name_lock(self.home):
            if instead_of is not None and self.in_use not in (instead_of, version):
                raise BundleError(
                    f"{instead_of} in use below {self.home}, with which {version} was compared",
                    f"{self.in_use}",
                    "run again",
                )
            self._let_in(folder, version)
            self._switch(version, by)
            self._remove_old(keep, spared)

    def add_candidate(
        self, folder: Path, version: str, *, keep: int | None = None, spared: Collection[str] = ()
    ) -> None:
        """Let a whole version in without making it current.

        Args:
            folder: of the version, below `home`.
            version: its name from now on.
            keep: of all candidates the newest so many; others are removed unless they are open. None: all.
            spared: candidates that are not removed.
        """
        with name_lock(self.home):
            record = self.record
            if version not in record.candidates:  # written first: who is there without a name could be taken up
                record = msgspec.structs.replace(record, candidates=(*record.candidates, version))
                self._write(record)
            self._let_in(folder, version)
            candidates = self.candidates
            old = candidates[: max(len(candidates) - keep, 0)] if keep else []
            gone = {name for name in old if name not in spared and remove_unless_open(self.home / name)}
            if gone:
                left = tuple(name for name in record.candidates if name not in gone)
                self._write(msgspec.structs.replace(record, candidates=left))

    def use(self, version: str, by: str) -> None:
        """Make a version current that is there.

        Raises:
            BundleError: no such version.
        """
        with name_lock(self.home):
            self.require(version)
            self._switch(version, by)

    def remove_waiting(self, except_for: Path | None = None) -> list[str]:
        """Remove what nobody has let in; the names of what was removed. What is open, or being written, stays."""
        with name_lock(self.home):
            return [path.name for path in self.waiting if path != except_for and remove_unless_open(path)]

    def _let_in(self, folder: Path, version: str) -> None:
        if folder.exists():  # else it has been let in before
            folder.rename(self.home / version)
            sync(self.home)

    def _switch(self, version: str, by: str) -> None:
        """Point `current` at a version, then write down that it is in use."""
        record = self.record
        pointer = self.home / f"{layout.TEMPORARY_PREFIX}current"
        pointer.write_text(version + "\n", "utf8")
        sync(pointer)
        pointer.replace(self.home / layout.CURRENT_FILE)
        sync(self.home)
        uses = record.uses
        if not uses or uses[-1].version != version:
            uses = (*uses, _use(version, by, datetime.now(UTC)))
        candidates = tuple(name for name in record.candidates if name != version)
        self._write(Record(uses=uses[-_MOST_USES:], candidates=candidates))

    def _remove_old(self, keep: int, spared: Collection[str]) -> None:
        """Keep the version in use, the one before it and the newest others, `keep` in all, and every candidate."""
        protected = [name for name in (self.in_use, self.before) if name is not None][:keep]
        others = [name for name in self.names if name not in (*protected, *self.candidates, *spared)]
        for name in others[: max(len(others) - (keep - len(protected)), 0)]:
            remove_unless_open(self.home / name)

    def _earlier(self, record: Record) -> list[str]:
        """Versions that were in use before the one that is and are still there, latest first.

        Going back to a version undoes what came after it: a second rollback goes further back, not forth.
        """
        line: list[str] = []
        for use in record.uses:
            if use.version in line:
                del line[line.index(use.version) :]
            line.append(use.version)
        there = set(self.names)
        return [name for name in reversed(line[:-1]) if name in there]

    def _read(self) -> Record:
        path = self.home / layout.VERSIONS_FILE
        try:
            return msgspec.json.decode(path.read_bytes(), type=Record)
        except FileNotFoundError:
            return Record()
        except (OSError, msgspec.DecodeError) as error:
            raise BundleError(
                f"in {path} what was in use when", str(error), "remove the file: all it holds is the past"
            ) from error

    def _write(self, record: Record) -> None:
        write_whole(self.home / layout.VERSIONS_FILE, msgspec.json.format(msgspec.json.encode(record)).decode() + "\n")


def remove_unless_open(folder: Path) -> bool:
    """Remove a version, or what a dead writer left, unless anyone has it open; whether it was removed."""
    lock = FolderLock.exclusive(folder)
    if lock is None:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()
    return True


def _use(version: str, by: str, since: datetime) -> Use:
    return Use(version=version, since=since.isoformat(timespec="seconds"), by=by)
