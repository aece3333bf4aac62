"""The manifest of a bundle: what it holds, where it came from, and the checksums that prove it whole."""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from recsys.bundle.layout import MANIFEST_FILE, SCHEMA_VERSION
from recsys.core.errors import BundleError

Verification = Literal["full", "quick"]

_PACKAGES = (
    "numpy",
    "scann",
    "onnxruntime",
    "tensorflow",
    "tf-keras",
    "tensorflow-recommenders",
    "transformers",
    "tf2onnx",
    "pandas",
    "scipy",
)
_REMEDY = "export the bundle again, or name another version"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def list_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Size in bytes and SHA-256 of every file below `folder` but the manifest, by relative path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        name: {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for path in paths
        if (name := path.relative_to(folder).as_posix()) != MANIFEST_FILE
    }


def package_versions() -> dict[str, str]:
    """Versions of the installed packages that shape a bundle."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def digest(manifest: dict[str, Any]) -> str:
    """SHA-256 of the manifest without its own `sha256`."""
    content = {key: value for key, value in manifest.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode("utf8")).hexdigest()


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write `manifest` with its checksum into `folder`.

    Raises:
        ValueError: a value is not finite or not JSON.
    """
    plain = json.loads(json.dumps(manifest, allow_nan=False))
    text = json.dumps({**plain, "sha256": digest(plain)}, indent=2, ensure_ascii=False)
    (folder / MANIFEST_FILE).write_text(text + "\n", "utf8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read and check the manifest itself, not the files it lists.

    Raises:
        BundleError: missing, damaged, or of a schema that this program does not read.
    """
    path = folder / MANIFEST_FILE
    try:
        manifest = json.loads(path.read_text("utf8"))
    except FileNotFoundError:
        raise BundleError(f"a bundle in {folder}", f"no {MANIFEST_FILE}: it is partial or no bundle", _REMEDY) from None
    except (OSError, ValueError) as error:
        raise BundleError(f"a readable {path}", str(error), _REMEDY) from error
    version = manifest.get("schema_version") if isinstance(manifest, dict) else None
    if version != SCHEMA_VERSION:
        raise BundleError(
            f"bundle schema version {SCHEMA_VERSION} in {path}",
            f"{version!r}: written by an incompatible version of the program",
            "export the bundle again with this version of the program",
        )
    if manifest.get("sha256") != digest(manifest):
        raise BundleError(f"an unchanged {path}", "content that does not match its checksum", _REMEDY)
    return dict(manifest)


def verify_files(folder: Path, manifest: dict[str, Any], verification: Verification) -> None:
    """Compare the files below `folder` with the manifest.

    Args:
        folder: of the bundle.
        manifest: as `read_manifest` gave it.
        verification: quick: presence and size of every file; full: content too.

    Raises:
        BundleError: a file is missing, cut off or changed.
    """
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise BundleError(f"{name} in bundle {folder}", "no such file: the bundle is partial", _REMEDY)
        size = path.stat().st_size
        if size != expected["bytes"]:
            raise BundleError(f"{expected['bytes']} bytes in {path}", f"{size}: it is corrupt", _REMEDY)
        if verification == "full" and file_sha256(path) != expected["sha256"]:
            raise BundleError(
                f"SHA-256 {expected['sha256'][:12]}… of {path}", "another content: it is corrupt", _REMEDY
            )
