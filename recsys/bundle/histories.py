"""The histories of all users, as they lie in a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.bundle.layout import HISTORY_ARRAYS
from recsys.core.histories import Histories
from recsys.core.stored_arrays import read_array, require_offsets, require_range

_FIRST_TIME, _LAST_TIME = -62_135_596_800, 253_402_300_799  # years 1 to 9999, which calendars can show


def write_histories(histories: Histories, folder: Path) -> None:
    """Write into the new `folder`."""
    folder.mkdir()
    for name in HISTORY_ARRAYS:
        np.save(folder / f"{name}.npy", getattr(histories, name))


def read_histories(folder: Path, n_items: int) -> Histories:
    """Read what `write_histories` wrote; the arrays are mapped into memory.

    Args:
        folder: theirs.
        n_items: size of the catalogue.

    Raises:
        BundleError: a file is missing, or an array does not fit the others or the catalogue.
    """
    indptr, items, timestamps, ratings, weights = (folder / f"{name}.npy" for name in HISTORY_ARRAYS)
    offsets, rows = read_array(indptr, np.int64, None), read_array(items, np.int32, None)
    require_offsets(offsets, indptr, len(rows))
    require_range(rows, items, 0, n_items - 1)
    times = read_array(timestamps, np.int64, len(rows))
    require_range(times, timestamps, _FIRST_TIME, _LAST_TIME)
    given = read_array(ratings, np.float32, len(rows), nan=True)
    strengths = read_array(weights, np.float32, len(rows))
    require_range(strengths, weights, 0, np.inf)
    return Histories(offsets, rows, times, given, strengths)
