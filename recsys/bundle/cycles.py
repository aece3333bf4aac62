"""After how many days people buy each item again, as it lies in a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.core.stored_arrays import read_array, require_range
from recsys.core.types import Float32Array

_LEAST, _MOST = 1.0, 1e6  # days; preparing takes what is bought within a day for one purchase


def write_cycles(cycles: Float32Array, path: Path) -> None:
    """Write float32 [N] to the new file `path`."""
    np.save(path, np.asarray(cycles, np.float32))


def read_cycles(path: Path, n_items: int) -> Float32Array:
    """Days between purchases of each item, float32 [N]; NaN where the data tell none, for all where there is no file.

    Raises:
        BundleError: the array is of another size than the catalogue, or holds what are no days.
    """
    if not path.is_file():
        return np.full(n_items, np.nan, np.float32)
    cycles = read_array(path, np.float32, n_items, nan=True)
    require_range(cycles, path, _LEAST, _MOST)
    return cycles
