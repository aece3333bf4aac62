"""Manifests with the right checksum that say what no bundle of this program could: all are refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recsys.bundle import open_bundle
from recsys.bundle.consistency import require_consistent
from recsys.bundle.manifest import digest
from recsys.core.errors import BundleError
from tests.support.bundles import make_bundle
from tests.support.damage import manifest_of, write_signed

DELETED = object()
ELSEWHERE = "/etc/passwd"
ENTRY = {"bytes": 1, "sha256": "0" * 64}

# Where in the manifest, what stands there instead, and what the message says.
ABSURD: list[tuple[str, object, str]] = [
    ("dataset.n_items", -1, "n_items"),
    ("dataset.n_items", 0, "n_items"),
    ("dataset.n_items", 10**9, "as many items"),
    ("dataset.n_items", 2**40, "n_items"),
    ("dataset.n_items", 60.5, "n_items"),
    ("dataset.n_users", -5, "n_users"),
    ("dataset.n_users", 21, "as many users"),
    ("dataset.n_users", "20", "n_users"),
    ("dataset.synthetic", "no", "synthetic"),
    ("dataset", [], "dataset"),
    ("dataset", DELETED, "dataset"),
    ("name", "", "name"),
    ("name", "../elsewhere", "name"),
    ("name", "a\nb", "name"),
    ("name", "a" * 10_000, "name"),
    ("name", 7, "name"),
    ("version", "/tmp/x", "version"),
    ("version", "..", "version"),
    ("created_at", "yesterday", "created_at"),
    ("serving.candidates", 10**9, "candidates"),
    ("serving.candidates", 0, "candidates"),
    ("serving.candidates", -128, "candidates"),
    ("serving.proposer_candidates", 10**9, "proposer_candidates"),
    ("serving.proposer_candidates", True, "proposer_candidates"),
    ("serving.confidence", {"full": {"scale": 1e300, "offset": 0.0}}, "scale"),
    ("serving.confidence", {"magic": {"scale": 1.0, "offset": 0.0}}, "'magic'"),
    ("serving", DELETED, "serving"),
    ("ranker.finalists", 10**9, "finalists"),
    ("ranker.finalists", -1, "finalists"),
    ("ranker.repeat_log_odds", 1e9, "repeat_log_odds"),
    ("ranker.repeat_log_odds", None, "repeat_log_odds"),
    ("ranker.features", [], "features"),
    ("ranker.features", ["price_known", "price_known"], "'price_known'"),
    ("ranker.scorers", ["bpr", "bpr"], "'bpr'"),
    ("ranker.scorers", ["two_tower"], "'two_tower'"),
    ("ranker.proposers", ["../../etc"], "proposers"),
    ("ranker.proposers", ["magic"], "'magic'"),
    ("ranker.source_sum", {"two_tower": -1.0}, "source_sum"),
    ("ranker.source_sum", {"magic": 1.0}, "'magic'"),
    ("ranker.source_sum", {"bpr": 1e300}, "source_sum"),
    ("ranker", "none", "ranker"),
    ("index.leaves", -1, "leaves"),
    ("index.leaves", 10**9, "searches among 60 items"),
    ("index.leaves_to_search", 5, "searches among 60 items"),
    ("index.reorder", 10**9, "searches among 60 items"),
    ("index.reorder", 50, "as manifest.json describes it"),
    ("sources", {}, "popularity"),
    ("sources.popularity", DELETED, "popularity"),
    ("sources.bpr", "magic", "'magic'"),
    ("sources.bpr", "os.path.join", "os.path.join"),
    ("sources.bpr", "no.such.module", "no.such.module"),
    ("sources.bpr", "popularity", "bpr"),
    ("sources.two_tower", "popularity", "two_tower"),
    ("sources.nowhere", "popularity", "'nowhere'"),
    ("sources", {"../../histories": "popularity"}, "sources"),
    ("hybrids.blend", {}, "blend"),
    ("hybrids.blend", {"transitions": 0.0}, "blend"),
    ("hybrids.blend", {"transitions": -1.0}, "hybrids"),
    ("hybrids.blend", {"magic": 1.0}, "'magic'"),
    ("hybrids.blend", {"hybrid": 1.0}, "'hybrid'"),
    ("hybrids.blend", {"blend": 1.0}, "'blend'"),
    ("hybrids.bpr", {"transitions": 1.0}, "bpr"),
    ("hybrids", [], "hybrids"),
    ("files", {}, "checksums of all files"),
    ("files", DELETED, "files"),
    ("files.catalogue\\.sqlite", DELETED, "catalogue.sqlite"),
    ("files.item_embeddings\\.npy.bytes", -1, "bytes"),
    ("files.item_embeddings\\.npy.bytes", 2**60, "bytes"),
    ("files.item_embeddings\\.npy.sha256", "abc", "sha256"),
    ("files.item_embeddings\\.npy.sha256", "G" * 64, "sha256"),
    (f"files.{ELSEWHERE}", ENTRY, "below the bundle's own folder"),
    ("files.\\.\\./\\.\\./secret", ENTRY, "below the bundle's own folder"),
    ("files.onnx/\\.\\./two_tower\\.json", ENTRY, "below the bundle's own folder"),
    ("files.\\./two_tower\\.json", ENTRY, "below the bundle's own folder"),
    ("files.onnx//x", ENTRY, "below the bundle's own folder"),
    ("files.a\\\\b", ENTRY, "below the bundle's own folder"),
    ("files.a\0b", ENTRY, "below the bundle's own folder"),
    ("files.a\nb", ENTRY, "below the bundle's own folder"),
    ("files.", ENTRY, "below the bundle's own folder"),
    ("files.not_there", ENTRY, "partial"),
    ("config", [], "config"),
    ("config.data", [], "config.data"),
    ("config.data", {"event_weights": {"view": -1}}, "event_weights"),
    ("config.data", {"event_weights": {"view": "much"}}, "event_weights"),
    ("config.data", {"rating_range": [5, 1]}, "rating_range"),
    ("config.data", {"rating_range": "1-5"}, "rating_range"),
    ("metrics.validation_ndcg@10", 7.0, "ndcg"),
    ("metrics.index_recall@100", -0.1, "index_recall"),
    ("metrics.best_epoch", -3, "best_epoch"),
    ("metrics.training_curve", [1, 2], "training_curve"),
    ("packages", {"numpy": 2}, "packages"),
    ("schema_version", 10**30, "incompatible"),
    ("sha256", DELETED, "does not match its checksum"),
    ("colour", "red", "colour"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return open_bundle(make_bundle(tmp_path_factory.mktemp("made"), n_items=60, n_users=20)).path


@pytest.fixture
def version(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def put(manifest: dict[str, Any], place: str, value: object) -> None:
    r"""Replace what stands at a place, whose keys are separated by dots; `\.` is a dot and `\\` a backslash."""
    keys = [""]
    characters = iter(place)
    for character in characters:
        if character == ".":
            keys.append("")
        else:
            keys[-1] += next(characters) if character == "\\" else character
    *path, last = keys
    for key in path:
        manifest = manifest[key]
    if value is DELETED:
        del manifest[last]
    else:
        manifest[last] = value


def used(version: Path) -> None:
    """Open and use all of it, as a server does before it serves."""
    with open_bundle(version) as bundle:
        require_consistent(bundle)
        bundle.recommender()


def test_the_manifest_as_it_is_may_be_used(version: Path) -> None:
    write_signed(version, manifest_of(version))
    used(version)


@pytest.mark.parametrize(
    ("place", "value", "said"), ABSURD, ids=[f"{n} {place!a}" for n, (place, _, _) in enumerate(ABSURD)]
)
def test_an_absurd_value_is_refused(version: Path, place: str, value: object, said: str) -> None:
    manifest = manifest_of(version)
    put(manifest, place, value)
    if place == "sha256":
        (version / "manifest.json").write_text(json.dumps(manifest))
    else:
        write_signed(version, manifest)
    with pytest.raises(BundleError) as refused:
        used(version)
    assert said in str(refused.value)
    assert refused.value.exit_code == 5


def deep(version: Path) -> bytes:
    del version
    return b"[" * 200_000 + b"]" * 200_000


def deep_and_signed(version: Path) -> bytes:
    nested: Any = []
    for _ in range(500):
        nested = [nested]
    manifest = manifest_of(version)
    manifest["metrics"]["hybrid"] = nested
    manifest["sha256"] = digest(manifest)
    return json.dumps(manifest).encode()


def written(version: Path) -> bytes:
    return (version / "manifest.json").read_bytes()


CONTENTS: dict[str, Callable[[Path], bytes]] = {
    "deep": deep,
    "deep where a field is to be": deep_and_signed,
    "not UTF-8": lambda version: written(version).replace(b"tiny", b"t\xefny"),
    "UTF-16": lambda version: written(version).decode().encode("utf-16"),
    "empty": lambda _: b"",
    "zeros": lambda version: bytes(len(written(version))),
    "too large": lambda version: written(version) + b" " * (1 << 24),
    "cut": lambda version: written(version)[:-20],
    "a long number": lambda version: written(version).replace(b'"n_items": 60', b'"n_items": 6' + b"0" * 9000),
    "not a number": lambda version: written(version).replace(b'"best_epoch": 1', b'"best_epoch": NaN'),
    "a list": lambda _: b"[]",
}


@pytest.mark.parametrize("content", CONTENTS)
def test_what_is_no_manifest_is_refused(version: Path, content: str) -> None:
    (version / "manifest.json").write_bytes(CONTENTS[content](version))
    with pytest.raises(BundleError, match=r"manifest\.json"):
        open_bundle(version)


@pytest.mark.parametrize("inside", [True, False])
def test_a_link_in_the_place_of_a_file_is_refused(version: Path, tmp_path: Path, inside: bool) -> None:
    file = version / "histories" / "items.npy"
    moved = (version if inside else tmp_path) / "moved.npy"
    file.rename(moved)
    file.symlink_to(moved)
    with pytest.raises(BundleError, match="itself"):
        open_bundle(version)


def test_a_folder_that_is_a_link_is_refused(version: Path, tmp_path: Path) -> None:
    (version / "histories").rename(tmp_path / "histories")
    (version / "histories").symlink_to(tmp_path / "histories")
    with pytest.raises(BundleError, match="itself"):
        open_bundle(version)


def test_a_bundle_behind_a_link_is_one(version: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(version)
    used(tmp_path / "link")
