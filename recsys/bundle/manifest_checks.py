"""What a manifest must say for its parts to make sense together, before any of them is opened."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from recsys.bundle import layout
from recsys.bundle.attributes import files_of
from recsys.bundle.manifest import Manifest, RankerSection
from recsys.core.attributes import check_attribute_name
from recsys.core.tower_io import ITEM_TOWER, QUERY_TOWER
from recsys.encoding.files import ENCODER_FOLDER, ITEM_INPUTS_FILE, MODEL_FILE, NOTES_FILE, TOKENIZER_FILE
from recsys.sources.registry import FALLBACK, TWO_TOWER
from recsys.sources.two_tower.source import EMBEDDINGS_FILE

Fault = tuple[str, str]
"""What was expected of the manifest, and what it says."""

_LONGEST_PATH = 1000


def faults(manifest: Manifest) -> Iterator[Fault]:
    """All that does not make sense."""
    try:
        datetime.fromisoformat(manifest.created_at)
    except ValueError:
        yield "created_at in ISO 8601", repr(manifest.created_at)
    yield from _of_attributes(manifest.attributes)
    yield from _of_files(manifest)
    yield from _of_sources(manifest)
    if manifest.ranker is not None:
        yield from _of_ranker(manifest.ranker, {*manifest.sources, *manifest.hybrids})
    index, n_items = manifest.index, manifest.dataset.n_items
    if not index.leaves_to_search <= index.leaves <= n_items or index.reorder > n_items:
        yield f"an index that searches among {n_items} items", str(index)
    yield from _of_config(manifest.config)


def _of_files(manifest: Manifest) -> Iterator[Fault]:
    for name in manifest.files:
        path = PurePosixPath(name)
        plain = name == path.as_posix() and not path.is_absolute() and not {"..", "."} & set(path.parts)
        if not (plain and name.isprintable() and "\\" not in name and 0 < len(name) <= _LONGEST_PATH):
            yield "files below the bundle's own folder", repr(name[:_LONGEST_PATH])
    needed = [EMBEDDINGS_FILE, QUERY_TOWER.onnx_file, layout.CATALOGUE_FILE]
    needed += [f"{layout.HISTORIES_FOLDER}/{name}.npy" for name in layout.HISTORY_ARRAYS]
    needed += [f"{layout.ATTRIBUTES_FOLDER}/{name}" for name in files_of(manifest.attributes)]
    needed += [layout.RANKER_FILE] if manifest.ranker is not None else []
    if manifest.no_item_encoder is None:
        needed += [ITEM_TOWER.onnx_file, ITEM_INPUTS_FILE]
        needed += [f"{ENCODER_FOLDER}/{name}" for name in (MODEL_FILE, TOKENIZER_FILE, NOTES_FILE)]
    if missing := [name for name in needed if name not in manifest.files]:
        yield "checksums of all files", f"none of {', '.join(missing)}"
    folders = {PurePosixPath(name).parent.as_posix() for name in manifest.files}
    if empty := [name for name in manifest.sources if f"{layout.RETRIEVERS_FOLDER}/{name}" not in folders]:
        yield "files of every source", f"none of {', '.join(map(repr, empty))}"


def _of_attributes(names: Iterable[str]) -> Iterator[Fault]:
    for name in names:
        try:
            check_attribute_name(name)
        except ValueError as error:
            yield "names of attributes that are not taken", str(error)


def _of_sources(manifest: Manifest) -> Iterator[Fault]:
    sources, hybrids = manifest.sources, manifest.hybrids
    if FALLBACK not in sources:
        yield f"the source {FALLBACK}", ", ".join(sources) or "no source"
    if taken := [name for name in (TWO_TOWER, layout.FULL) if name in sources or name in hybrids]:
        yield "names that are not taken", ", ".join(taken)
    if both := set(sources) & set(hybrids):
        yield "hybrids of names of their own", ", ".join(sorted(both))
    for name, weights in hybrids.items():
        yield from _unknown(f"members of {name}", weights, {TWO_TOWER, *sources})
        if not any(weights.values()):
            yield f"a member of {name} with a weight", str(weights)
    yield from _unknown(
        "models with a confidence", manifest.serving.confidence, {layout.FULL, TWO_TOWER, *sources, *hybrids}
    )


def _of_ranker(ranker: RankerSection, sources: Collection[str]) -> Iterator[Fault]:
    yield from _unknown("ranker.source_sum of the sources", ranker.source_sum, {TWO_TOWER, *sources})
    named = {"proposers": ranker.proposers, "scorers": ranker.scorers}
    for field, names in named.items():
        yield from _unknown(f"ranker.{field} among the sources", names, sources)
    for field, names in {**named, "features": ranker.features}.items():
        if twice := sorted({name for name in names if names.count(name) > 1}):
            yield f"each of ranker.{field} once", ", ".join(map(repr, twice))
    if not ranker.features:
        yield "features of the ranker", "none"


def _unknown(what: str, names: Iterable[str], known: Collection[str]) -> Iterator[Fault]:
    if unknown := [name for name in names if name not in known]:
        yield f"{what}: {', '.join(sorted(known))}", ", ".join(map(repr, unknown))


def _of_config(config: dict[str, Any]) -> Iterator[Fault]:
    """Of the settings that a server reads."""
    data = config.get("data", {})
    if not isinstance(data, dict):
        yield "config.data with its settings", type(data).__name__
        return
    weights = data.get("event_weights", {})
    if not isinstance(weights, dict) or not all(_is_number(weight) and weight >= 0 for weight in weights.values()):
        yield "config.data.event_weights of 0 or more", str(weights)[:_LONGEST_PATH]
    span = data.get("rating_range", [0, 1])
    if not (isinstance(span, list) and len(span) == 2 and all(map(_is_number, span)) and span[0] <= span[1]):
        yield "the least and the greatest rating in config.data.rating_range", str(span)[:_LONGEST_PATH]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
