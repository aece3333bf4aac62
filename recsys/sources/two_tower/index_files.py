"""The files of a ScaNN index, checked before ScaNN, which checks nothing, indexes by what stands in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from recsys.core.errors import BundleError
from recsys.core.parameters import Count, Parameters, read_parameters
from recsys.core.small_files import read_small_file
from recsys.core.stored_arrays import REMEDY, read_array, require_range
from recsys.sources.two_tower.index_parameters import IndexParameters
from recsys.sources.two_tower.scann_loader import scann_pybind

PARAMETERS_FILE = "index.json"
_ASSETS_FILE = "scann_assets.pbtxt"
_EXACT_FILES = {"dataset.npy": "DATASET_NPY"}
_TREE_FILES = {
    "ah_codebook.pb": "AH_CENTERS",
    "datapoint_to_token.npy": "TOKENIZATION_NPY",
    "hashed_dataset.npy": "AH_DATASET_NPY",
    "serialized_partitioner.pb": "PARTITIONER",
}
_ASSET = re.compile(r'assets \{\s+asset_type: ([A-Z_]+)\s+asset_path: "([^"]*)"\s+\}\s*')
_LARGEST_CODE = 15  # asymmetric hashing knows 16 codes
_DIMENSIONS_A_CODE = 2


class _Noted(Parameters, frozen=True, kw_only=True):
    """Shape of the embeddings that were indexed, and `IndexParameters`."""

    n_items: Count
    dim: Count
    leaves: Count
    leaves_to_search: Count
    reorder: Count


def read_index(folder: Path, n_items: int, dim: int) -> tuple[Any, IndexParameters]:
    """ScaNN's searcher, and how it searches.

    Args:
        folder: where the index was saved.
        n_items, dim: shape of the embeddings that were indexed.

    Raises:
        BundleError: files are missing, not an index, or one of other embeddings.
    """
    noted = read_parameters(folder / PARAMETERS_FILE, _Noted)
    parameters = IndexParameters(noted.leaves, noted.leaves_to_search, noted.reorder)
    if (noted.n_items, noted.dim) != (n_items, dim):
        shape = noted.n_items, noted.dim
        raise BundleError(f"an index of {(n_items, dim)} embeddings in {folder}", str(shape), REMEDY)
    _require_search(parameters, n_items, folder)
    _require_assets(folder, _EXACT_FILES if parameters.exact else _TREE_FILES)
    if parameters.exact:
        read_array(folder / "dataset.npy", np.float32, n_items, dim)
    else:
        partitions, codes = folder / "datapoint_to_token.npy", folder / "hashed_dataset.npy"
        require_range(read_array(partitions, np.int32, n_items), partitions, 0, parameters.leaves - 1)
        width = -(-dim // _DIMENSIONS_A_CODE)
        require_range(read_array(codes, np.uint8, n_items, width), codes, 0, _LARGEST_CODE)
    try:
        searcher = scann_pybind().load_searcher(str(folder), assets_backcompat_shim=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise BundleError(f"a ScaNN index in {folder}", str(error), REMEDY) from error
    if searcher.size() != n_items:
        raise BundleError(f"a ScaNN index of {n_items} items in {folder}", f"one of {searcher.size()}", REMEDY)
    return searcher, parameters


def _require_search(parameters: IndexParameters, n_items: int, folder: Path) -> None:
    if not n_items:
        raise BundleError(f"items in the index in {folder}", "none", REMEDY)
    if parameters.exact:
        fits = parameters == IndexParameters()
    else:
        fits = 1 <= parameters.leaves_to_search <= parameters.leaves <= n_items and 1 <= parameters.reorder <= n_items
    if not fits:
        raise BundleError(f"a search that {n_items} items allow in {folder / PARAMETERS_FILE}", str(parameters), REMEDY)


def _require_assets(folder: Path, expected: dict[str, str]) -> None:
    """ScaNN opens whatever this file names, and writes to the error stream what it thinks of any other text."""
    path = folder / _ASSETS_FILE
    try:
        text = read_small_file(path).decode("utf8")
    except (OSError, ValueError) as error:
        raise BundleError(f"a list of files in {path}", str(error), REMEDY) from error
    named = {file: kind for kind, file in _ASSET.findall(text)}
    if named != expected or _ASSET.sub("", text):
        got = ", ".join(named) if named != expected else "other text beside them"
        raise BundleError(f"the files {', '.join(expected)} in {path}", got or "none", REMEDY)
