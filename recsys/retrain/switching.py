"""Another version becomes the one in use by somebody's word: `recsys promote` and `recsys rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recsys.bundle import open_bundle
from recsys.bundle.consistency import require_consistent
from recsys.bundle.versions import Versions
from recsys.core.errors import BundleError


def promote(home: Path, version: str) -> dict[str, Any]:
    """Make a version current: a candidate, one that the gate refused and that is still there, or an older one.

    Args:
        home: folder of the bundle's name.
        version: its name.

    Returns:
        What is in use now, see `standing`.

    Raises:
        BundleError: no such version, a damaged one, or one of another schema; what is in use stays.
    """
    versions = Versions(home)
    waiting = versions.waiting_folder(version)
    if waiting in versions.waiting:
        _require_sound(waiting)
        versions.add_candidate(waiting, version)
    versions.require(version)
    _require_sound(home / version)
    versions.use(version, "promote")
    return standing(versions)


def rollback(home: Path, to: str | None = None) -> dict[str, Any]:
    """Make the version current that was in use before, or another one. A second rollback goes further back.

    Args:
        home: folder of the bundle's name.
        to: name of the version; None: the one in use before.

    Returns:
        What is in use now, see `standing`.

    Raises:
        BundleError: there is none to go back to, or it is damaged or of another schema; what is in use stays.
    """
    versions = Versions(home)
    version = versions.before if to is None else to
    if version is None:
        raise BundleError(
            f"a version of {home} that was in use before {versions.in_use or 'the one in use'}",
            f"none that is still there; versions there: {', '.join(versions.names) or 'none'}",
            "name one with --to, or train a bundle",
        )
    versions.require(version)
    _require_sound(home / version)
    versions.use(version, "rollback")
    return standing(versions)


def standing(versions: Versions) -> dict[str, Any]:
    """Which version is in use, which was before, and which are candidates; JSON-ready."""
    return {
        "in_use": versions.in_use,
        "before": versions.before,
        "candidates": versions.candidates,
        "versions": versions.names,
    }


def _require_sound(folder: Path) -> None:
    """Checksums of all files, the schema, and whether the parts fit together, as a server looks at them."""
    with open_bundle(folder) as bundle:
        require_consistent(bundle)
