"""Read a source back from its folder, by the kind that a bundle notes beside it."""

from __future__ import annotations

from pathlib import Path

from recsys.core.dotted import imported
from recsys.core.errors import BundleError, RecsysError
from recsys.core.stored_arrays import REMEDY
from recsys.sources.base import Source
from recsys.sources.registry import KINDS


def load_source(kind: str, folder: Path, name: str) -> Source:
    """Read what a source of that kind saved into `folder`.

    Args:
        kind: see `Source.kind`: one of `KINDS`, or the dotted path of a class from outside.
        folder: its own.
        name: which it bears from now on.

    Raises:
        BundleError: there is no such kind, no such class here, its module fails to be imported, or what it saved is
            not sound.
    """
    try:
        source = _class_of(kind, folder).load(folder)
    except RecsysError:
        raise
    except Exception as error:  # a class from outside may raise anything
        got = f"{type(error).__name__}: {error}"
        raise BundleError(f"what a source of the kind {kind} saved in {folder}", got, REMEDY) from error
    source.name = name
    return source


def _class_of(kind: str, folder: Path) -> type[Source]:
    if kind not in KINDS and "." not in kind:
        raise BundleError(
            f"one of the kinds of sources {', '.join(KINDS)} for {folder}",
            repr(kind),
            "read it with the version of the program that wrote it",
        )
    try:
        named = imported(KINDS.get(kind, kind))
    except Exception as error:  # a module from outside may raise anything
        remedy = "install the package that the bundle was made with"
        got = f"{type(error).__name__}: {error}"
        raise BundleError(f"the class {kind} of the source in {folder}", got, remedy) from error
    if not (isinstance(named, type) and issubclass(named, Source)):
        raise BundleError(f"a source at {kind}, for {folder}", repr(named), "install the version it was made with")
    return named
