"""The files that an entry of `data.interactions` or `data.metadata` names: a file, a glob, a folder, or a URL."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from recsys.core.errors import DataError
from recsys.prepare.raw.remote import RemoteFile, is_remote, remote_files, url_of

# A URL turned into a path has lost one of its slashes.
_URL = re.compile(r"^\w+(?:\+\w+)?:/")
_WILDCARD = re.compile(r"[*?\[]")
_KINDS = {
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}
MAX_NAMED = 5  # of the files that a message lists


@dataclass
class InputFiles:
    """What the entries of one kind of inputs name.

    Attributes:
        paths: files and URLs, each once, in the order of the entries, then of their names; with the number of the
            entry that led to each.
        notes: what was passed over, as sentences.
    """

    paths: list[tuple[Path, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_files(entries: Iterable[Path], setting: str) -> InputFiles:
    """Find what `entries` name. A folder stands for the files right in it; `**` in a glob goes into folders.

    Hidden files, the markers that jobs leave beside their output (`_SUCCESS`) and SQLite's side files are passed over
    where a glob or a folder leads to them, and empty files, too: a day without events.

    Args:
        entries: paths, globs, folders and URLs, of databases or of files, folders and globs (see `remote_files`).
        setting: the setting that names them, for messages.

    Raises:
        DataError: no such file; a glob without a match; a folder without files or one that cannot be read; what is
            neither file nor folder.
    """
    files = InputFiles()
    seen: set[Path] = set()
    again: list[Path] = []
    for number, entry in enumerate(entries):
        if is_url(entry):
            named = list(_remote(entry, setting, files.notes)) if is_remote(entry) else [entry]
            files.paths += [(path, number) for path in named if path not in seen]
            again += [path for path in named if path in seen]
            seen.update(named)
            continue
        for path in _files_of(entry, setting, files.notes):
            real = _resolved(path, setting)
            if real in seen:
                again.append(path)
            else:
                seen.add(real)
                files.paths.append((path, number))
    if again:
        files.notes.append(f"{len(again)} named more than once at {setting}, read once: {_names(again)}.")
    return files


def is_url(path: Path) -> bool:
    """Whether an entry is a URL. What it names as files is then known by its name, and no URL any more."""
    return bool(_URL.match(path.as_posix())) and not path.exists()


def _files_of(entry: Path, setting: str, notes: list[str]) -> Iterator[Path]:
    """The files of one entry, in the order of their names."""
    mode = _mode(entry)
    if mode is None and _WILDCARD.search(str(entry)):
        yield from _glob(entry, setting, notes)
    elif mode is not None and stat.S_ISDIR(mode):
        yield from _folder(entry, setting, notes)
    else:
        _require_file(entry, setting)
        yield entry


def _remote(entry: Path, setting: str, notes: list[str]) -> Iterator[Path]:
    """The files that a URL names, of which the same are passed over as on a disk."""
    found = remote_files(entry, setting)
    if [str(path) for path in found] == [url_of(entry)]:
        yield from found
        return
    files, _, passed_over = _sorted_out({path: (path.name,) for path in found})
    if not files:
        raise DataError(
            f"files at {url_of(entry)} ({setting})", f"markers alone ({_names(passed_over)})", "name another folder"
        )
    _note_passed_over(notes, passed_over, RemoteFile(entry))
    yield from _with_lines(files, setting, notes)


def _mode(path: Path) -> int | None:
    """The kind of what lies at a path; None where there is nothing, or nothing to be seen."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return None


def _glob(pattern: Path, setting: str, notes: list[str]) -> Iterator[Path]:
    fixed, rest = _split(pattern)
    matches = sorted(fixed.glob(rest.as_posix()))
    files, folders, passed_over = _sorted_out({match: match.relative_to(fixed).parts for match in matches})
    if files:
        _note_passed_over(notes, [*passed_over, *folders], pattern)
        yield from _with_lines(files, setting, notes)
    elif folders:
        for folder in folders:
            yield from _folder(folder, setting, notes)
    else:
        raise DataError(
            f"files that match {pattern} at {setting}",
            f"no match; {_contents(_nearest_folder(fixed))}",
            "check the pattern and the folder from which the command runs",
        )


def _split(pattern: Path) -> tuple[Path, Path]:
    """A pattern's folders before the first wildcard, and the rest."""
    parts = pattern.parts
    first = next(position for position, part in enumerate(parts) if _WILDCARD.search(part))
    return Path(*parts[:first]), Path(*parts[first:])


def _folder(folder: Path, setting: str, notes: list[str]) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(
            f"a folder at {setting} whose files can be listed", f"{folder}: {error.strerror}", "check its permissions"
        ) from None
    files, folders, passed_over = _sorted_out({entry: (entry.name,) for entry in entries})
    if not files:
        raise DataError(
            f"files in the folder {folder} at {setting}",
            _contents(folder),
            f"name the files in its folders by a glob: {folder}/*/*.csv"
            if folders
            else "name another folder, or files",
        )
    _note_passed_over(notes, [*passed_over, *folders], folder)
    yield from _with_lines(files, setting, notes)


def _sorted_out(names_of: Mapping[Path, tuple[str, ...]]) -> tuple[list[Path], list[Path], list[Path]]:
    """Files, folders, and what is passed over for one of the names given with it."""
    passed_over = [path for path, names in names_of.items() if any(map(_is_passed_over, names))]
    hidden = frozenset(passed_over)
    shown = [path for path in names_of if path not in hidden]
    return [path for path in shown if not path.is_dir()], [path for path in shown if path.is_dir()], passed_over


def _with_lines(files: list[Path], setting: str, notes: list[str]) -> Iterator[Path]:
    """The files that hold anything."""
    empty = []
    for path in files:
        _require_file(path, setting)
        if path.stat().st_size:
            yield path
        else:
            empty.append(path)
    if len(empty) == len(files):
        raise DataError(f"lines in the files of {setting}", f"empty files alone ({_names(empty)})", "export them again")
    if empty:
        notes.append(f"{len(empty)} empty, not read: {_names(empty)}.")


def _require_file(path: Path, setting: str) -> None:
    """Stop at anything but a file that may be read; a pipe would hold its reader up for ever."""
    try:
        mode = path.stat().st_mode
        kind = next((words for is_kind, words in _KINDS.items() if is_kind(mode)), None)
        if kind is None:
            path.open("rb").close()
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        folder = _nearest_folder(path.parent)
        there = f"; {_contents(folder)}" if isinstance(error, FileNotFoundError) else ""
        raise DataError(
            f"a file, a folder or a glob at {setting}",
            f"no file {path} ({words}){there}" if there else f"{path}: {words}",
            "check the path; docs/data-formats.md says where to download the files and how to make the sample's",
        ) from None
    if kind:
        raise DataError(
            f"a file at {setting}", f"{kind}, {path}", "write it into a file first: inputs are looked at and then read"
        )


def _resolved(path: Path, setting: str) -> Path:
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise DataError(f"a file at {setting}", f"{path}: {error}", "check the path") from None


def _is_passed_over(name: str) -> bool:
    return name.startswith((".", "_")) or name.endswith(("-wal", "-shm", "-journal"))


def _note_passed_over(notes: list[str], paths: list[Path], entry: Path) -> None:
    if paths:
        kinds = "hidden files, markers and folders" if any(path.is_dir() for path in paths) else "hidden or markers"
        notes.append(f"{len(paths)} passed over at {entry} ({kinds}): {_names(paths)}.")


def _nearest_folder(folder: Path) -> Path:
    """A folder, or of its parents the nearest that exists."""
    return next((each for each in (folder, *folder.parents) if each.is_dir()), Path())


def _contents(folder: Path) -> str:
    """What a folder holds, for a message."""
    try:
        there = sorted(folder.iterdir())
    except OSError as error:
        return f"the folder {folder} cannot be listed ({error.strerror})"
    if not there:
        return f"the folder {folder.absolute()} is empty"
    return f"the folder {folder.absolute()} has {_names(there)}"


def _names(paths: list[Path]) -> str:
    named = ", ".join(path.name for path in paths[:MAX_NAMED])
    return named if len(paths) <= MAX_NAMED else f"{named} and {len(paths) - MAX_NAMED} more"
