from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.bundle import open_bundle
from recsys.bundle.cycles import read_cycles
from recsys.bundle.manifest import IndexSection, digest
from recsys.core.errors import BundleError
from recsys.core.queries import Queries
from recsys.sources.content.fit import fit_text_vectors
from recsys.sources.factors.source import ImplicitFactors
from recsys.sources.hybrid import Hybrid
from recsys.sources.item_to_item.neighbours_fit import fit_neighbours
from recsys.sources.item_to_item.transitions_fit import fit_transitions
from recsys.sources.popularity.source import Popularity
from tests.support.bundles import (
    CANDIDATES,
    PROPOSER_CANDIDATES,
    PROPOSERS,
    REPEAT_LOG_ODDS,
    SCORERS,
    make_bundle,
    make_cycles,
    make_embeddings,
    make_histories,
    make_metrics,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), n_items=60, n_users=20)


@pytest.fixture
def version(made: Path, tmp_path: Path) -> Path:
    """A copy of the version's folder, to be damaged."""
    return Path(shutil.copytree(open_bundle(made).path, tmp_path / "copy"))


def edit_manifest(version: Path, *, sign: bool = True, **changes: object) -> None:
    manifest = written(version) | changes
    if sign:
        manifest["sha256"] = digest(manifest)
    (version / "manifest.json").write_text(json.dumps(manifest))


def written(version: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((version / "manifest.json").read_text())
    return content


def test_opens_the_current_version_by_name_and_any_version_by_folder(made: Path, version: Path) -> None:
    current = open_bundle(made)
    assert current.path == made / (made / "current").read_text().strip()
    assert (current.name, current.version) == ("tiny", current.path.name)
    assert open_bundle(version).version == current.version
    assert open_bundle(str(made)).path == current.path


def test_items_of_which_nothing_is_known_have_no_cycle(tmp_path: Path) -> None:
    assert np.isnan(read_cycles(tmp_path / "no_such_file.npy", 3)).tolist() == [True] * 3


@pytest.mark.parametrize(("repeats", "known"), [(None, False), ("latest", False), ("count", True), ("all", True)])
def test_a_ranker_knows_repeats_if_its_dataset_kept_them(version: Path, repeats: str | None, known: bool) -> None:
    config = written(version)["config"]
    config["data"] |= {} if repeats is None else {"repeats": repeats}
    edit_manifest(version, config=config)
    ranker = open_bundle(version).ranker
    assert ranker is not None
    assert ranker.knows_repeats == known


def test_holds_what_was_written(made: Path) -> None:
    bundle = open_bundle(made)
    assert bundle.n_items == 60
    np.testing.assert_array_equal(bundle.item_embeddings, make_embeddings(60, 8))
    known = make_histories(20, 60)
    for name in ("indptr", "items", "timestamps", "ratings", "weights"):
        np.testing.assert_array_equal(getattr(bundle.histories, name), getattr(known, name))
        assert getattr(bundle.histories, name).dtype == getattr(known, name).dtype
    np.testing.assert_array_equal(bundle.cycles, make_cycles(60))
    assert bundle.catalogue.item_row("item7") == 7
    assert bundle.catalogue.user_ids([3]) == ["user3"]
    assert bundle.sources == [
        "two_tower",
        "popularity",
        "neighbours_bm25",
        "transitions",
        "content_encoder",
        "bpr",
        "blend",
        "hybrid",
    ]
    assert bundle.manifest.dataset.synthetic is True
    assert bundle.manifest.metrics == make_metrics(index_recall=1.0)
    assert bundle.manifest.index == IndexSection(leaves=0, leaves_to_search=0, reorder=0)
    assert {"numpy", "scann", "onnxruntime"} <= bundle.manifest.packages.keys()


def test_retrievers_come_by_name(made: Path) -> None:
    bundle = open_bundle(made)
    for name in bundle.sources:
        assert bundle.source(name).name == name
        assert bundle.source(name) is bundle.source(name)
    assert bundle.source("two_tower") is bundle.two_tower()
    with pytest.raises(BundleError, match="popularity, neighbours_bm25"):
        bundle.source("magic")


def test_retrievers_are_those_that_were_written(made: Path) -> None:
    bundle, known = open_bundle(made), make_histories(20, 60)
    queries = Queries(known, np.arange(20, dtype=np.int32), np.zeros(20, np.int64))
    for fitted in (
        Popularity.fit(known.items, 60),
        fit_neighbours(known, 60, k=20, decay=0.8),
        fit_transitions(known, 60, k=20, decay=0.6),
        fit_text_vectors(make_embeddings(60, 8), k=20, decay=0.4),
        ImplicitFactors("bpr", make_embeddings(60, 8)[:, :4]),
    ):
        read = bundle.source(fitted.name)
        assert type(read) is type(fitted)
        np.testing.assert_array_equal(read.score(queries), fitted.score(queries))


def test_a_hybrid_is_put_together_from_the_bundles_own_retrievers(made: Path) -> None:
    bundle = open_bundle(made)
    blend, hybrid = bundle.source("blend"), bundle.source("hybrid")
    assert isinstance(blend, Hybrid)
    assert isinstance(hybrid, Hybrid)
    assert list(blend.members) == list(PROPOSERS)
    assert list(hybrid.members) == ["two_tower", *PROPOSERS]
    assert hybrid.weights == bundle.manifest.hybrids["hybrid"]
    for name, member in hybrid.members.items():
        assert member is bundle.source(name)
    assert not (bundle.path / "retrievers/hybrid").exists(), "its members are there already"


def test_the_recommender_takes_its_settings_from_the_manifest_unless_told(made: Path) -> None:
    bundle = open_bundle(made)
    stored = bundle.recommender()
    depths = [(proposer.source.name, proposer.depth) for proposer in stored.proposers]
    assert depths == [("two_tower", CANDIDATES), *((name, PROPOSER_CANDIDATES) for name in PROPOSERS)]
    assert [proposer.depth for proposer in bundle.recommender(candidates=7).proposers][:2] == [7, PROPOSER_CANDIDATES]
    assert stored.ranker is bundle.ranker is not None
    assert stored.ranker.repeat_log_odds == REPEAT_LOG_ODDS
    assert list(stored.ranker.scorer.scorers) == list(SCORERS)


def test_without_a_ranker_nobody_but_the_two_tower_proposes(tmp_path: Path) -> None:
    bundle = open_bundle(make_bundle(tmp_path, n_items=60, n_users=20, ranker=False))
    assert bundle.ranker is None
    assert bundle.recommender().sources == ("two_tower",)
    assert "transitions" in bundle.sources, "the retrievers are there all the same"


def test_a_ranker_of_other_features_is_refused(version: Path) -> None:
    ranker = written(version)["ranker"]
    edit_manifest(version, ranker={**ranker, "features": [*ranker["features"], "shoe_size"]})
    bundle = open_bundle(version)
    with pytest.raises(BundleError, match="shoe_size"):
        bundle.recommender()


@pytest.mark.parametrize("key", ["proposers", "scorers"])
def test_a_ranker_that_reads_what_is_not_there_is_refused(version: Path, key: str) -> None:
    ranker = written(version)["ranker"]
    edit_manifest(version, ranker={**ranker, key: ["magic"]})
    with pytest.raises(BundleError, match="'magic'"):
        open_bundle(version).recommender()


def test_any_source_may_propose(version: Path) -> None:
    ranker = written(version)["ranker"]
    edit_manifest(version, ranker={**ranker, "proposers": ["bpr", "blend", "popularity"]})
    bundle = open_bundle(version)
    recommender = bundle.recommender()
    assert recommender.sources == ("two_tower", "bpr", "blend", "popularity")
    queries = Queries(bundle.histories.select([0, 1]), np.arange(2, dtype=np.int32), np.zeros(2, np.int64))
    answer = recommender.recommend(queries, 5)
    for number, name in enumerate(recommender.sources):
        proposed = bundle.source(name).propose(queries, recommender.proposers[number].depth)
        expected = (answer.items[:, :, None] == proposed.items[:, None, :]).any(axis=2)
        np.testing.assert_array_equal(answer.proposed[:, :, number], expected)
    assert answer.proposed.any(axis=(0, 1)).all()


def test_a_copied_bundle_serves_alike(made: Path, version: Path) -> None:
    answers = []
    for bundle in (open_bundle(made), open_bundle(version)):
        queries = Queries(bundle.histories.select([0, 1, 2]), np.arange(3, dtype=np.int32), np.zeros(3, np.int64))
        answers.append(bundle.recommender().recommend(queries, 10).items)
    np.testing.assert_array_equal(*answers)


def test_nothing_there(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", tmp_path / "file"):
        (tmp_path / "file").write_text("")
        with pytest.raises(BundleError, match=r"neither manifest\.json nor current"):
            open_bundle(path)


@pytest.mark.parametrize("content", ["", "../elsewhere", ".writing-1", "gone", b"\xff\xfe"])
def test_current_that_names_no_version(tmp_path: Path, content: str | bytes) -> None:
    (tmp_path / "current").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BundleError, match="current"):
        open_bundle(tmp_path)


def test_current_that_names_a_file(tmp_path: Path) -> None:
    (tmp_path / "current").write_text("version")
    (tmp_path / "version").write_text("")
    with pytest.raises(BundleError, match="readable bundle"):
        open_bundle(tmp_path)


def test_a_version_without_manifest_is_partial(made: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(made, home)
    version = home / (home / "current").read_text().strip()
    (version / "manifest.json").unlink()
    with pytest.raises(BundleError, match="partial"):
        open_bundle(home)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"text"', '{"schema_version": '])
def test_a_manifest_that_is_not_one(version: Path, content: str) -> None:
    (version / "manifest.json").write_text(content)
    with pytest.raises(BundleError):
        open_bundle(version)


@pytest.mark.parametrize("schema", [0, 7, 9, "8", None])
def test_another_schema_is_incompatible(version: Path, schema: object) -> None:
    edit_manifest(version, schema_version=schema)
    with pytest.raises(BundleError, match="incompatible version"):
        open_bundle(version)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"serving": {"candidates": 7, "proposer_candidates": 9}}, r"missing required field `confidence`.*\$\.serving"),
        ({"colour": "red"}, "unknown field `colour`"),
        ({"hybrids": {"blend": {"als": "much"}}}, r"Expected `float`, got `str`.*\$\.hybrids"),
        ({"ranker": {"proposers": []}}, r"missing required field `scorers`.*\$\.ranker"),
    ],
)
def test_a_field_that_is_missing_unknown_or_of_another_type_is_named(
    version: Path, changes: dict[str, object], named: str
) -> None:
    edit_manifest(version, **changes)
    with pytest.raises(BundleError, match=named):
        open_bundle(version)


def test_a_manifest_edited_by_hand_is_refused(version: Path) -> None:
    edit_manifest(version, sign=False, serving={"proposer_candidates": 99, "candidates": 1})
    with pytest.raises(BundleError, match="does not match its checksum"):
        open_bundle(version)


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e999", r'"\ud800"'])
def test_a_manifest_with_what_is_not_finite_or_no_text_is_refused(version: Path, value: str) -> None:
    edit_manifest(version, sign=False, name="here")
    manifest = version / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"here"', value))
    with pytest.raises(BundleError) as error:
        open_bundle(version)
    assert error.value.expected == f"finite figures and plain text in {manifest}"


@pytest.mark.parametrize("verify", ["full", "quick"])
def test_every_missing_file_is_named(version: Path, verify) -> None:
    for name in written(version)["files"]:
        (version / name).rename(version / "aside")
        with pytest.raises(BundleError, match="partial") as error:
            open_bundle(version, verify=verify)
        assert name in error.value.expected
        (version / "aside").rename(version / name)
    open_bundle(version, verify=verify)


@pytest.mark.parametrize("verify", ["full", "quick"])
def test_every_file_cut_off_is_found(version: Path, verify) -> None:
    for name in written(version)["files"]:
        whole = (version / name).read_bytes()
        (version / name).write_bytes(whole[:-1])
        with pytest.raises(BundleError, match="corrupt"):
            open_bundle(version, verify=verify)
        (version / name).write_bytes(whole)


def test_one_flipped_bit_in_any_file_is_found(version: Path) -> None:
    for name in written(version)["files"]:
        whole = (version / name).read_bytes()
        changed = bytearray(whole)
        changed[len(whole) // 2] ^= 1
        (version / name).write_bytes(bytes(changed))
        with pytest.raises(BundleError, match="corrupt") as error:
            open_bundle(version)
        assert name in error.value.expected
        (version / name).write_bytes(whole)


def test_closing_leaves_what_was_loaded_usable(version: Path) -> None:
    with open_bundle(version) as bundle:
        recommender, histories = bundle.recommender(), bundle.histories
    queries = Queries(histories.select([0]), np.zeros(1, np.int32), np.zeros(1, np.int64))
    assert (recommender.recommend(queries, 5).items >= 0).all()
