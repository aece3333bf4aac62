"""The manifest of a bundle: what it holds, where it came from, and the checksums that prove it whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from recsys.bundle.layout import MANIFEST_FILE, SCHEMA_VERSION
from recsys.bundle.manifest_values import (
    AttributeName,
    BundleName,
    Bytes,
    Depth,
    Difference,
    Epoch,
    Items,
    LogOdds,
    Sha256,
    Share,
    SourceName,
    Text,
)
from recsys.core.attributes import AttributeType
from recsys.core.errors import BundleError
from recsys.core.parameters import Count, Number, Weight
from recsys.core.small_files import read_small_file
from recsys.core.stored_arrays import REMEDY

Verification = Literal["full", "quick"]

_READERS = 2  # files that are hashed at once; a server that answers meanwhile needs its cores, too

_PACKAGES = (
    "numpy",
    "scann",
    "onnxruntime",
    "tokenizers",
    "tensorflow",
    "tf-keras",
    "tensorflow-recommenders",
    "transformers",
    "tf2onnx",
    "pandas",
    "scipy",
)
_MOST_BYTES = 1 << 24  # of the manifest


class _Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the manifest. Every field is always written, so that a missing one tells of another program."""


class DatasetSection(_Section, frozen=True, kw_only=True):
    """The prepared dataset that a bundle was trained on.

    Attributes:
        name: of the dataset.
        synthetic: whether its data are made up.
        n_users: rows of users.
        n_items: rows of items.
        manifest_sha256: SHA-256 of the dataset's own manifest; None where it was never prepared.
        text_encoder: name of the text encoder; None where there was none.
        text_weights_sha256: SHA-256 of its weights.
    """

    name: BundleName
    synthetic: bool
    n_users: Count
    n_items: Items
    manifest_sha256: Sha256 | None
    text_encoder: Text | None
    text_weights_sha256: Text | None


class MetricsSection(_Section, frozen=True, kw_only=True):
    """What was measured while the bundle was made.

    Attributes:
        validation_ndcg: of the two-tower alone, NDCG@10 of its best epoch; None without validation users.
        index_recall: recall@100 of the approximate index; None where it was not measured.
        onnx_differences: largest relative difference of each ONNX graph from the TensorFlow function it copies.
        sources: how each source was tuned, by name.
        skipped: name of a source -> why the data do not allow it.
        hybrid: how hybrid and blend were tuned.
        ranker: how the ranker was trained; None in a bundle without one.
        best_epoch: of the two-tower, counted from 1.
        training_curve: one record for each epoch of the two-tower.
    """

    validation_ndcg: Share | None = field(name="validation_ndcg@10")
    index_recall: Share | None = field(name="index_recall@100")
    onnx_differences: dict[str, Difference]
    sources: dict[str, dict[str, Any]] = field(name="retrievers")
    skipped: dict[str, str] = field(name="retrievers_skipped")
    hybrid: dict[str, Any]
    ranker: dict[str, Any] | None
    best_epoch: Epoch
    training_curve: list[dict[str, Any]]


class RankerSection(_Section, frozen=True, kw_only=True):
    """What the ranker reads, and how its scores are completed.

    Attributes:
        proposers: names of the scorers that propose candidates too.
        scorers: names of the sources whose scores are features.
        features: names of all features, in the order of the ranker's inputs.
        source_sum: weight of each source in the sum that chooses the finalists, see `CandidateScorer`.
        repeat_log_odds: added to the score of an item that the query's history holds.
        finalists: candidates of a query that reach the ranker.
    """

    proposers: list[SourceName]
    scorers: list[SourceName]
    features: list[Text]
    source_sum: dict[str, Weight]
    repeat_log_odds: LogOdds
    finalists: Depth


class Calibration(_Section, frozen=True, kw_only=True):
    """A model's score s means the probability 1 / (1 + exp(-(scale * s + offset)))."""

    scale: Number
    offset: Number


class ServingSection(_Section, frozen=True, kw_only=True):
    """How many candidates are generated for a query, and what scores mean.

    Attributes:
        candidates: items that the two-tower proposes.
        proposer_candidates: items that each other source proposes.
        confidence: calibration of each model that has one; the whole pipeline is called "full".
    """

    candidates: Depth
    proposer_candidates: Depth
    confidence: dict[str, Calibration]


class IndexSection(_Section, frozen=True, kw_only=True):
    """See `recsys.sources.two_tower.index_parameters.IndexParameters`."""

    leaves: Count
    leaves_to_search: Count
    reorder: Count


class FileEntry(_Section, frozen=True, kw_only=True):
    """Size in bytes and SHA-256, in hexadecimal, of a file."""

    bytes: Bytes
    sha256: Sha256


class Manifest(_Section, frozen=True, kw_only=True):
    """Everything that a bundle says of itself, as it lies in its manifest.json.

    Attributes:
        schema_version: of this layout; `layout.SCHEMA_VERSION`.
        name: of the bundle.
        version: name of its folder, which begins with the time.
        created_at: ISO 8601, UTC.
        dataset: what it was trained on.
        config: the resolved settings it was trained with, as `Config.model_dump(mode="json")` gives them.
        metrics: measured at export.
        attributes: name -> type of every attribute of the catalogue.
        sources: name -> kind of every source but the two-tower.
        hybrids: name -> weight of each member.
        ranker: None in a bundle without one.
        serving: settings and calibration.
        no_item_encoder: why the bundle cannot encode new items; None: it can.
        index: how the two-tower's index searches.
        packages: versions of those that shape a bundle.
        files: every file but the manifest, by path relative to the bundle.
        sha256: of all the rest, see `digest`.
    """

    schema_version: int
    name: BundleName
    version: BundleName
    created_at: Text
    dataset: DatasetSection
    config: dict[str, Any]
    metrics: MetricsSection
    attributes: dict[AttributeName, AttributeType]
    sources: dict[SourceName, Text]
    hybrids: dict[SourceName, dict[str, Weight]]
    ranker: RankerSection | None
    serving: ServingSection
    no_item_encoder: Text | None
    index: IndexSection
    packages: dict[str, Text]
    files: dict[str, FileEntry]
    sha256: str


def as_json(part: Struct) -> dict[str, Any]:
    """The manifest or a section of it as plain dictionaries, with the names that the file has."""
    plain: dict[str, Any] = msgspec.to_builtins(part)
    return plain


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def list_files(folder: Path) -> dict[str, FileEntry]:
    """An entry for every file below `folder` but the manifest, by relative path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {name: path for path in paths if (name := path.relative_to(folder).as_posix()) != MANIFEST_FILE}
    return {
        name: FileEntry(bytes=path.stat().st_size, sha256=sha256)
        for (name, path), sha256 in zip(names.items(), _sha256_of(list(names.values())), strict=True)
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


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of a manifest as JSON, without its own `sha256`.

    Raises:
        ValueError: a value is not finite, or a text no Unicode.
    """
    rest = {key: value for key, value in content.items() if key != "sha256"}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf8")).hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest` with its checksum into `folder`.

    Raises:
        ValueError: a value is not finite or not JSON.
    """
    plain = json.loads(json.dumps(as_json(manifest), allow_nan=False))
    text = json.dumps({**plain, "sha256": digest(plain)}, indent=2, ensure_ascii=False)
    (folder / MANIFEST_FILE).write_text(text + "\n", "utf8")


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest itself, not the files it lists.

    Raises:
        BundleError: missing, damaged, of a schema that this program does not read, or with a field that is missing,
            unknown or of another type; the message names it.
    """
    path = folder / MANIFEST_FILE
    try:
        content = json.loads(read_small_file(path, _MOST_BYTES).decode("utf8"))
    except FileNotFoundError:
        raise BundleError(f"a bundle in {folder}", f"no {MANIFEST_FILE}: it is partial or no bundle", REMEDY) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"a readable {path}", str(error), REMEDY) from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise BundleError(
            f"bundle schema version {SCHEMA_VERSION} in {path}",
            f"{version!r}: written by an incompatible version of the program",
            "export the bundle again with this version of the program: train.py --resume keeps the trained weights",
        )
    try:
        computed = digest(content)
    except (ValueError, RecursionError) as error:  # Python reads NaN and 1e999, which nothing here writes
        raise BundleError(f"finite figures and plain text in {path}", str(error), REMEDY) from error
    if content.get("sha256") != computed:
        raise BundleError(f"an unchanged {path}", "content that does not match its checksum", REMEDY)
    try:
        return msgspec.convert(content, Manifest)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BundleError(f"the fields of schema version {SCHEMA_VERSION} in {path}", str(error), REMEDY) from error


def verify_files(folder: Path, manifest: Manifest, verification: Verification) -> None:
    """Compare the files below `folder` with the manifest.

    Args:
        folder: of the bundle.
        manifest: as `read_manifest` gave it.
        verification: quick: presence and size of every file; full: content too.

    Raises:
        BundleError: a file is missing, cut off or changed.
    """
    home = folder.resolve()
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise BundleError(f"{name} in bundle {folder}", "no such file: the bundle is partial", REMEDY)
        if path.resolve() != home / name:
            raise BundleError(f"{path} itself", f"a link to {path.resolve()}", REMEDY)
        size = path.stat().st_size
        if size != expected.bytes:
            raise BundleError(f"{expected.bytes} bytes in {path}", f"{size}: it is corrupt", REMEDY)
    if verification != "full":
        return
    paths = [folder / name for name in manifest.files]
    for path, expected, sha256 in zip(paths, manifest.files.values(), _sha256_of(paths), strict=True):
        if sha256 != expected.sha256:
            raise BundleError(f"SHA-256 {expected.sha256[:12]}… of {path}", "another content: it is corrupt", REMEDY)


def _sha256_of(paths: Sequence[Path]) -> Iterator[str]:
    """SHA-256 of each file; several are read at once, since hashing holds no lock of the interpreter."""
    pool = ThreadPoolExecutor(_READERS, thread_name_prefix="checksums")
    try:
        yield from pool.map(file_sha256, paths)
    finally:
        pool.shutdown(cancel_futures=True)
